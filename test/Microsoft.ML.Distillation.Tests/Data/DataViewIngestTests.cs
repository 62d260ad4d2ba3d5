using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Tensors;

namespace Microsoft.ML.Distillation.Tests.Data;

/// <summary>What a good data view becomes.</summary>
public class DataViewIngestTests
{
    private readonly MLContext _mlContext = new(seed: 1);

    [Test]
    public void Boxes_BecomeShares_AndLabelsIndices()
    {
        var rows = new IngestRow[] { new(DrawnImages.Noise(20, 10), ["dog", "cat"], [0, 0, 10, 5, 5, 2, 20, 10]),
            new(DrawnImages.Noise(8, 8), [], []) };
        using SampleStore store = new DataViewIngest(new()).Read(IngestRow.View(_mlContext, rows));
        Assert.That(store.ClassNames, Is.EqualTo(new[] { "dog", "cat" }));
        Assert.That(store.Count, Is.EqualTo(2));
        Assert.That(store.AnnotationOf(0).Boxes, Is.EqualTo(new[] { 0, 0, 0.5f, 0.5f, 0.25f, 0.2f, 1, 1 }).Within(1e-6));
        Assert.That(store.AnnotationOf(0).Labels, Is.EqualTo(new[] { 0, 1 }));
        Assert.That(store.AnnotationOf(1).Count, Is.Zero);
        Assert.That(store.Read(0).Pixels, Is.EqualTo(DrawnImages.Noise(20, 10).Pixels));
    }

    [TestCase(MLPixelFormat.Bgra32)]
    [TestCase(MLPixelFormat.Rgba32)]
    public void BothLayouts_OfPixels_GiveTheSameColours(MLPixelFormat format)
    {
        RgbImage image = DrawnImages.Noise(9, 7);
        using MLImage mlImage = DrawnImages.ToMLImage(image, format);
        Assert.That(MLImagePixels.ToRgb(mlImage).Pixels, Is.EqualTo(image.Pixels));
    }

    [Test]
    public void Columns_MayHaveOtherNames()
    {
        IDataView view = IngestRow.View(_mlContext, [new(DrawnImages.Noise(20, 10), ["cat"], [0, 0, 10, 5])]);
        view = _mlContext.Transforms.CopyColumns("Picture", "Image").Append(_mlContext.Transforms.CopyColumns("Kinds", "Label"))
            .Append(_mlContext.Transforms.CopyColumns("Places", "BoundingBoxes"))
                .Append(_mlContext.Transforms.DropColumns("Image", "Label", "BoundingBoxes"))
            .Fit(view).Transform(view);
        var options = new DataViewIngestOptions
        {
            ImageColumnName = "Picture",
            LabelColumnName = "Kinds",
            BoundingBoxColumnName = "Places"
        };
        using SampleStore store = new DataViewIngest(options).Read(view);
        Assert.That(store.AnnotationOf(0).Count, Is.EqualTo(1));
    }

    [Test]
    public void Labels_AreMappedByName_OntoGivenClasses()
    {
        IDataView view = IngestRow.View(_mlContext, [new(DrawnImages.Noise(20, 10), ["dog", "cat"], [0, 0, 10, 5, 0, 0, 10, 5])]);
        using SampleStore store = new DataViewIngest(new() { ClassNames = ["bird", "cat", "dog"] }).Read(view);
        Assert.That(store.ClassNames, Is.EqualTo(new[] { "bird", "cat", "dog" }));
        Assert.That(store.AnnotationOf(0).Labels, Is.EqualTo(new[] { 2, 1 }));
    }

    [Test]
    public void Box_APixelOutside_IsCutOff()
    {
        using SampleStore store = new DataViewIngest(new())
            .Read(IngestRow.View(_mlContext, [new(DrawnImages.Noise(20, 10), ["cat"], [-1, 0, 21, 10.5f])]));
        Assert.That(store.AnnotationOf(0).Boxes, Is.EqualTo(new float[] { 0, 0, 1, 1 }));
    }

    [Test]
    public void Images_BeyondTheCache_GoToTheTemporaryFolder()
    {
        using var folder = new TemporaryFolder();
        IngestRow[] rows = [.. Enumerable.Range(0, 4).Select(i => new IngestRow(DrawnImages.Noise(20, 10, i), ["cat"], [0, 0, 10, 5]))];
        var warnings = new List<string>();
        using SampleStore store = new DataViewIngest(new() { CacheBytes = 1300, TemporaryFolder = folder.Path, Warn = warnings.Add })
            .Read(IngestRow.View(_mlContext, rows));
        Assert.That(store.SpilledCount, Is.EqualTo(2));
        Assert.That(warnings.Single(), Does.Contain(folder.Path).And.Contain("TemporaryFolder").And.Contain("LoadUprightImages"));
        Assert.That(store.Read(3).Pixels, Is.EqualTo(DrawnImages.Noise(20, 10, 3).Pixels));
    }

    [Test]
    public void Cancellation_StopsReading()
    {
        using var cancellation = new CancellationTokenSource();
        cancellation.Cancel();
        IDataView view = IngestRow.View(_mlContext, [new(DrawnImages.Noise(20, 10), ["cat"], [0, 0, 10, 5])]);
        Assert.That(() => new DataViewIngest(new()).Read(view, cancellation.Token), Throws.InstanceOf<OperationCanceledException>());
    }

