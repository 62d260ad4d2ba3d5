using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Tests.Model;

public class LoadUprightImagesTests
{
    private readonly MLContext _mlContext = new();
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void WritePhoto()
    {
        _folder = new TemporaryFolder();
        byte[] jpeg = EncodedImages.Encode(DrawnImages.Noise(40, 20), ".jpg");
        File.WriteAllBytes(At("turned.jpg"), EncodedImages.WithExif(jpeg, 6, jpeg));
        File.WriteAllBytes(At("plain.jpg"), jpeg);
    }

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void Images_StandUpright_AlsoAfterSavingAndLoading()
    {
        IDataView files = Files("turned.jpg", "plain.jpg");
        ITransformer fitted = _mlContext.Transforms.LoadUprightImages("Image", _folder.Path, "File").Fit(files);
        using var saved = new MemoryStream();
        _mlContext.Model.Save(fitted, files.Schema, saved);
        ITransformer loaded = new MLContext().Model.Load(saved, out _);
        foreach (ITransformer model in (ITransformer[])[fitted, loaded])
        {
            IDataView images = model.Transform(files);
            Assert.That(images.Schema.Select(column => column.Name), Is.EqualTo((string[])["File", "Image"]));
            Assert.That(SizesOf(images), Is.EqualTo((string[])["20×40", "40×20"]));
        }
    }

    [Test]
    public void Folder_MayBeCalledAnything()
    {
        string folder = At("a b\"c\\d é {0} 'x' \U0001F600");
        Directory.CreateDirectory(folder);
        File.Copy(At("turned.jpg"), Path.Combine(folder, "x.jpg"));
        Assert.That(SizesOf(Load(Files("x.jpg"), folder)), Is.EqualTo((string[])["20×40"]));
        Assert.That(SizesOf(Load(Files(At("plain.jpg")), folder)), Is.EqualTo((string[])["40×20"]), "a full path is none below the folder");
    }

    [Test]
    public void MissingBrokenAndLargeFiles_AreErrors_ThatNameThem()
    {
        File.WriteAllBytes(At("cut.jpg"), File.ReadAllBytes(At("plain.jpg"))[..^200]);
        Assert.That(() => SizesOf(Load(Files("none.jpg"), _folder.Path)), Throws.InstanceOf<FileNotFoundException>()
            .With.Message.Contains("none.jpg"));
        Assert.That(() => SizesOf(Load(Files("cut.jpg"), _folder.Path)), Throws.InstanceOf<FormatException>()
            .With.Message.Contains("cut.jpg"));
        IDataView small = _mlContext.Transforms.LoadUprightImages("Image", _folder.Path, "File", maxPixels: 799).Fit(Files("a"))
            .Transform(Files("plain.jpg"));
        Assert.That(() => SizesOf(small), Throws.InstanceOf<FormatException>().With.Message.Contains("40×20").And.Message.Contains("799"));
    }

    [Test]
    public void PathsThatAreMissing_AreAnError_ThatNamesTheColumn()
        => Assert.That(() => _mlContext.Transforms.LoadUprightImages("Image", inputColumnName: "Path").Fit(Files("a")),
            Throws.ArgumentException.With.Message.Contains("'Path'"));

    [Test]
    public void Pipeline_KnowsItsColumns_BeforeItIsFitted()
    {
        var pipeline = _mlContext.Transforms.LoadUprightImages("Image", _folder.Path, "File")
            .Append(_mlContext.Transforms.ResizeImages("Small", 10, 10, "Image"));
        IDataView small = pipeline.Fit(Files("turned.jpg")).Transform(Files("turned.jpg"));
        Assert.That(SizesOf(small, "Small"), Is.EqualTo((string[])["10×10"]));
    }

    [Test]
    public void Engine_TakesPaths()
    {
        ITransformer model = _mlContext.Transforms.LoadUprightImages("Image", inputColumnName: "File").Fit(Files("a"));
        using PredictionEngine<FileRow, ImageRow> engine = _mlContext.Model.CreatePredictionEngine<FileRow, ImageRow>(model);
        using MLImage first = engine.Predict(new FileRow { File = At("turned.jpg") }).Image!,
            second = engine.Predict(new FileRow { File = At("plain.jpg") }).Image!;
        Assert.That((first.Width, second.Width), Is.EqualTo((20, 40)), "the first is not taken back by the second");
    }

