using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Tensors;

namespace Microsoft.ML.Distillation.Tests.Data;

/// <summary>What bad data is answered with: an error that names row and column, or a warning with a count.</summary>
public class InvalidSampleTests
{
    private static readonly RgbImage Picture = DrawnImages.Noise(20, 10);
    private static readonly IngestRow Good = new(Picture, ["cat"], [0, 0, 10, 5]);
    private readonly MLContext _mlContext = new(seed: 1);

    private static IEnumerable<TestCaseData> BadBoxes()
    {
        yield return Bad("no area", 5, 5, 5, 8);
        yield return Bad("no area", 5, 5, 3, 8);
        yield return Bad("outside the image of 20×10 pixels", 30, 2, 40, 8);
        yield return Bad("outside the image", 20, 2, 21, 8);
        yield return Bad("outside the image", -9, -9, -1, -1);
        yield return Bad("no number", float.NaN, 0, 5, 5);
        yield return Bad("no number", 0, 0, float.PositiveInfinity, 5);

        static TestCaseData Bad(string problem, params float[] box) => new(problem, box);
    }

    [TestCaseSource(nameof(BadBoxes))]
    public void BadBox_IsAnError_ThatNamesRowColumnAndBox(string problem, float[] box)
    {
        var bad = new IngestRow(Picture, ["cat", "cat"], [0, 0, 5, 5, .. box]);
        string message = ErrorOf(Good, bad);
        Assert.That(message, Does.StartWith($"Row 1, column 'BoundingBoxes': box 1, {BoxCheck.Text(box)}, ").And.Contain(problem).And
            .Contain("OnInvalidSample = Skip"));
    }

    [TestCaseSource(nameof(BadBoxes))]
    public void BadBox_IsLeftOut_AndCounted(string problem, float[] box)
    {
        (SampleStore store, string warning) = Skip(new IngestRow(Picture, ["dog", "cat"], [.. box, 0, 0, 5, 5]), Good);
        using SampleStore _ = store;
        Assert.That(store.Count, Is.EqualTo(2));
        Assert.That(store.AnnotationOf(0).Labels.Select(label => store.ClassNames[label]), Is.EqualTo(new[] { "cat" }));
        Assert.That(store.AnnotationOf(0).Boxes, Is.EqualTo(new[] { 0, 0, 0.25f, 0.5f }));
        Assert.That(warning, Does.StartWith("Invalid samples: 1 box left out. The first: Row 0, ").And.Contain(problem));
    }

    [Test]
    public void BoxThatReachesOut_IsAnError_OrCutOff()
    {
        var bad = new IngestRow(Picture, ["cat"], [10, 5, 30, 8]);
        Assert.That(ErrorOf(bad), Does.Contain("outside"));
        (SampleStore store, string warning) = Skip(bad);
        using SampleStore _ = store;
        Assert.That(store.AnnotationOf(0).Boxes, Is.EqualTo(new[] { 0.5f, 0.5f, 1, 0.8f }).Within(1e-6));
        Assert.That(warning, Does.Contain("1 box cut off"));
    }

    [Test]
    public void ImageWhoseEveryBoxIsBad_IsNotBackground()
    {
        (SampleStore store, string warning) = Skip(Good, new IngestRow(Picture, ["cat", "cat"], [5, 5, 5, 5, 6, 6, 6, 6]));
        using SampleStore _ = store;
        Assert.That(store.Count, Is.EqualTo(1));
        Assert.That(warning, Does.StartWith("Invalid samples: 1 image left out, 2 boxes left out."));
    }

    [Test]
    public void UnknownLabel_IsNamed_OrLeftOut()
    {
        var bad = new IngestRow(Picture, ["cat", null], [0, 0, 5, 5, 1, 1, 5, 5]);
        Assert.That(ErrorOf(bad), Does.StartWith("Row 0, column 'Label': the label of object 1 is unknown (none of: cat)."));
        (SampleStore store, string warning) = Skip(bad);
        using SampleStore _ = store;
        Assert.That(store.AnnotationOf(0).Count, Is.EqualTo(1));
        Assert.That(warning, Does.Contain("1 box left out"));
    }

    [Test]
    public void LabelThatIsNoneOfTheTrainedClasses_IsNamed()
        => Assert.That(
            ErrorOf(new DataViewIngestOptions { ClassNames = ["dog"] }, Good),
            Does.StartWith("Row 0, column 'Label': the label 'cat' of object 0 is none of the classes"));

