using Microsoft.ML.Distillation.Evaluation;
using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Tests.Rows;

public class RowReaderTests
{
    private readonly MLContext _mlContext = new();

    [Test]
    public void MissingColumn_IsNamed_WithWhatItMustBe_WhatToDo_AndWhatIsThere()
    {
        string message = ErrorOf(new RowColumns { Image = "Photo" });
        Assert.That(message, Is.EqualTo(
            "The data have no column 'Photo', which must be an image (MLImage). Load images with mlContext.Transforms.LoadUprightImages. "
            + "They have: 'ImagePath' (String), 'Label' (Vector<String>), 'BoundingBoxes' (Vector<Single>), 'Difficult' (Vector<Boolean>), "
            + "'Crowd' (Vector<Boolean>), "
            + "'Ignore' (Vector<Boolean>), 'Truncated' (Vector<Single>), 'Occluded' (Vector<Int32>), 'Area' (Vector<Single>), "
            + "'LabelScore' (Vector<Single>), 'ImageWidth' (Int32), 'ImageHeight' (Int32)."));
        Assert.That(
            ErrorOf(new RowColumns { Image = "Photo", Option = "TestSet" }), Does.StartWith("TestSet: the data have no column 'Photo'"));
    }

    [Test]
    public void ColumnOfAnotherType_IsNamed_WithItsType_WhatItMustBe_AndWhatToDo()
    {
        Assert.That(ErrorOf(new RowColumns { Label = "Area" }), Is.EqualTo(
            "Column 'Area' is of type Vector<Single>, but must be a vector of keys (UInt32) or of text, one for each object. "
            + "Make keys of names with mlContext.Transforms.Conversion.MapValueToKey."));
        (RowColumns Columns, string Wanted)[] others =
        [
            (new RowColumns { Image = "ImagePath" }, "an image"),
            (new RowColumns { Label = "Label", LabelKind = ColumnKind.Keys }, "a vector of keys (UInt32), one"),
            (new RowColumns { BoundingBoxes = "Label" }, "x0 y0 x1 y1"),
            (new RowColumns { Score = "Occluded" }, "a vector of Single, one"),
            (new RowColumns { PredictedLabel = "Crowd" }, "keys (UInt32) or of text"),
            (new RowColumns { PredictedBoundingBoxes = "ImagePath" }, "x0 y0 x1 y1"),
        ];
        foreach ((RowColumns columns, string wanted) in others)
            Assert.That(ErrorOf(columns), Does.Contain("is of type").And.Contain(wanted).And.Contain("mlContext.Transforms."));
    }

    [Test]
    public void Image_IsNotDecoded_WhereOnlyObjectsAreAskedFor()
    {
        using var folder = new TemporaryFolder();
        string broken = folder.Write("broken.jpg", "no picture"), missing = Path.Combine(folder.Path, "missing.jpg");
        IDataView view = _mlContext.Data.LoadFromEnumerable([Row(broken), Row(missing)]);
        view = _mlContext.Transforms.LoadImages("Image", null, "ImagePath").Fit(view).Transform(view);
        using var rows = new RowReader(view, new RowColumns { Image = "Image", Label = "Label", BoundingBoxes = "BoundingBoxes" });
        Assert.That(rows.MoveNext());
        Assert.That(rows.ReadObjects().Labels, Is.EqualTo(new[] { "cat" }));
        Assert.That(rows.ReadImage,
            Throws.TypeOf<InvalidDataException>().With.Message.StartsWith($"Row 0 ('{broken}'), column 'Image': the image cannot be read"));
        Assert.That(rows.MoveNext());
        Assert.That(rows.ReadImage,
            Throws.TypeOf<InvalidDataException>().With.Message.EqualTo($"Row 1 ('{missing}'), column 'Image': the file does not exist."));
        Assert.That(rows.MoveNext(), Is.False);
    }

    [Test]
    public void Details_AreReadWhereTheyAreAskedFor()
    {
        DetectionRow row = new(new AnnotatedImage("a.png", null, [new AnnotatedObject("cat", 1, 2, 3, 4) { Crowd = true, Occluded = 2 }]));
        IDataView view = _mlContext.Data.LoadFromEnumerable([row]);
        var columns = new RowColumns { Label = "Label", BoundingBoxes = "BoundingBoxes" };
        using RowReader all = new(view, columns with { Details = RowColumns.AllDetails }), none = new(view, columns);
        Assert.That(all.MoveNext() && none.MoveNext());
        TrueBox read = all.ReadObjects().ToTruth(new ClassIndex()).Single();
        Assert.That((read.Box, read.Crowd, read.Occlusion, read.Area), Is.EqualTo((new Box(1, 2, 3, 4), true, 2, 4.0)));
        Assert.That(none.ReadObjects(), Has.Property("Crowd").Null.And.Property("Area").Null);
    }

    private static DetectionRow Row(string path) => new(new AnnotatedImage(path, null, [new AnnotatedObject("cat", 1, 2, 3, 4)]));

    private string ErrorOf(RowColumns columns)
    {
        IDataView view = _mlContext.Data.LoadFromEnumerable([Row("a.png")]);
        return Assert.Throws<ArgumentException>(() => new RowReader(view, columns).Dispose())!.Message;
    }
}
