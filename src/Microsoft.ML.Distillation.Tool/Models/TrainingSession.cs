using System.Collections.Concurrent;
using System.CommandLine;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Tool.Commands;
using Microsoft.ML.Distillation.Tool.Display;
using Microsoft.ML.Distillation.Tool.Runs;
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
    private readonly IReadOnlyList<string>? _classes;

    /// <summary>Opens a data set.</summary>
    /// <param name="trainSplit">The part to train on; null for all images.</param>
    /// <param name="validationSplit">The part to choose the best model by; null for none.</param>
    /// <param name="heldBack">Images of the part to train on that are the validation part instead; null for none.</param>
    /// <param name="error">Receives what is to be said of the classes.</param>
    public TrainingSession(
        MLContext context, DataFolder data, string? trainSplit, string? validationSplit, HeldBackImages? heldBack, TrainingDisplay display,
        TextWriter error)
    {
        Context = context;
        _display = display;
        _skipsInvalid = data.SkipsInvalid;
        // Read once, though there is more than one pass; and their number is known.
        IReadOnlyList<AnnotatedRow> all = data.Load(trainSplit);
        _files = context.Data.LoadFromEnumerable(heldBack is null ? all : [.. all.Where(row => !heldBack.Contains(row.ImagePath))]);
        _loadImages = context.Transforms.LoadUprightImages("Image", inputColumnName: "ImagePath", maxPixels: data.MaxPixels).Fit(_files);
        _classes = ListedBeyondOccurring(data, trainSplit, error);
        _toKeys = context.Transforms.Conversion.MapValueToKey(
            "Label", keyOrdinality: ValueToKeyMappingEstimator.KeyOrdinality.ByValue,
            keyData: _classes is null ? null : context.Data.LoadFromEnumerable(_classes.Select(name => new ClassRow { Label = name })))
            .Fit(_files);
        Train = _toKeys.Transform(_loadImages.Transform(_files));
        if (!Train.Schema["Label"].HasKeyValues())
            throw new InvalidDataException(
                $"'{data.Path}' has no object in {(trainSplit is null ? "its images" : $"its part '{trainSplit}'")}: there is nothing to "
                + $"train on.");
        IDataView? validation = heldBack is not null
            ? context.Data.LoadFromEnumerable((IReadOnlyList<AnnotatedRow>)[.. all.Where(row => heldBack.Contains(row.ImagePath))])
            : validationSplit is not null ? context.Data.LoadFromEnumerable(data.Load(validationSplit)) : null;
        if (validation is not null) Validation = _toKeys.Transform(_loadImages.Transform(validation));
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
    public string[] ClassNames() => _classes is not null ? [.. _classes] : Occurring();

    private string[] Occurring() => [.. Context.Data.CreateEnumerable<AnnotatedRow>(_files, reuseRowObject: false)
        .SelectMany(image => image.Label).Where(name => name.Length > 0).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>
    /// The classes that the data set lists, where not all of them occur in the images to train on; else null, and those that occur are all.
    /// </summary>
    private IReadOnlyList<string>? ListedBeyondOccurring(DataFolder data, string? split, TextWriter error)
    {
        if (data.ListedClasses(split) is not { Count: > 0 } listed) return null;
        string[] occurring = Occurring(), absent = [.. listed.Except(occurring)];
        // A data set without any object is refused as such.
        if (absent.Length == 0 || occurring.Length == 0) return null;
        string number = Counted.Of(listed.Count, "class");
        error.WriteLine($"note: of the {number} that the data set lists {absent.Length} {(absent.Length == 1 ? "does" : "do")} not occur "
            + "in the images to train on: "
            + $"{string.Join(", ", absent.Take(10))}{(absent.Length > 10 ? ", …" : "")}. The model knows them by name all the same.");
        return listed;
    }

    /// <summary>The number of images to train on.</summary>
    public int CountTrain() => Context.Data.CreateEnumerable<AnnotatedRow>(_files, reuseRowObject: true).Count();

    /// <summary>The images to train on as rows.</summary>
    public IReadOnlyList<AnnotatedRow> TrainImages() => [.. Context.Data.CreateEnumerable<AnnotatedRow>(_files, reuseRowObject: false)];

    /// <summary>
    /// A context whose log is shown where <c>--verbose</c> asks for it; warnings always are, the same one once, and without <c>--quiet</c>
    /// what is said of weights, on which a result depends, and of the reading of many images.
    /// </summary>
    public static MLContext CreateContext(ParseResult parsed, int seed)
    {
        TextWriter error = parsed.InvocationConfiguration.Error;
        (bool verbose, bool quiet) = (parsed.GetValue(SharedOptions.Verbose), parsed.GetValue(SharedOptions.Quiet));
        var context = new MLContext(seed);
        // Of several seeds each training says the same.
        var said = new ConcurrentDictionary<string, bool>();
        context.Log += (_, line) =>
        {
            bool isWanted = !quiet && line.Kind >= ChannelMessageKind.Info && (line.Source.Contains("Weights", StringComparison.Ordinal)
                || line.Source.Contains("Reading images", StringComparison.Ordinal)
                || line.RawMessage.StartsWith("What it learns", StringComparison.Ordinal));
            // That ML.NET opens and closes a channel tells nobody anything.
            bool isTrace = line.Kind == ChannelMessageKind.Trace && line.RawMessage.StartsWith("Channel ", StringComparison.Ordinal);
            bool isShown = verbose && !isTrace
                || (isWanted || line.Kind >= ChannelMessageKind.Warning) && said.TryAdd(line.RawMessage, true);
            if (isShown) error.WriteLine(OptionNames.Translate(verbose ? line.Message : line.RawMessage));
        };
        return context;
    }

    /// <summary>Trains detectors side by side, showing how it goes, and saves each.</summary>
    /// <param name="saves">Whether this process saves them, and no other that trains with it.</param>
    /// <param name="stop">What may end them early.</param>
    public void TrainAndSave(IReadOnlyList<TrainingRun> runs, bool saves = true, StopRule? stop = null)
    {
        string? checkpoints = null;
        IReadOnlyList<DetectorTransformer> detectors = Trained();
        if (stop?.Reason is { } early) _display.Say($"{early}; the best model is kept.");
        var failures = new List<IOException>();
        for (int i = 0; i < runs.Count; i++)
        {
            using DetectorTransformer detector = detectors[i];
            if (!saves) continue;
            try
            {
                TrainingOutput.Save(TrainedDetector.FromModel(detector), runs[i].Path, checkpoints);
            }
            catch (IOException e)
            {
                failures.Add(e);
            }
        }

        if (failures.Count > 0) throw new IOException(string.Join(' ', failures.Select(failure => failure.Message)), failures[0]);

        IReadOnlyList<DetectorTransformer> Trained()
        {
            try
            {
                return _display.Show(
                    [.. runs.Select(run => run.Title)],
                    progress => Context.Transforms.FitSideBySide(Train, [.. runs.Zip(progress, OptionsOf)]));
            }
            catch (OperationCanceledException) when (stop?.Reason is { } reason)
            {
                throw new InvalidOperationException($"{reason}; no model is written, as the first epoch had not ended.");
            }
            catch (OperationCanceledException e)
            {
                throw new InterruptedException("no model is written, as the first epoch had not ended.", e);
            }
        }

        DetectorEstimatorOptions OptionsOf(TrainingRun run, IProgress<TrainingProgress> progress)
        {
            DetectorEstimatorOptions options = run.OptionsFor(progress);
            checkpoints ??= options.CheckpointDirectory;
            return saves ? options with { TrainedWeightsPath = TrainingOutput.WeightsOf(run.Path) } : options;
        }
    }

    /// <summary>A class, as a row from which keys are made.</summary>
    private sealed class ClassRow
    {
        public string Label { get; set; } = "";
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