    [Test]
    public void CountsThatDiffer_AreAnError_OrLeaveTheImageOut()
    {
        var bad = new IngestRow(Picture, ["cat", "cat"], [0, 0, 5, 5]);
        Assert.That(ErrorOf(Good, Good, bad),
            Does.StartWith("Row 2: column 'BoundingBoxes' has 4 values, but 2 labels in column 'Label' need 8"));
        (SampleStore store, string warning) = Skip(Good, bad);
        using SampleStore _ = store;
        Assert.That(store.Count, Is.EqualTo(1));
        Assert.That(warning, Does.Contain("1 image left out"));
    }

    [Test]
    public void MissingImage_IsAnError_OrLeftOut()
    {
        var bad = new IngestRow(null, ["cat"], [0, 0, 5, 5]);
        Assert.That(ErrorOf(bad), Does.StartWith("Row 0, column 'Image': there is no image."));
        (SampleStore store, string warning) = Skip(bad, Good);
        using SampleStore _ = store;
        Assert.That(store.Count, Is.EqualTo(1));
        Assert.That(warning, Does.Contain("1 image left out"));
    }

    [Test]
    public void GoodData_GivesNoWarning()
    {
        using SampleStore store = new DataViewIngest(new() { OnInvalidSample = InvalidSampleHandling.Skip, Warn = _ => Assert.Fail() })
            .Read(IngestRow.View(_mlContext, [Good]));
        Assert.That(store.Count, Is.EqualTo(1));
    }

    [Test]
    public void EmptyDataSet_IsAnError()
        => Assert.That(ErrorOf([]), Does.Contain("The data set is empty"));

    [Test]
    public void DataSetWithNothingUsable_IsAnError_EvenWhenSkipping()
    {
        var options = new DataViewIngestOptions { OnInvalidSample = InvalidSampleHandling.Skip };
        Assert.That(ErrorOf(options, new IngestRow(null, ["cat"], [0, 0, 5, 5])),
            Does.Contain("no image that can be used").And.Contain("Row 0"));
    }

    [Test]
    public void FileThatIsMissingOrBroken_IsNamed()
    {
        using var folder = new TemporaryFolder();
        string broken = folder.Write("broken.jpg", "no picture");
        string missing = Path.Combine(folder.Path, "missing.jpg");
        DrawnImages.Save(Picture, folder.Sub("good.png"));
        foreach (string name in (string[])["broken", "missing", "good"]) folder.Write($"{name}.xml", "<annotation/>");

        Assert.That(() => Read(folder.Path, new()), Throws.TypeOf<InvalidDataException>().With.Message
            .StartsWith($"Row 0 ('{broken}'), column 'Image': the image cannot be read"));
        File.Delete(Path.Combine(folder.Path, "broken.xml"));
        Assert.That(() => Read(folder.Path, new()), Throws.TypeOf<InvalidDataException>().With.Message
            .StartsWith($"Row 1 ('{missing}'), column 'Image': the file does not exist"));

        string? warning = null;
        using SampleStore store = Read(folder.Path, new() { OnInvalidSample = InvalidSampleHandling.Skip, Warn = text => warning = text });
        Assert.That(store.Count, Is.EqualTo(1));
        Assert.That(store.Read(0).Pixels, Is.EqualTo(Picture.Pixels));
        Assert.That(warning, Does.Contain("1 image left out").And.Contain(missing));
    }

    [TestCase(".jpg")]
    [TestCase(".png")]
    public void FileThatEndsEarly_IsNoImage_ThoughTheDecoderFillsItUp(string extension)
    {
        using var folder = new TemporaryFolder();
        string cut = folder.Sub($"cut{extension}");
        DrawnImages.Save(DrawnImages.Noise(64, 64), cut);
        folder.Write("cut.xml", "<annotation/>");
        using (SampleStore whole = Read(folder.Path, new())) Assert.That(whole.Count, Is.EqualTo(1));

        byte[] content = File.ReadAllBytes(cut);
        File.WriteAllBytes(cut, content[..^100]);
        string message = Assert.Throws<InvalidDataException>(() => Read(folder.Path, new()).Dispose())!.Message;
        Assert.That(message, Does.StartWith($"Row 0 ('{cut}'), column 'Image': the image cannot be read"));

        // A PNG's decoder may notice by itself.
        if (extension == ".jpg") Assert.That(message, Does.Contain(UnreadableImageException.EndsEarly));
    }

