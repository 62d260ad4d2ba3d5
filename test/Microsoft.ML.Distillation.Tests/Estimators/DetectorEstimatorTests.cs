using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Tensors;

namespace Microsoft.ML.Distillation.Tests.Estimators;

public class DetectorEstimatorTests
{
    private readonly MLContext _mlContext = new(seed: 3);

    [Test]
    public void OutputSchema_HasThePredictedColumns_AndMapKeyToValueTakesIt()
    {
        SchemaShape before = Prepared().GetOutputSchema(Shape(Annotated()));

        SchemaShape after = _mlContext.Transforms.TrainDetector(scoreColumnName: "HowSure").GetOutputSchema(before);
        SchemaShape named = _mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel").GetOutputSchema(after);

        SchemaShape.Column label = after.Single(c => c.Name == "PredictedLabel");
        Assert.That((label.Kind, label.IsKey), Is.EqualTo((SchemaShape.Column.VectorKind.VariableVector, true)));
        Assert.That(after.Single(c => c.Name == "HowSure").ItemType, Is.EqualTo(NumberDataViewType.Single));
        Assert.That(after.Single(c => c.Name == "PredictedBoundingBoxes").Kind, Is.EqualTo(SchemaShape.Column.VectorKind.VariableVector));
        Assert.That(named.Single(c => c.Name == "PredictedLabel").ItemType, Is.EqualTo(TextDataViewType.Instance));
        Assert.That(after.Select(c => c.Name), Is.SupersetOf(before.Select(c => c.Name)));
    }

    [Test]
    public void OutputSchema_NamesTheColumn_ThatIsMissingOrOfAnotherType()
    {
        SchemaShape raw = Shape(Annotated()), prepared = Prepared().GetOutputSchema(raw);
        Assert.That(() => _mlContext.Transforms.TrainDetector().GetOutputSchema(raw),
            Throws.ArgumentException.With.Message.Contains("'Image'").And.Message.Contains("LoadUprightImages"));
        Assert.That(() => _mlContext.Transforms.TrainDetector(labelColumnName: "ImagePath").GetOutputSchema(prepared),
            Throws.ArgumentException.With.Message.Contains("'ImagePath'").And.Message.Contains("MapValueToKey"));
        Assert.That(() => _mlContext.Transforms.TrainDetector(boundingBoxColumnName: "Label").GetOutputSchema(prepared),
            Throws.ArgumentException.With.Message.Contains("'Label'").And.Message.Contains("vector of Single"));
    }

    [Test]
    public void Fit_NamesTheColumn_ThatIsOfAnotherType()
    {
        using var folder = new DrawnFolder(1, 0, 0);
        IDataView data = _mlContext.Data.LoadDetections(folder.Path);
        IDataView images = _mlContext.Transforms.LoadImages("Image", null!, "ImagePath").Fit(data).Transform(data);
        Assert.That(() => _mlContext.Transforms.TrainDetector().Fit(images),
            Throws.ArgumentException.With.Message.Contains("Label").And.Message.Contains("MapValueToKey"));
    }

    [Test]
    public void Options_OutOfRange_AreNamed()
    {
        Assert.That(() => _mlContext.Transforms.TrainDetector(new TrainDetectorOptions { BatchSize = 0 }),
            Throws.InstanceOf<ArgumentException>().With.Message.Contains("BatchSize"));
        Assert.That(() => _mlContext.Transforms.TrainDetector(new TrainDetectorOptions { Detector = null! }),
            Throws.InstanceOf<ArgumentException>().With.Message.Contains("Detector"));
        Assert.That(() => _mlContext.Transforms.DistillDetector(new DistillDetectorOptions { Teacher = null! }),
            Throws.InstanceOf<ArgumentException>().With.Message.Contains("Teacher"));
    }

    [Test]
    public void Teacher_OfAnotherKind_IsRefused()
    {
        using var folder = new DrawnFolder(1, 0, 0);
        Assert.That(() => Teacher.FromModel(folder.At("none.zip")), Throws.TypeOf<FileNotFoundException>());
        Assert.That(() => Teacher.FromModel(folder.Image(0)), Throws.TypeOf<FormatException>().With.Message.Contains("image0.png"));
        Assert.That(() => Teacher.FromModel(TestData.Model("ultraface-rfb320.onnx")),
            Throws.TypeOf<FormatException>().With.Message.Contains("ultraface"));
    }

    [Test]
    public void Context_GivesSeedAndGpu()
    {
        var mlContext = new MLContext(seed: 7) { GpuDeviceId = 2, FallbackToCpu = true };
        var settings = EnvironmentSettings.Of(EnvironmentSettings.EnvironmentOf(mlContext.Transforms));
        Assert.That(settings, Is.EqualTo(new EnvironmentSettings(7, 2, true)));
        settings = EnvironmentSettings.Of(EnvironmentSettings.EnvironmentOf(new MLContext().Transforms));
        Assert.That(settings, Is.EqualTo(new EnvironmentSettings(null, null, false)));
    }

    [Test]
    public void AGpuThatIsNotThere_IsAClearError()
    {
        using var folder = new DrawnFolder(1, 0, 0);
        IDataView data = _mlContext.Data.LoadDetections(folder.Path);
        var pipeline = Prepared().Append(_mlContext.Transforms.TrainDetector(new TrainDetectorOptions { GpuDeviceId = 99 }));
        Assert.That(() => pipeline.Fit(data), Throws.InvalidOperationException.With.Message.Contains("GPU 99").And.Message
            .Contains("FallbackToCpu"));
    }

    private EstimatorChain<Transforms.ValueToKeyMappingTransformer> Prepared()
        => _mlContext.Transforms.LoadImages("Image", null!, "ImagePath").Append(_mlContext.Transforms.Conversion.MapValueToKey("Label"));

    private IDataView Annotated()
        => _mlContext.Data.LoadFromEnumerable(
            new[] { new { ImagePath = "a.png", Label = new[] { "x" }, BoundingBoxes = new[] { 0f, 0, 1, 1 } } });

    /// <summary>The shape of a view's schema; ML.NET makes it inside EstimatorChain, by a method that is not public.</summary>
    private static SchemaShape Shape(IDataView view)
    {
        var create = typeof(SchemaShape)
            .GetMethod("Create", System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static);
        return (SchemaShape)create!.Invoke(null, [view.Schema])!;
    }
}
