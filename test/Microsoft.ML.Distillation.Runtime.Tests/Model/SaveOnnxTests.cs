using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Transforms.Image;

namespace Microsoft.ML.Distillation.Tests.Model;

public class SaveOnnxTests
{
    private readonly MLContext _mlContext = new(1);
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("ml-distillation").FullName;

    [TearDown]
    public void Delete() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void FittedNestedAndLoadedModels_WriteTheSameFile()
    {
        using DetectorTransformer detector = Detector();
        var chain = new TransformerChain<ITransformer>(new TransformerChain<ITransformer>(detector));
        string zip = At("model.zip");
        _mlContext.Model.Save(chain, null, zip);

        detector.SaveOnnx(At("fitted.onnx"));
        chain.SaveOnnx(At("nested.onnx"));
        _mlContext.Model.Load(zip, out _).SaveOnnx(At("loaded.onnx"));

        byte[] expected = ToyDetector.Model().ToBytes();
        Assert.That(File.ReadAllBytes(At("fitted.onnx")), Is.EqualTo(expected));
        Assert.That(File.ReadAllBytes(At("nested.onnx")), Is.EqualTo(expected));
        Assert.That(File.ReadAllBytes(At("loaded.onnx")), Is.EqualTo(expected));
        Assert.That(FittedDetectors.In(zip).ToBytes(), Is.EqualTo(expected));
        Assert.That(FittedDetectors.In(At("fitted.onnx")).ToBytes(), Is.EqualTo(expected));
    }

    [Test]
    public void PlainForm_TakesTheImageAtTheNetworksSize_AndGivesShares()
    {
        using DetectorTransformer detector = Detector();
        detector.SaveOnnx(At("plain.onnx"), plain: true);
        float[] image = new float[3 * 16 * 16];
        for (int y = 8; y < 12; y++)
            for (int x = 4; x < 8; x++) image[(16 + y) * 16 + x] = .75f;

        Dictionary<string, Array> found = OnnxRun.Run(File.ReadAllBytes(At("plain.onnx")), OnnxRun.Value("images", image, 1, 3, 16, 16));

        Assert.That(found["boxes"], Is.EqualTo(new[] { .25f, .5f, .5f, .75f }));
        Assert.That(found["scores"], Is.EqualTo(new[] { .75f }));
        Assert.That(found["classes"], Is.EqualTo(new[] { 1L }));
    }

    [Test]
    public void ModelsWithoutADetector_AreRefused_AndNothingIsWritten()
    {
        ITransformer other = _mlContext.Transforms.CopyColumns("B", "A").Fit(_mlContext.Data.LoadFromEnumerable(new[] { new { A = 1f } }));
        Assert.That(() => other.SaveOnnx(At("no.onnx")), Throws.ArgumentException.With.Message.Contains("no detector"));
        Assert.That(Directory.GetFiles(_folder), Is.Empty);
    }

    [Test]
    public void ModelsWithTwoDetectors_AreRefused()
    {
        using DetectorTransformer first = Detector(), second = Detector();
        var chain = new TransformerChain<ITransformer>(first, second);
        Assert.That(() => chain.SaveOnnx(At("two.onnx")), Throws.ArgumentException.With.Message.Contains("2 detectors"));
    }

    [Test]
    public void AGpuThatOnnxRuntimeCannotUse_LeavesTheDetectorOnTheCpu()
    {
        var mlContext = new MLContext { GpuDeviceId = 0 };
        using var detector = new DetectorTransformer(mlContext.Transforms, ToyDetector.Model(), new DetectorColumns(), Schema());
        Assert.That(detector.GetOutputSchema(Schema()).GetColumnOrNull("Score"), Is.Not.Null);
    }

    private string At(string file) => Path.Combine(_folder, file);

    private DetectorTransformer Detector() => new(_mlContext.Transforms, ToyDetector.Model(), new DetectorColumns(), Schema());

    private static DataViewSchema Schema()
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumn("Image", new ImageDataViewType());
        return builder.ToSchema();
    }
}