    [Test]
    public void MissingColumn_IsNamed_WithThoseThatExist()
        => Assert.That(
            () => new DataViewIngest(new() { BoundingBoxColumnName = "Boxes" }).Read(IngestRow.View(_mlContext, [Good])),
            Throws.ArgumentException.With.Message.Contains("no column 'Boxes'").And.Message.Contains("BoundingBoxes"));

    [TestCase("Image", "ImagePath", "LoadUprightImages")]
    [TestCase("Label", "Text", "MapValueToKey")]
    [TestCase("Label", "Number", "MapValueToKey")]
    [TestCase("BoundingBoxes", "Text", "ConvertType")]
    [TestCase("BoundingBoxes", "Number", "vector of Single")]
    public void ColumnOfAWrongType_IsNamed_WithWhatToDo(string column, string other, string advice)
    {
        IDataView view = IngestRow.View(_mlContext, [Good]);
        IDataView others = _mlContext.Data.LoadFromEnumerable(new[] { new OtherTypes() });
        DataViewIngestOptions options = new()
        {
            ImageColumnName = column == "Image" ? other : "Image",
            LabelColumnName = column == "Label" ? other : "Label",
            BoundingBoxColumnName = column == "BoundingBoxes" ? other : "BoundingBoxes",
        };
        Assert.That(
            () => new DataViewIngest(options).Read(new SideBySide(view, others)),
            Throws.ArgumentException.With.Message.StartsWith($"Column '{other}' is of type ").And.Message.Contains(advice));
    }

    [Test]
    public void KeysWithoutNames_AreAnError()
    {
        IDataView others = _mlContext.Data.LoadFromEnumerable(new[] { new OtherTypes() });
        Assert.That(
            () => new DataViewIngest(new() { LabelColumnName = "Nameless" })
                .Read(new SideBySide(IngestRow.View(_mlContext, [Good]), others)),
            Throws.ArgumentException.With.Message.Contains("'Nameless' have no names"));
    }

    private SampleStore Read(string folder, DataViewIngestOptions options)
    {
        IDataView view = _mlContext.Data.LoadDetections(folder, allowMissingImages: true);
        IDataView names = _mlContext.Data.LoadFromEnumerable(new[] { new OneName() });
        view = _mlContext.Transforms.LoadImages("Image", null, "ImagePath")
            .Append(_mlContext.Transforms.Conversion.MapValueToKey("Label", keyData: names)).Fit(view).Transform(view);
        return new DataViewIngest(options).Read(view);
    }

    private string ErrorOf(params IngestRow[] rows) => ErrorOf(new DataViewIngestOptions(), rows);

    private string ErrorOf(DataViewIngestOptions options, params IngestRow[] rows)
        => Assert.Throws<InvalidDataException>(() => new DataViewIngest(options).Read(IngestRow.View(_mlContext, rows)).Dispose())!.Message;

    private (SampleStore Store, string Warning) Skip(params IngestRow[] rows)
    {
        var warnings = new List<string>();
        var options = new DataViewIngestOptions { OnInvalidSample = InvalidSampleHandling.Skip, Warn = warnings.Add };
        SampleStore store = new DataViewIngest(options).Read(IngestRow.View(_mlContext, rows));
        return (store, warnings.Single());
    }

    private sealed class OneName
    {
        public string Label { get; set; } = "cat";
    }

    private sealed class OtherTypes
    {
        public string ImagePath { get; set; } = "a.jpg";

        public string[] Text { get; set; } = ["cat"];

        public float Number { get; set; }

        [KeyType(3)]
        public uint[] Nameless { get; set; } = [1];
    }

    /// <summary>The columns of two views; only its schema is read.</summary>
    private sealed class SideBySide : IDataView
    {
        public SideBySide(IDataView one, IDataView other)
        {
            var builder = new DataViewSchema.Builder();
            foreach (DataViewSchema.Column column in one.Schema.Concat(other.Schema)) builder
                .AddColumn(column.Name, column.Type, column.Annotations);
            Schema = builder.ToSchema();
        }

        public bool CanShuffle => false;

        public DataViewSchema Schema { get; }

        public long? GetRowCount() => null;

        public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
            => throw new NotSupportedException();

        public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
            => throw new NotSupportedException();
    }
}
