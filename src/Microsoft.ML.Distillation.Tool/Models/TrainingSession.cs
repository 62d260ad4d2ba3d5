using System.Collections.Concurrent;
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
    private readonly ITransformer _toKeys;
    private readonly TrainingDisplay _display;
    private readonly bool _skipsInvalid;

    /// <summary>Opens a data set.</summary>
    /// <param name="trainSplit">The part to train on; null for all images.</param>
    /// <param name="validationSplit">The part to choose the best model by; null for none.</param>
    public TrainingSession(MLContext context, DataFolder data, string? trainSplit, string? validationSplit, TrainingDisplay display)
    {
        Context = context;
        _display = display;
        _skipsInvalid = data.SkipsInvalid;
        _files = data.View(trainSplit);
        _loadImages = context.Transforms.LoadUprightImages("Image", inputColumnName: "ImagePath", maxPixels: data.MaxPixels).Fit(_files);
        _toKeys = context.Transforms.Conversion
            .MapValueToKey("Label", keyOrdinality: ValueToKeyMappingEstimator.KeyOrdinality.ByValue).Fit(_files);
        Train = _toKeys.Transform(_loadImages.Transform(_files));
        if (!Train.Schema["Label"].HasKeyValues())
            throw new InvalidDataException(
                $"'{data.Path}' has no object in {(trainSplit is null ? "its images" : $"its part '{trainSplit}'")}: there is nothing to "
                + $"train on.");
        if (validationSplit is not null)
            Validation = _toKeys.Transform(_loadImages.Transform(data.View(validationSplit)));
    }

    /// <summary>Images without labels, for a student that learns from its teacher alone.</summary>
    /// <param name="maxPixels">How many pixels an image may have.</param>
    public TrainingSession(MLContext context, IReadOnlyList<string> files, long maxPixels, TrainingDisplay display)
    {
        Context = context;
        _display = display;
        _files = context.Data.LoadFromEnumerable(files.Select(path => new AnnotatedRow { ImagePath = path }));
        _loadImages = context.Transforms.LoadUprightImages("Image", inputColumnName: "ImagePath", maxPixels: maxPixels).Fit(_files);
        _toKeys = _loadImages;
        Train = _loadImages.Transform(_files);
    }

    /// <summary>The context.</summary>
    public MLContext Context { get; }

    /// <summary>The images to train on: Image, Label, BoundingBoxes.</summary>
    public IDataView Train { get; }

    /// <summary>The images to choose the best model by.</summary>
    public IDataView? Validation { get; }

    /// <summary>A data set of 'ml-distill label', prepared as the others are.</summary>
    public IDataView Generated(string folder)
        => _toKeys.Transform(_loadImages.Transform(LoadGenerated(folder)));

    /// <summary>The number of images in it.</summary>
    public int CountGenerated(string folder)
        => Context.Data.CreateEnumerable<AnnotatedRow>(LoadGenerated(folder), reuseRowObject: true).Count();

    /// <summary>Images without labels, prepared as the others are.</summary>
    public IDataView ImagesOf(IEnumerable<string> files)
        => _loadImages.Transform(Context.Data.LoadFromEnumerable(files.Select(path => new AnnotatedRow { ImagePath = path })));

    /// <summary>The classes of the objects in the images to train on.</summary>
    public string[] ClassNames() => [.. Context.Data.CreateEnumerable<AnnotatedRow>(_files, reuseRowObject: false)
        .SelectMany(image => image.Label).Where(name => name.Length > 0).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>The number of images to train on.</summary>
    public int CountTrain() => Context.Data.CreateEnumerable<AnnotatedRow>(_files, reuseRowObject: true).Count();

    /// <summary>The images to train on as rows.</summary>
    public IReadOnlyList<AnnotatedRow> TrainImages() => [.. Context.Data.CreateEnumerable<AnnotatedRow>(_files, reuseRowObject: false)];

    /// <summary>
    /// A context whose log goes to a writer where <paramref name="verbose"/> asks for it; warnings always do, the same one once, and what is
    /// said of weights, on which a result depends.
    /// </summary>
    public static MLContext CreateContext(int seed, bool verbose, TextWriter error)
    {
        var context = new MLContext(seed);
        // Of several seeds each training says the same.
        var said = new ConcurrentDictionary<string, bool>();
        context.Log += (_, line) =>
        {
            bool isOfWeights = line.Kind >= ChannelMessageKind.Info && line.Source.Contains("Weights", StringComparison.Ordinal);
            bool isShown = verbose || (isOfWeights || line.Kind >= ChannelMessageKind.Warning) && said.TryAdd(line.RawMessage, true);
            if (isShown) error.WriteLine(OptionNames.Translate(verbose ? line.Message : line.RawMessage));
        };
        return context;
    }

    /// <summary>Trains detectors side by side, showing how it goes, and saves each.</summary>
    public void TrainAndSave(params IReadOnlyList<TrainingRun> runs)
    {
        IReadOnlyList<DetectorTransformer> detectors = _display.Show(
            [.. runs.Select(run => run.Title)],
            progress => Context.Transforms.FitSideBySide(Train, [.. runs.Zip(progress, (run, own) => run.OptionsFor(own))]));
        for (int i = 0; i < runs.Count; i++)
        {
            using DetectorTransformer detector = detectors[i];
            PipelineFile.Save(TrainedDetector.FromModel(detector), runs[i].Path);
        }
    }

    private IDataView LoadGenerated(string folder) => Context.Data.LoadDetections(
        folder, File.Exists(folder) || Directory.Exists(Path.Combine(folder, "annotations")) ? DetectionFormat.Coco
            : DetectionFormat.PascalVoc,
        allowMissingImages: _skipsInvalid,
        onInvalidAnnotation: _skipsInvalid ? InvalidSampleHandling.Skip : InvalidSampleHandling.Error);
}

/// <summary>A training to do, alone or side by side with others.</summary>
/// <param name="Title">What to call it on the display.</param>
/// <param name="Path">The model to write.</param>
/// <param name="OptionsFor">Makes the options, which say where to report progress.</param>
internal sealed record TrainingRun(string Title, string Path, Func<IProgress<TrainingProgress>, DetectorEstimatorOptions> OptionsFor);

/// <summary>Writes a detector as a file: by its extension an .onnx, or the ML.NET pipeline from an image's path to names, scores and
/// boxes.</summary>
internal static class PipelineFile
{
    /// <summary>Writes the file, beside its place and then renamed.</summary>
    public static void Save(TrainedDetector detector, string path)
    {
        if (Path.GetExtension(path).Equals(".onnx", StringComparison.OrdinalIgnoreCase)) detector.SaveOnnx(path);
        else detector.SavePipeline(path);
    }
}
