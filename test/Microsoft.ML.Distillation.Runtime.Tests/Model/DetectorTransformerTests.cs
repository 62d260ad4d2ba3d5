using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Transforms.Image;

namespace Microsoft.ML.Distillation.Tests.Model;

public class DetectorTransformerTests
{
    private readonly MLContext _mlContext = new(1);
    private string _folder = "";

    [SetUp]
    public void DrawImages()
    {
        _folder = Directory.CreateTempSubdirectory("ml-distillation").FullName;
        Save("a.png", ToyDetector.Image(64, 48, (1, 2, "red"), (3, 0, "green")));
        Save("b.png", ToyDetector.Image(40, 80, (0, 0, "green")));
        Save("empty.png", ToyDetector.Image(32, 32));
    }

    [TearDown]
    public void Delete() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Transform_GivesNamesScoresAndBoxes_InPixelsOfEachImage()
    {
        using TransformerChain<ITransformer> model = Model();

        Prediction[] found = Predict(model, "a.png", "b.png", "empty.png");

        Assert.Multiple(() =>
        {
            Assert.That(found[0].PredictedLabel, Is.EqualTo(new[] { "red", "green" }));
            Assert.That(found[0].Score, Has.Length.EqualTo(2).And.All.InRange(.7f, 1f));
            Assert.That(found[0].PredictedBoundingBoxes, Is.EqualTo(new[] { 16f, 24, 32, 36, 48, 0, 64, 12 }).Within(1e-4f));
            Assert.That(found[1].PredictedLabel, Is.EqualTo(new[] { "green" }));
            Assert.That(found[1].PredictedBoundingBoxes, Is.EqualTo(new[] { 0f, 0, 10, 20 }).Within(1e-4f));
            Assert.That(found[2].PredictedLabel, Is.Empty);
            Assert.That(found[2].PredictedBoundingBoxes, Is.Empty);
        });
    }

    [Test]
    public void OutputSchema_HasTheThreeColumns_AndNoTemporaryOnes()
    {
        using TransformerChain<ITransformer> model = Model(keysToValues: false);

        DataViewSchema schema = model.Transform(Paths("a.png")).Schema;

        Assert.That(schema.Select(c => c.Name),
            Is.EquivalentTo(new[] { "ImagePath", "size", "Image", "PredictedLabel", "Score", "PredictedBoundingBoxes" }));
        var label = (VectorDataViewType)schema["PredictedLabel"].Type;
        Assert.That(label.ItemType, Is.EqualTo(new KeyDataViewType(typeof(uint), 2)));
        Assert.That(label.IsKnownSize, Is.False);
        VBuffer<ReadOnlyMemory<char>> names = default;
        schema["PredictedLabel"].GetKeyValues(ref names);
        Assert.That(names.DenseValues().Select(n => n.ToString()), Is.EqualTo(ToyDetector.ClassNames));
    }

    [Test]
    public void SavedModel_PredictsTheSame_AlsoWhenSavedAgain()
    {
        using TransformerChain<ITransformer> model = Model();
        string first = Path.Combine(_folder, "1.zip"), second = Path.Combine(_folder, "2.zip");
        _mlContext.Model.Save(model, Paths("a.png").Schema, first);
        ITransformer loaded = new MLContext().Model.Load(first, out DataViewSchema schema);
        new MLContext().Model.Save(loaded, schema, second);
        ITransformer again = new MLContext().Model.Load(second, out _);

        Prediction[] expected = Predict(model, "a.png", "b.png", "empty.png");

        foreach (ITransformer other in new[] { loaded, again })
        {
            Prediction[] actual = Predict(other, "a.png", "b.png", "empty.png");
            for (int i = 0; i < expected.Length; i++) expected[i].MustEqual(actual[i]);
            ((IDisposable)other).Dispose();
        }
    }

    [Test]
    public void PredictionEngine_PredictsTheSame_FromAPathAndFromAnImageInMemory()
    {
        using TransformerChain<ITransformer> model = Model();
        Prediction expected = Predict(model, "a.png")[0];
        string zip = Path.Combine(_folder, "model.zip");
        _mlContext.Model.Save(model, Paths("a.png").Schema, zip);
        var fromPath = _mlContext.Model.CreatePredictionEngine<PathInput, Prediction>(_mlContext.Model.Load(zip, out _));
        for (int i = 0; i < 3; i++) expected.MustEqual(fromPath.Predict(new PathInput { ImagePath = Path.Combine(_folder, "a.png") }));
        fromPath.Dispose();

        using MLImage image = MLImage.CreateFromFile(Path.Combine(_folder, "a.png"));
        using DetectorTransformer alone = Detector(new ImageDataViewType(48, 64));
        var fromMemory = _mlContext.Model.CreatePredictionEngine<ImageInput, Prediction>(
            alone.Append(_mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel")
                .Fit(alone.Transform(Schema(new ImageDataViewType(48, 64))))));
        for (int i = 0; i < 3; i++) expected.MustEqual(fromMemory.Predict(new ImageInput { Image = image }));
    }

