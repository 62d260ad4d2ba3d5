using System.Globalization;
using System.Text;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Published.Decoders;

namespace Microsoft.ML.Distillation;

/// <summary>A feature map of a graph, which can serve as a hint.</summary>
/// <param name="Name">The tensor's name in the graph.</param>
/// <param name="Channels">Its channels.</param>
/// <param name="Height">Its height in cells.</param>
/// <param name="Width">Its width in cells.</param>
/// <param name="Stride">How many pixels of the input a cell is wide.</param>
public sealed record OnnxFeatureMap(string Name, int Channels, int Height, int Width, double Stride);

/// <summary>A format that a model's outputs fit.</summary>
/// <param name="Format">The format.</param>
/// <param name="ClassCounts">The numbers of classes with which they fit it.</param>
public sealed record OnnxFormatGuess(OnnxDetectorFormat Format, IReadOnlyList<int> ClassCounts)
{
    private bool PrintMembers(StringBuilder text)
    {
        text.Append(CultureInfo.InvariantCulture, $"Format = {Format}, ClassCounts = [{string.Join(", ", ClassCounts)}]");
        return true;
    }
}

/// <summary>How a published detector is read.</summary>
/// <param name="Format">What its outputs mean, found out where it was left open.</param>
/// <param name="Preprocessing">What it wants to see.</param>
/// <param name="ConfidentScore">The score, 0 to 1, from which on a prediction is its opinion.</param>
/// <param name="NoiseScore">The score, 0 to 1, below which a prediction is dropped as noise.</param>
public sealed record OnnxReading(OnnxDetectorFormat Format, OnnxPreprocessing Preprocessing, double ConfidentScore, double NoiseScore)
{
    /// <summary>How a detector that is told in words is told: the number of its phrases, classes and passes, and what turns words into
    /// numbers. <see langword="null"/>: it is not told in words.</summary>
    public string? Words { get; init; }
}

/// <summary>What a published ONNX detector takes and gives, as far as its graph shows it: to find out how to read it.</summary>
public sealed class OnnxModelInspection
{
    // No published detector that ends in class scores has more.
    private const int MostClasses = 1204;

    private readonly string _path;
    private readonly OnnxDetectorOptions _options;
    private readonly ImageSize _size;
    private readonly IReadOnlyList<IReadOnlyList<OnnxOutput>> _probes;
    private readonly IReadOnlyList<string> _inputs;

    private OnnxModelInspection(string path, OnnxDetectorOptions options, OnnxRunner runner)
    {
        InputSpec input = runner.Input;
        (_path, _options) = (path, options);
        _size = new ImageSize(options.AskedSize.Width ?? input.Width ?? PublishedDetector.DefaultSize, options.AskedSize.Height
            ?? input.Height ?? PublishedDetector.DefaultSize);
        string batch = !input.HasBatch ? "" : input.FixedBatch is int fixedBatch ? $"{fixedBatch}, " : "N, ";
        string sides = $"{(input.Height is int h ? $"{h}" : "H")}, {(input.Width is int w ? $"{w}" : "W")}";
        Input = $"'{input.Name}' {input.Type} [{batch}{(input.ChannelsLast ? $"{sides}, 3" : $"3, {sides}")}]";
        var probes = new ProbePictures(runner, _size);
        Outputs = probes.Grey.Outputs;
        _probes = [.. probes.Outputs];
        (OutputsAreBatched, _inputs) = (runner.OutputsBatched, runner.Inputs);
        OtherTask = OtherTasks.Of(runner.Metadata, Outputs, Context(classes: 1));
    }

    /// <summary>The input that takes the image: its name, element type and shape.</summary>
    public string Input { get; }

    /// <summary>The width of the input in pixels: the graph's, the options', or 640.</summary>
    public int InputWidth => _size.Width;

    /// <summary>The height of the input in pixels; likewise.</summary>
    public int InputHeight => _size.Height;

    /// <summary>What the model gives for a grey image.</summary>
    public IReadOnlyList<OnnxOutput> Outputs { get; }

