using Microsoft.ML.Data;
using static Microsoft.ML.Transforms.ValueToKeyMappingEstimator;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>
/// Detectors that several fixtures need, but none to show how they came to be: each is trained once an assembly, when it is first asked
/// for, and only read from then on.
/// </summary>
[SetUpFixture]
internal sealed class TrainedModels
{
    /// <summary>
    /// Of <see cref="Images"/>, how many the detectors have seen; a smaller <see cref="DrawnFolder"/> has the first of these.
    /// </summary>
    public const int Seen = 16;

    private static readonly Lazy<DrawnFolder> Drawn = new(() => new DrawnFolder(train: Seen, val: 0, test: 4));
    private static readonly Lazy<string> OneStageFile = new(() => Train("one-stage.zip", new TrainDetectorOptions
    {
        Detector = DetectorPlan.OneStage(Backbone.Plain(16, 24, 32), 96),
        Epochs = 40,
    }));

    private static readonly Lazy<string> TwoStageFile = new(() => Train("two-stage.zip", new TrainDetectorOptions
    {
        Detector = DetectorPlan.FasterRcnn(Backbone.Plain(8, 16, 16), 64),
        Epochs = 60,
        LearningRate = 0.005,
    }));

    /// <summary>The images: train, seen by the detectors, and test.</summary>
    public static DrawnFolder Images => Drawn.Value;

    /// <summary>
    /// A pipeline from paths to detections of "disc" and "square" with a one-stage detector of 96 pixels, as ML.NET saved it.
    /// </summary>
    public static string OneStage => OneStageFile.Value;

    /// <summary>The same with a Faster R-CNN of 64 pixels.</summary>
    public static string TwoStage => TwoStageFile.Value;

    private static string Train(string name, TrainDetectorOptions options)
    {
        var mlContext = new MLContext(seed: 1);
        IDataView train = mlContext.Data.LoadDetections(Images.Path, split: "train");
        var model = mlContext.Transforms.LoadImages("Image", imageFolder: null, inputColumnName: "ImagePath")
            .Append(mlContext.Transforms.Conversion.MapValueToKey("Label", keyOrdinality: KeyOrdinality.ByValue),
                TransformerScope.Training)
            .Append(mlContext.Transforms.TrainDetector(options))
            .Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel")).Fit(train);
        using var disposable = (IDisposable)model;
        string path = Images.At(name);
        mlContext.Model.Save(model.GetModelFor(TransformerScope.Scoring), train.Schema, path);
        File.SetAttributes(path, FileAttributes.ReadOnly);
        return path;
    }

    [OneTimeTearDown]
    public void Delete()
    {
        if (!Drawn.IsValueCreated) return;
        foreach (string path in Directory.GetFiles(Images.Path, "*.zip")) File.SetAttributes(path, FileAttributes.Normal);
        Images.Dispose();
    }
}
