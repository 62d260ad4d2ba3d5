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

    [Test]
    public void LabelsOfATeacher_KeepTheirScores()
    {
        IDataView rows = _context.Data.LoadFromEnumerable(
            [new Row { ImagePath = "x.png", ImageWidth = 9, ImageHeight = 9, Label = ["cat"], BoundingBoxes = [1, 2, 3, 4],
                LabelScore = [0.75f] }]);
        _context.Data.SaveDetections(rows, _folder.Sub("to"), DetectionFormat.Coco);
        Assert.That(File.ReadAllText(_folder.Sub("to/annotations/instances_default.json")), Does.Contain("\"score\":0.75"));
    }

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