    /// <summary>Whether the outputs have a batch's axis, which <see cref="Outputs"/> leave out.</summary>
    public bool OutputsAreBatched { get; }

    /// <summary>
    /// What the model finds where it is no detector of upright boxes, by its metadata or its outputs: oriented boxes, masks, poses.
    /// <see langword="null"/>: nothing says that it is none.
    /// </summary>
    public string? OtherTask { get; }

    /// <summary>Runs a model on a few pictures made for it.</summary>
    /// <param name="path">The .onnx file.</param>
    /// <param name="options">How it is to be run; of its reading the input's size alone counts.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">The file is not a model that ONNX Runtime can load.</exception>
    /// <exception cref="NotSupportedException">No input takes an image, or what another input means is not known.</exception>
    public static OnnxModelInspection Of(string path, OnnxDetectorOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= new OnnxDetectorOptions();
        options.Validate();
        using var runner = new OnnxRunner(path, [], options);
        return new OnnxModelInspection(path, options, runner);
    }

    /// <summary>The formats that the outputs fit without doubt, with the numbers of classes for which they do; empty where there is
    /// none.</summary>
    public IReadOnlyList<OnnxFormatGuess> GuessFormats()
    {
        var fits = new Dictionary<OnnxDetectorFormat, List<int>>();
        for (int classes = 1; classes <= MostClasses && OtherTask is null; classes++)
        {
            try
            {
                IOutputDecoder decoder = FormatRecognition.Choose(OnnxDetectorFormat.Auto, _probes, Context(classes), _path);
                foreach (OnnxDetectorFormat format in decoder is UndecidedDecoder several ? several.Formats : [decoder.Format])
                {
                    if (!fits.TryGetValue(format, out List<int>? counts)) fits[format] = counts = [];
                    counts.Add(classes);
                }
            }
            catch (FormatException)
            {
                // Of so many classes it is no known format, or no certain one.
            }
        }

        return [.. fits.Select(fit => new OnnxFormatGuess(fit.Key, fit.Value))];
    }

    /// <summary>The tensors of the graph that can be hints (<c>OnnxTeacherOptions.Hints</c>), in its order; found by running it with all of
    /// them as outputs.</summary>
    public IReadOnlyList<OnnxFeatureMap> FeatureMaps()
    {
        IReadOnlyList<string> tensors = GraphSurgery.Tensors(OnnxModelFile.LoadAll(_path)[0].Model);
        using var runner = new OnnxRunner(_path, tensors, _options);
        IReadOnlyList<OnnxOutput> maps = runner.Run(new float[3 * _size.Width * _size.Height], _size)[0].Exposed;
        return [.. maps.Where(map => !map.IsInteger).Select(FeatureMap).OfType<OnnxFeatureMap>()];
    }

    /// <summary>The class names that a file carries in its metadata, as those of Ultralytics do; <see langword="null"/>: it carries
    /// none that can be read.</summary>
    /// <exception cref="FormatException">The file is no ONNX model.</exception>
    public static IReadOnlyList<string>? ClassNamesIn(string path) => EmbeddedClassNames.In(path);

    /// <summary>Why the class names that a file carries cannot be read; <see langword="null"/>: they can, or it carries none.</summary>
    /// <exception cref="FormatException">The file is no ONNX model.</exception>
    public static string? ClassNamesProblemIn(string path) => EmbeddedClassNames.ProblemOf(path);

    private DecoderContext Context(int classes)
        => new(_size, [.. Enumerable.Range(0, classes).Select(c => $"{c}")], _options, OutputsAreBatched) { Inputs = _inputs };

    private OnnxFeatureMap? FeatureMap(OnnxOutput map)
    {
        if (map.Shape is not [int channels, int height, int width] || height < 2 || width < 2) return null;
        (double across, double down) = ((double)_size.Width / width, (double)_size.Height / height);
        // A map of the image keeps the image's proportions but for the rounding of cells.
        return Math.Abs(across / down - 1) < 0.2 ? new OnnxFeatureMap(map.Name, channels, height, width, across) : null;
    }
}