    [TestCase("train", 205, "BloodImage_00343", "(181, 329, 181, 329)")]
    [TestCase("val", 87, "BloodImage_00338", "(504, 337, 504, 337)")]
    public void BloodCells_HaveABoxWithoutArea(string split, int count, string image, string box)
    {
        IDataView view = Load("bccd", split);
        Assert.That(
            () => new DataViewIngest(new()).Read(view),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains(image).And.Message.Contains(box).And.Message.Contains("no area"));

        var warnings = new List<string>();
        using SampleStore store = new DataViewIngest(new() { OnInvalidSample = InvalidSampleHandling.Skip, Warn = warnings.Add })
            .Read(view);
        Assert.That(store.Count, Is.EqualTo(count));
        Assert.That(store.SizeOf(0), Is.EqualTo(new ImageSize(640, 480)));
        Assert.That(warnings.Single(), Does.StartWith("Invalid samples: 1 box left out.").And.Contain(image));
    }

    [Test]
    public void Cards_AreReadWhole_WithALimitOnMemory()
    {
        using SampleStore store = new DataViewIngest(new() { CacheBytes = 10 << 20 }).Read(Load("cards", "test"));
        Assert.That(store.Count, Is.EqualTo(67));
        // LoadImages gives what is in the files, so that these take the place of a temporary one.
        Assert.That(store.SpilledCount, Is.Zero);
        Assert.That(store.CachedCount, Is.InRange(1, 66));
        Assert.That(DataStatistics.Of(store).Boxes, Is.EqualTo(143));
        Assert.That(store.ClassNames, Has.Count.EqualTo(6));
        ImageSize[] annotated = [.. PascalVocReader.Read(TestData.Folder("cards"), "test").Select(image => image.Size!.Value)];
        Assert.That(Enumerable.Range(0, store.Count).Select(store.SizeOf), Is.EqualTo(annotated));
    }

    [Test]
    public void ImagesOfLoadUprightImages_AreNotDecodedBeforehand()
    {
        using var folder = new DrawnFolder(train: 5, val: 0, test: 0);
        IDataView view = Upright(_mlContext.Data.LoadDetections(folder.Path, split: "train"));
        // Its header is whole: nothing else is looked at.
        SampleStoreTests.Cut(folder.Image(3));
        using SampleStore store = new DataViewIngest(new()).Read(view);
        Assert.That(store.Count, Is.EqualTo(5));
        Assert.That(store.CachedCount + store.SpilledCount, Is.Zero);
        Assert.That(store.SizeOf(3), Is.EqualTo(new ImageSize(120, 90)));
        Assert.That(store.Read(2).Pixels, Is.EqualTo(ImageFile.Read(folder.Image(2)).Pixels));
        Assert.That(() => store.TryRead(3), Throws.TypeOf<InvalidDataException>().With.Message.StartsWith($"Row 3 ('{folder.Image(3)}')"));
        Assert.That(store.CachedCount, Is.EqualTo(1));
    }

    [Test]
    public void PathsThatNoLongerLeadToTheImages_AreNotFollowed()
    {
        using var folder = new DrawnFolder(train: 3, val: 0, test: 0);
        IDataView view = Upright(_mlContext.Data.LoadDetections(folder.Path, split: "train"));
        string other = folder.Image(0);
        // With the column of paths that the images were read by still there, if hidden, and without it.
        view = _mlContext.Transforms.Expression("ImagePath", $"x => \"{other}\"", "ImagePath").Fit(view).Transform(view);
        IDataView first = _mlContext.Transforms.SelectColumns("ImagePath", "Image", "Label", "BoundingBoxes").Fit(view).Transform(view);
        // The first image is that of the path, by chance; so it is left out.
        foreach (IDataView overwritten in (IDataView[])[view, _mlContext.Data.SkipRows(first, 1)])
        {
            using SampleStore store = new DataViewIngest(new() { CacheBytes = 0 }).Read(overwritten);
            Assert.That(store.Read(store.Count - 1).Pixels, Is.EqualTo(ImageFile.Read(folder.Image(2)).Pixels));
        }
    }

    [Test]
    public void ImagesChangedAfterLoading_AreThoseOfTheColumn()
    {
        using var folder = new DrawnFolder(train: 3, val: 0, test: 0);
        IDataView view = Upright(_mlContext.Data.LoadDetections(folder.Path, split: "train"));
        view = _mlContext.Transforms.ResizeImages("Image", 60, 45).Fit(view).Transform(view);
        using SampleStore store = new DataViewIngest(new() { CacheBytes = 0, OnInvalidSample = InvalidSampleHandling.Skip }).Read(view);
        Assert.That(store.SizeOf(0), Is.EqualTo(new ImageSize(60, 45)));
        Assert.That(store.SpilledCount, Is.EqualTo(store.Count));
    }

    private IDataView Upright(IDataView view)
        => _mlContext.Transforms.LoadUprightImages("Image", inputColumnName: "ImagePath")
            .Append(_mlContext.Transforms.Conversion.MapValueToKey("Label")).Fit(view).Transform(view);

    private IDataView Load(string folder, string split)
    {
        IDataView view = _mlContext.Data.LoadDetections(TestData.Folder(folder), split: split);
        return _mlContext.Transforms.LoadImages("Image", null, "ImagePath").Append(_mlContext.Transforms.Conversion.MapValueToKey("Label"))
            .Fit(view).Transform(view);
    }
}
