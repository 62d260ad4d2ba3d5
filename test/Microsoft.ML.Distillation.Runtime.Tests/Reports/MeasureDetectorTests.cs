using Microsoft.ML.Data;

namespace Microsoft.ML.Distillation.Tests.Reports;

public class MeasureDetectorTests
{
    private readonly MLContext _context = new(1);
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void Measurement_ReadsImagesByTheirPaths_AndCountsWhatIsFound()
    {
        using ObjectDetector detector = ObjectDetector.Of(ToyDetector.Model(), "toy");
        DetectorMeasurement measured = _context.MeasureDetector(detector, TestSet());

        Assert.That(measured.Metrics.AveragePrecision, Is.EqualTo(1).Within(1e-6));
        Assert.That(measured.Metrics.Images, Is.EqualTo(2));
        Assert.That(measured.Found.Select(found => found.Count), Is.EqualTo(new[] { 1, 1 }));
        Assert.That(measured.Found[1][0].Label, Is.EqualTo("green"));
        Assert.That(measured.Milliseconds, Is.Positive);
        Assert.That((measured.Parameters, measured.Bytes), Is.EqualTo(((long?)0, detector.Bytes)));
    }

    [Test]
    public void Report_ShowsMeasuredAndUnmeasuredDetectors_SeedsAndTestImages()
    {
        using ObjectDetector detector = ObjectDetector.Of(ToyDetector.Model(), "toy");
        DetectorMeasurement measured = _context.MeasureDetector(detector, TestSet());
        string path = _folder.Sub("report.html");
        _context.SaveReport(
            path,
            [
                new ReportedDetector("the teacher", DetectorRole.Teacher, detector),
                new ReportedDetector("the student", DetectorRole.Distilled,
                    measured) { Seeds = [new SeedFigures(7, .5, .6, .5), new SeedFigures(8, .7, .8, .7)] },
            ],
            new DetectorReportOptions { Title = "Toys", TestSet = TestSet(), Command = "make-report" });

        string html = File.ReadAllText(path);
        Assert.That(html, Does.Contain("Toys").And.Contain("the teacher").And.Contain("the student").And.Contain("make-report").And
            .Contain("red.png"));
        Assert.That(() => _context.SaveReport(path, []), Throws.ArgumentException);
    }

    [Test]
    public void TestSetWithoutImagesAndPaths_IsRefused()
    {
        using ObjectDetector detector = ObjectDetector.Of(ToyDetector.Model(), "toy");
        IDataView data = _context.Data.LoadFromEnumerable(new[] { new { Label = new[] { "red" }, BoundingBoxes = new float[4] } });
        Assert.That(() => _context.MeasureDetector(detector, data), Throws.ArgumentException.With.Message.Contains("ImagePath"));
    }

    [Test]
    public void CocoFiles_AreMeasured_AndWhatIsLeftOutIsSaid()
    {
        string truth = _folder.Write("truth.json", """
            {"images":[{"id":1,"file_name":"a.png","width":40,"height":20}],"categories":[{"id":1,"name":"red"}],
             "annotations":[{"id":1,"image_id":1,"category_id":1,"bbox":[10,10,10,5],"area":50,"iscrowd":0}]}
            """);
        string found = _folder.Write("found.json", """
            [{"image_id":1,"category_id":1,"bbox":[10,10,10,5],"score":0.9},{"image_id":2,"category_id":1,"bbox":[0,0,1,1],"score":0.5}]
            """);
        CocoFileEvaluation evaluation = _context.EvaluateCocoFiles(truth, found);
        Assert.That(evaluation.Metrics.AveragePrecision, Is.EqualTo(1).Within(1e-6));
        Assert.That(evaluation.Warnings, Has.Count.EqualTo(1).And.Some.Contains("images"));
    }

    private IDataView TestSet() => _context.Data.LoadFromEnumerable(new[]
    {
        Row("red.png", "red", (1, 2), [10, 10, 20, 15]),
        Row("green.png", "green", (3, 0), [30, 0, 40, 5]),
    });

    private TestRow Row(string name, string colour, (int Column, int Row) cell, float[] box)
    {
        string path = _folder.Sub(name);
        using MLImage image = ToyDetector.Image(40, 20, (cell.Column, cell.Row, colour));
        image.Save(path);
        return new TestRow { ImagePath = path, Label = [colour], BoundingBoxes = box };
    }

    private sealed class TestRow
    {
        public string ImagePath { get; set; } = "";

        public string[] Label { get; set; } = [];

        public float[] BoundingBoxes { get; set; } = [];
    }
}
