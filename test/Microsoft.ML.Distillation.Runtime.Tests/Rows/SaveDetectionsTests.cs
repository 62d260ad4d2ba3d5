using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Drawing;

namespace Microsoft.ML.Distillation.Tests.Rows;

public class SaveDetectionsTests
{
    private const string Coco = """
        {"images":[{"id":1,"file_name":"a.png","width":90,"height":60},{"id":2,"file_name":"b.png","width":90,"height":60}],
        "categories":[{"id":1,"name":"cat"},{"id":2,"name":"dog"}],
        "annotations":[{"id":1,"image_id":1,"category_id":2,"bbox":[1.5,2,30,40],"area":1200,"iscrowd":0},
        {"id":2,"image_id":1,"category_id":1,"bbox":[5,6,7,8],"area":20,"iscrowd":1,"attributes":{"difficult":true,"occluded":2}}]}
        """;

    private readonly MLContext _context = new();
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void MakeFolder()
    {
        _folder = new TemporaryFolder();
        _folder.Write("from/annotations/instances_train.json", Coco);
    }

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    private IDataView Loaded => _context.Data.LoadDetections(_folder.Sub("from"), DetectionFormat.Coco, allowMissingImages: true);

    [Test]
    public void WhatWasLoaded_IsSavedWithAllThatTheFormatKnows()
    {
        WrittenAnnotations written = _context.Data.SaveDetections(Loaded, _folder.Sub("to"), DetectionFormat.Coco, split: "train");
        Assert.That(written, Is.EqualTo(new WrittenAnnotations(2, 2, 0)));
        string json = File.ReadAllText(_folder.Sub("to/annotations/instances_train.json"));
        Assert.That(json, Does.Contain("\"bbox\":[1.5,2,30,40],\"area\":1200,\"iscrowd\":0"));
        Assert.That(json, Does.Contain("\"area\":20,\"iscrowd\":1,\"attributes\":{\"difficult\":true,\"occluded\":2}"));
        Assert.That(json, Does.Contain("\"width\":90,\"height\":60"), "the size that the annotation gave, as there is no image");
        Assert.That(_context.Data.HasDetectionSplit(_folder.Sub("to"), DetectionFormat.Coco, "train"));
        Assert.That(_context.Data.HasDetectionSplit(_folder.Sub("to"), DetectionFormat.Coco, "test"), Is.False);
    }

    [Test]
    public void LabelsThatAreKeys_AreSavedByTheirNames()
    {
        IDataView keys = _context.Transforms.Conversion.MapValueToKey("Label").Fit(Loaded).Transform(Loaded);
        _context.Data.SaveDetections(keys, _folder.Sub("voc"), DetectionFormat.PascalVoc);
        Assert.That(File.ReadAllText(_folder.Sub("voc/Annotations/a.xml")),
            Does.Contain("<name>dog</name>").And.Contain("<name>cat</name>"));
    }

    [Test]
    public void ThreeColumnsAreEnough_AndEachOfThemIsNeeded()
    {
        IDataView bare = _context.Transforms.SelectColumns("ImagePath", "ImageWidth", "ImageHeight", "Label", "BoundingBoxes").Fit(Loaded)
            .Transform(Loaded);
        Assert.That(_context.Data.SaveDetections(bare, _folder.Sub("to"), DetectionFormat.Coco).Objects, Is.EqualTo(2));
        IDataView without = _context.Transforms.DropColumns("BoundingBoxes").Fit(Loaded).Transform(Loaded);
        Assert.That(
            () => _context.Data.SaveDetections(without, _folder.Sub("other"), DetectionFormat.Coco),
            Throws.ArgumentException.With.Message.Contains("'BoundingBoxes'"));
        Assert.That(Directory.Exists(_folder.Sub("other")), Is.False);
    }

    [Test]
    public void RowWithTooFewBoxes_IsNamed_AndNothingIsWritten()
    {
        IDataView rows = _context.Data
            .LoadFromEnumerable([new Row { ImagePath = "x.png", Label = ["cat"], BoundingBoxes = [1, 2, 3], LabelScore = [1] }]);
        Assert.That(
            () => _context.Data.SaveDetections(rows, _folder.Sub("to"), DetectionFormat.Coco),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("'x.png'"));
        Assert.That(Directory.EnumerateFiles(_folder.Sub("to"), "*", SearchOption.AllDirectories), Is.Empty);
    }