    [Test]
    public void AnotherProcess_WithoutLibtorch_PredictsTheSame()
    {
        using TransformerChain<ITransformer> model = Model();
        string zip = Path.Combine(_folder, "model.zip"), onnx = Path.Combine(_folder, "model.onnx");
        _mlContext.Model.Save(model, Paths("a.png").Schema, zip);

        ConsumerProcess.Answer answer = ConsumerProcess.Run(zip, onnx, Path.Combine(_folder, "a.png"), Path.Combine(_folder, "b.png"));

        Prediction[] expected = Predict(model, "a.png", "b.png");
        Assert.That(answer.TorchIsLoaded, Is.False);
        Assert.That(answer.Found.Select(f => f.PredictedLabel), Is.EqualTo(expected.Select(f => f.PredictedLabel)));
        Assert.That(answer.Found.Select(f => f.Score), Is.EqualTo(expected.Select(f => f.Score)));
        Assert.That(answer.Found.Select(f => f.PredictedBoundingBoxes), Is.EqualTo(expected.Select(f => f.PredictedBoundingBoxes)));
        Assert.That(File.ReadAllBytes(onnx), Is.EqualTo(ToyDetector.Model().ToBytes()));
    }

    [Test]
    public void Columns_TakeTheNamesTheyAreGiven()
    {
        var columns = new DetectorColumns("Photo", "What", "HowSure", "Where");
        DataViewSchema schema = Schema(new ImageDataViewType(), "Photo").Schema;
        using var detector = new DetectorTransformer(_mlContext.Transforms, ToyDetector.Model(), columns, schema);

        Assert.That(detector.GetOutputSchema(schema).Select(c => c.Name), Is.EqualTo(new[] { "Photo", "What", "HowSure", "Where" }));
    }

    [Test]
    public void Bgra_AndRgba_GiveTheSameBytes()
    {
        byte[] rgba = [1, 2, 3, 255, 4, 5, 6, 255], bgra = [3, 2, 1, 255, 6, 5, 4, 255];
        byte[] first = new byte[6], second = new byte[6];
        using (var image = MLImage.CreateFromPixels(2, 1, MLPixelFormat.Rgba32, rgba)) MLImagePixels.CopyRgb(image, first);
        using (var image = MLImage.CreateFromPixels(2, 1, MLPixelFormat.Bgra32, bgra)) MLImagePixels.CopyRgb(image, second);
        Assert.That(first, Is.EqualTo(new byte[] { 1, 2, 3, 4, 5, 6 }));
        Assert.That(second, Is.EqualTo(first));
    }

    private TransformerChain<ITransformer> Model(bool keysToValues = true)
    {
        IDataView paths = Paths("a.png");
        ITransformer loading = _mlContext.Transforms.LoadImages("Image", null!, "ImagePath").Fit(paths);
        IDataView images = loading.Transform(paths);
        var detector = new DetectorTransformer(_mlContext.Transforms, ToyDetector.Model(), new DetectorColumns(), images.Schema);
        if (!keysToValues) return new TransformerChain<ITransformer>(loading, detector);
        ITransformer naming = _mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel").Fit(detector.Transform(images));
        return new TransformerChain<ITransformer>(loading, detector, naming);
    }

    private DetectorTransformer Detector(ImageDataViewType type)
        => new(_mlContext.Transforms, ToyDetector.Model(), new DetectorColumns(), Schema(type).Schema);

    private static SchemaView Schema(DataViewType type, string name = "Image")
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumn(name, type);
        return new SchemaView(builder.ToSchema());
    }

    private Prediction[] Predict(ITransformer model, params string[] files)
        => [.. _mlContext.Data.CreateEnumerable<Prediction>(model.Transform(Paths(files)), reuseRowObject: false)];

    private IDataView Paths(params string[] files)
        => _mlContext.Data.LoadFromEnumerable(files.Select(f => new PathInput { ImagePath = Path.Combine(_folder, f) }));

    private void Save(string name, MLImage image)
    {
        using (image) image.Save(Path.Combine(_folder, name));
    }

    private sealed class PathInput
    {
        public string ImagePath { get; set; } = "";

        /// <summary>A column of the user's that is called like an input of the network.</summary>
        [ColumnName("size")]
        public float Size { get; set; }
    }

    private sealed class ImageInput
    {
        [ImageType(48, 64)]
        public MLImage Image { get; set; } = null!;
    }

    private sealed class Prediction
    {
        public string[] PredictedLabel { get; set; } = [];

        public float[] Score { get; set; } = [];

        public float[] PredictedBoundingBoxes { get; set; } = [];

        public void MustEqual(Prediction other)
        {
            Assert.That(other.PredictedLabel, Is.EqualTo(PredictedLabel));
            Assert.That(other.Score, Is.EqualTo(Score));
            Assert.That(other.PredictedBoundingBoxes, Is.EqualTo(PredictedBoundingBoxes));
        }
    }
}