    [Test]
    public void TurnedPhotos_ThatMachineLearningNetLoads_AreTold_WithTheirCountAndAFile()
    {
        IDataView files = _mlContext.Data.LoadFromEnumerable(
            (PathRow[])[new() { ImagePath = At("plain.jpg") }, new() { ImagePath = At("turned.jpg") },
                new() { ImagePath = At("turned.jpg") }]);
        IDataView stock = _mlContext.Transforms.LoadImages("Image", null, "ImagePath").Fit(files).Transform(files);
        IDataView upright = _mlContext.Transforms.LoadUprightImages("Image", inputColumnName: "ImagePath").Fit(files).Transform(files);
        Assert.That(Told(stock), Does.StartWith("2 of 3 images").And.Contains("turned.jpg").And.Contains("LoadUprightImages"));
        Assert.That(Told(upright), Is.Null);
        Assert.That(Told(_mlContext.Transforms.CopyColumns("Other", "Image").Fit(upright).Transform(upright), "Other"), Is.Null);
    }

    [Test]
    public void TurnedPhotos_AreTold_WhereADetectorIsMeasured()
    {
        var log = new List<string>();
        var context = new MLContext();
        context.Log += (_, e) => log.Add(e.RawMessage);
        IDataView files = context.Data.LoadFromEnumerable((ObjectRow[])[new() { ImagePath = At("turned.jpg") }]);
        IDataView stock = context.Transforms.LoadImages("Image", null, "ImagePath").Fit(files).Transform(files);
        string path = Path.Combine(_folder.Path, "toy.onnx");
        File.WriteAllBytes(path, ToyDetector.Model().ToBytes());
        using ObjectDetector detector = ObjectDetector.Load(path);
        context.MeasureDetector(detector, stock);
        Assert.That(log, Has.Some.StartsWith("1 of 1 image ").And.Some.Contains("turned.jpg"));
    }

    [Test]
    public void HalfTransparentImage_KeepsItsColours_InMachineLearningNetsLoaderToo()
    {
        string path = TestData.Case("image-kinds/half-transparent.png");
        using MLImage stock = MLImage.CreateFromFile(path);
        RgbImage expected = ImageFile.Read(path), seen = MLImagePixels.ToRgb(stock);
        Assert.That(seen.Pixels.Zip(expected.Pixels, (a, b) => Math.Abs(a - b)).Max(), Is.LessThanOrEqualTo(2));
    }

    private sealed class ObjectRow
    {
        public string ImagePath { get; set; } = "";

        public string[] Label { get; set; } = ["red"];

        public float[] BoundingBoxes { get; set; } = [0, 0, 5, 5];
    }

    private static string? Told(IDataView view, string image = "Image")
    {
        using var rows = new RowReader(view, new RowColumns { Image = image });
        while (rows.MoveNext()) rows.ReadImage();
        return rows.TurnedImages;
    }

    private IDataView Load(IDataView files, string folder) => _mlContext.Transforms.LoadUprightImages("Image", folder, "File").Fit(files)
        .Transform(files);

    private static string[] SizesOf(IDataView view, string column = "Image")
    {
        using var rows = new RowReader(view, new RowColumns { Image = column });
        var sizes = new List<string>();
        using DataViewRowCursor cursor = view.GetRowCursor([view.Schema[column]]);
        ValueGetter<MLImage> get = cursor.GetGetter<MLImage>(view.Schema[column]);
        MLImage image = null!;
        while (cursor.MoveNext())
        {
            get(ref image);
            sizes.Add($"{image.Width}×{image.Height}");
        }

        return [.. sizes];
    }

    private IDataView Files(params string[] names) => _mlContext.Data.LoadFromEnumerable(names.Select(name
        => new FileRow { File = name }).ToArray());

    private string At(string name) => Path.Combine(_folder.Path, name);

    private sealed class FileRow
    {
        public string File { get; set; } = "";
    }

    private sealed class PathRow
    {
        public string ImagePath { get; set; } = "";
    }

    private sealed class ImageRow
    {
        [AnySizeImage]
        public MLImage? Image { get; set; }
    }
}
