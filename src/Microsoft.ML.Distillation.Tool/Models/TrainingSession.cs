using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Tool.Display;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms;

namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>A data set prepared for training, and the pipelines made of what is trained on it.</summary>
internal sealed class TrainingSession
{
    private readonly IDataView _files;
    private readonly ITransformer _loadImages;
    private readonly TrainingDisplay _display;

    /// <summary>Opens a data set.</summary>
    /// <param name="trainSplit">The part to train on; null for all images.</param>
    /// <param name="validationSplit">The part to choose the best model by; null for none.</param>
    public TrainingSession(MLContext context, DataFolder data, string? trainSplit, string? validationSplit, TrainingDisplay display)
    {
        Context = context;
        _display = display;
        _files = data.View(context, trainSplit);
        _loadImages = context.Transforms.LoadImages("Image", imageFolder: null, inputColumnName: "ImagePath").Fit(_files);
        ITransformer toKeys = context.Transforms.Conversion
            .MapValueToKey("Label", keyOrdinality: ValueToKeyMappingEstimator.KeyOrdinality.ByValue).Fit(_files);
        Train = toKeys.Transform(_loadImages.Transform(_files));
        if (validationSplit is not null)
            Validation = toKeys.Transform(_loadImages.Transform(data.View(context, validationSplit)));
    }

    /// <summary>The context.</summary>
    public MLContext Context { get; }

    /// <summary>The images to train on: Image, Label, BoundingBoxes.</summary>
    public IDataView Train { get; }

    /// <summary>The images to choose the best model by.</summary>
    public IDataView? Validation { get; }

    /// <summary>A context whose log goes to a writer where <paramref name="verbose"/> asks for it; warnings always do.</summary>
    public static MLContext CreateContext(int seed, bool verbose, TextWriter error)
    {
        var context = new MLContext(seed);
        context.Log += (_, line) =>
        {
            if (verbose || line.Kind >= ChannelMessageKind.Warning) error.WriteLine(verbose ? line.Message : line.RawMessage);
        };
        return context;
    }

    /// <summary>Trains a detector, showing how it goes, and saves the pipeline from an image's path to names, scores and boxes.</summary>
    /// <param name="title">What to call it on the display.</param>
    /// <param name="estimatorFor">Makes the estimator that reports its progress.</param>
    public void TrainAndSave(string title, string path, Func<IProgress<TrainingProgress>, IEstimator<DetectorTransformer>> estimatorFor)
    {
        using DetectorTransformer detector = _display.Show(title, progress => estimatorFor(progress).Fit(Train));
        ITransformer toNames = Context.Transforms.Conversion.MapKeyToValue("PredictedLabel").Fit(detector.Transform(Train));
        var pipeline = new TransformerChain<ITransformer>(_loadImages, detector, toNames);
        using var zip = new MemoryStream();
        Context.Model.Save(pipeline, _files.Schema, zip);
        Onnx.AtomicFile.Write(path, zip.GetBuffer().AsSpan(0, (int)zip.Length));
    }
}