    /// <summary>One label of a teacher, one of a person, one of a teacher that is hardly sure.</summary>
    [TestCase(DetectionFormat.Coco)]
    [TestCase(DetectionFormat.PascalVoc)]
    [TestCase(DetectionFormat.Yolo)]
    public void LabelsOfATeacher_KeepTheirScores_WhichAreReadBack(DetectionFormat format)
    {
        float[] scores = SavedScores(format);
        Assert.That(scores, Is.EqualTo(new[] { 0.75f, float.NaN, 1e-3f }));
        if (format == DetectionFormat.Yolo) return;
        string ending = format == DetectionFormat.Coco ? "*.json" : "*.xml";
        string file = Directory.GetFiles(_folder.Sub("to"), ending, SearchOption.AllDirectories).Single();
        Assert.That(File.ReadAllText(file), Does.Match("(\"score\":|<score>)0.75"));
    }

    [Test]
    public void YoloLabels_KeepTheirFiveColumns_AndScoresStandBesideThem()
    {
        SavedScores(DetectionFormat.Yolo);
        Assert.That(File.ReadAllLines(_folder.Sub("to/labels/train/x.txt")).Select(line => line.Split(' ').Length),
            Is.EqualTo(new[] { 5, 5, 5 }));
        Assert.That(File.ReadAllLines(_folder.Sub("to/scores/train/x.txt")).Select(line => line.Split(' ')[^1]),
            Is.EqualTo(new[] { "0.75", "0.001" }));
    }

    /// <summary>Of the three boxes the first is moved, the second goes, the third is written with fewer decimals; one is added.</summary>
    [Test]
    public void YoloScores_OfLabelsThatWereChangedSince_AreGone_OthersStay()
    {
        SavedScores(DetectionFormat.Yolo);
        string path = _folder.Sub("to/labels/train/x.txt");
        string[] lines = File.ReadAllLines(path), last = lines[2].Split(' ');
        _folder.Write("to/labels/train/x.txt", $"0 0.5 0.5 0.3 0.3\n{last[0]} "
            + string.Join(' ', last[1..].Select(number => $"{double.Parse(number, CultureInfo.InvariantCulture):0.000000}"))
            + $"\n1 {lines[0][2..]}\n");
        Assert.That(ReadScores(DetectionFormat.Yolo), Is.EqualTo(new[] { float.NaN, 1e-3f, float.NaN }));
        _folder.Write("to/scores/train/x.txt", "0 half\n\n9 1 1 1 1 .5\n\0\n");
        Assert.That(ReadScores(DetectionFormat.Yolo), Is.All.NaN, "what is no score is passed over");
    }

    [Test]
    public void ScoresOfOtherTools_AreRead_AndWhatIsNoneIsPassedOver()
    {
        string[] written = ["<confidence>0.5</confidence>", "<score>0.25</score>", "<score>good</score>", "<score/>"];
        _folder.Write("voc/a.xml", "<annotation>" + string.Concat(written.Select(score => "<object><name>cat</name>" + score
            + "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox></object>")) + "</annotation>");
        Assert.That(_context.Data.LoadDetections(_folder.Sub("voc"), allowMissingImages: true).GetColumn<float[]>("LabelScore").Single(),
            Is.EqualTo(new[] { .5f, .25f, float.NaN, float.NaN }));
        _folder.Write("from/annotations/instances_train.json", Coco.Replace("\"area\":1200", "\"score\":\"0.5\"", StringComparison.Ordinal)
            .Replace("\"area\":20", "\"score\":0.5", StringComparison.Ordinal));
        Assert.That(Loaded.GetColumn<float[]>("LabelScore").First(), Is.EqualTo(new[] { float.NaN, .5f }));
    }

    private float[] SavedScores(DetectionFormat format)
    {
        new Picture(40, 30).Save(_folder.Sub("x.png"));
        IDataView rows = _context.Data.LoadFromEnumerable(
            [new Row { ImagePath = _folder.Sub("x.png"), ImageWidth = 40, ImageHeight = 30, Label = ["cat", "dog", "cat"],
                BoundingBoxes = [1, 2, 3, 4, 1, 2, 3, 4, 7.3f, 8.1f, 20.7f, 29], LabelScore = [0.75f, float.NaN, 1e-3f] }]);
        _context.Data.SaveDetections(rows, _folder.Sub("to"), format, copyImages: true);
        return ReadScores(format);
    }

    private float[] ReadScores(DetectionFormat format) => _context.Data
        .LoadDetections(_folder.Sub("to"), format, allowMissingImages: true).GetColumn<float[]>("LabelScore").Single();

    private sealed class Row
    {
        public string ImagePath { get; set; } = "";

        public string[] Label { get; set; } = [];

        public float[] BoundingBoxes { get; set; } = [];

        public float[] LabelScore { get; set; } = [];

        public int ImageWidth { get; set; }

        public int ImageHeight { get; set; }
    }
}
