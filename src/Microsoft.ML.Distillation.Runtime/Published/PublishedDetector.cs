using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Published.Decoders;
using Microsoft.ML.Distillation.Published.Prompts;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Published;

/// <summary>What an ONNX detector makes of one image.</summary>
/// <param name="Predictions">Its predictions before suppression.</param>
/// <param name="Hints">The feature maps asked for, [C,h,w], as the graph has them: of the whole input, bars too.</param>
/// <param name="Frame">Where in the input the image lies.</param>
internal sealed record OnnxDetection(DensePredictions Predictions, IReadOnlyList<OnnxOutput> Hints, InputFrame Frame);

/// <summary>An ONNX detector that someone published: prepares images for it, runs it, and reads its outputs.</summary>
internal sealed class PublishedDetector : IDisposable
{
    /// <summary>The width and height of inputs that neither the graph nor the options fix.</summary>
    public const int DefaultSize = 640;

    private readonly IModelRunner _runner;
    private readonly IOutputDecoder _decoder;
    private readonly DecoderContext _context;
    private readonly InputWriter _writer;
    private readonly PromptedRunner? _prompted;
    private readonly float _floor;
    private readonly Soundness _soundness;

    /// <param name="source">The .onnx file.</param>
    /// <param name="format">What its outputs mean.</param>
    /// <param name="classNames">Its own classes, in its order.</param>
    /// <param name="hints">Tensors of the graph to be given as feature maps, each [N, channels, height, width].</param>
    /// <param name="floor">The confidence below which predictions are dropped; <see langword="null"/>: the options' noise.</param>
    /// <param name="runner">
    /// What runs it, which belongs to this from now on, whatever comes of it; <see langword="null"/>: ONNX Runtime.
    /// </param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">The file cannot be loaded, or its outputs are not of the format.</exception>
    /// <exception cref="ArgumentException">A name or an option does not fit the model.</exception>
    public PublishedDetector(
        OnnxSource source, OnnxDetectorFormat format, IReadOnlyList<string> classNames, OnnxDetectorOptions options,
        IReadOnlyList<string>? hints = null, float? floor = null, IModelRunner? runner = null)
    {
        if (runner is null) Check(classNames, options);
        ClassNames = classNames;
        PromptedRunner? prompted = null;
        _runner = runner ?? (options.Prompts is { } prompts
            ? prompted = new PromptedRunner(source, format, prompts, options, Remarks) : new OnnxRunner(source, hints ?? [], options));
        try
        {
            Check(classNames, options);
            InputSize = SizeOf(_runner.Input, options, source.Name);
            _context = new DecoderContext(InputSize, classNames, options, _runner.OutputsBatched) { Inputs = _runner.Inputs };
            (_decoder, HintShapes) = prompted is not null ? (prompted.Decoder, []) : Recognise(source.Name, format);
        }
        catch
        {
            _runner.Dispose();
            throw;
        }

        Preprocessing = options.Preprocessing ?? UsualPreprocessing(Format, _runner.Input);
        _writer = new InputWriter(Preprocessing);
        ConfidentScore = options.ConfidentScore ?? Format switch
        {
            OnnxDetectorFormat.Detr or OnnxDetectorFormat.RtDetr or OnnxDetectorFormat.RfDetr => 0.5,
            OnnxDetectorFormat.FastestDet => 0.6,
            // Words score low.
            OnnxDetectorFormat.OwlV2 => 0.2,
            OnnxDetectorFormat.OwlVit => 0.1,
            OnnxDetectorFormat.YoloWorld => 0.05,
            _ => 0.3,
        };
        _prompted = prompted;
        NoiseScore = options.NoiseScore ?? ConfidentScore / 3;
        _floor = floor ?? (float)NoiseScore;
        IsSuppressed = _decoder.IsSuppressed;
        IsClassAgnostic = options.ClassAgnosticSuppression;
        _soundness = new Soundness(source.Name, Remarks);
    }

    /// <summary>The format of its outputs, found out where it was left open.</summary>
    public OnnxDetectorFormat Format => _decoder.Format;

    /// <summary>Its own classes, in its order.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <inheritdoc cref="OnnxRunner.Fallback"/>
    public string? Fallback => _runner.Fallback;

    /// <summary>What is found out about it while it works.</summary>
    public DetectorRemarks Remarks { get; } = new();

    /// <summary>How it is told in words, where it is.</summary>
    public string? Words => _prompted?.Description;

    /// <summary>The size of its input.</summary>
    public ImageSize InputSize { get; }

    /// <summary>What it wants to see.</summary>
    public OnnxPreprocessing Preprocessing { get; }

    /// <summary>The score from which on a prediction is its opinion.</summary>
    public double ConfidentScore { get; }

    /// <summary>The score below which a prediction is noise.</summary>
    public double NoiseScore { get; }

    /// <summary>Whether it has dropped what it found twice itself, so that nothing more is.</summary>
    public bool IsSuppressed { get; }

    /// <summary>Whether boxes of different classes suppress one another.</summary>
    public bool IsClassAgnostic { get; }

    /// <summary>The name and shape [C,h,w] of each hint.</summary>
    public IReadOnlyList<(string Name, int Channels, int Height, int Width)> HintShapes { get; }

    /// <summary>Runs the detector on a batch.</summary>
    /// <param name="pixels">N images of 3·H·W values each, of <see cref="InputSize"/>, RGB planes, 0 to 1: each image stretched to that
    /// size.</param>
    /// <param name="sizes">The N images' sizes before they were stretched, of which only the proportions count, unless the
    /// model's boxes are in their pixels.</param>
    /// <exception cref="FormatException">What the model says cannot be read as the format: it is another, or is shown the wrong
    /// thing.</exception>
    public IReadOnlyList<OnnxDetection> Run(float[] pixels, IReadOnlyList<ImageSize> sizes, CancellationToken cancellation = default)
    {
        int count = sizes.Count;
        if (pixels.Length != count * 3 * InputSize.Width * InputSize.Height)
            throw new ArgumentException($"{count} images of 3 x {InputSize.Height} x {InputSize.Width} values are expected, not "
                + $"{pixels.Length} values.", nameof(pixels));
        var inputs = new float[pixels.Length];
        int length = 3 * InputSize.Width * InputSize.Height;
        InputFrame[] frames = [.. Enumerable.Range(0, count).Select(i => _runner.FrameOf(InputSize, sizes[i], Preprocessing.Fit))];
        Parallel.For(0, count, i => _writer.Write(pixels.AsSpan(i * length, length), frames[i], inputs.AsSpan(i * length, length)));

        bool tells = _runner.WantsSizes || _context.Options.Layout is { BoxUnit: OnnxBoxUnit.PicturePixels };
        OnnxAnswer[] answers = _runner.Run(inputs, InputSize, tells ? sizes : null, cancellation);
        return [.. Enumerable.Range(0, count).Select(i => Decode(answers[i], frames[i], sizes[i]))];
    }

    public void Dispose() => _runner.Dispose();

    /// <summary>The detections that it reports, best first, of what it predicts for an image.</summary>
    /// <param name="threshold">The overlap (IoU) from which on the worse of two is dropped.</param>
    public Detections Suppress(DensePredictions predictions, float threshold = Suppression.Threshold)
        => Suppression.Detect(predictions, IsSuppressed ? 1 : threshold, IsClassAgnostic);

    private static void Check(IReadOnlyList<string> classNames, OnnxDetectorOptions options)
    {
        options.Validate();
        if (classNames.Count == 0) throw new ArgumentException("The detector's class names are empty.", nameof(classNames));
    }

    /// <summary>Finds out what the outputs mean, by what they are for a few pictures.</summary>
    private (IOutputDecoder, IReadOnlyList<(string Name, int Channels, int Height, int Width)>) Recognise(
        string source, OnnxDetectorFormat format)
    {
        var probes = new ProbePictures(_runner, InputSize);
        OnnxAnswer grey = probes.Grey;
        OtherTasks.Refuse(source, _runner.Metadata, grey.Outputs, _context);
        IOutputDecoder decoder = FormatRecognition.Choose(format, probes.Outputs, _context, source);
        return (decoder, [.. grey.Exposed.Select(CheckHint)]);
    }

    private OnnxDetection Decode(OnnxAnswer answer, InputFrame frame, ImageSize picture)
    {
        var sink = new PredictionSink(frame, _floor, picture) { ConfidentScore = ConfidentScore };
        _decoder.Decode(answer.Outputs, _context, sink);
        _soundness.Check(sink, answer.Outputs, _decoder, ClassNames);
        return new OnnxDetection(sink.ToPredictions(), answer.Exposed, frame);
    }

    private static ImageSize SizeOf(InputSpec input, OnnxDetectorOptions options, string path)
    {
        (int? width, int? height) = options.AskedSize;
        return new ImageSize(Side("width", input.Width, width), Side("height", input.Height, height));

        int Side(string name, int? graph, int? asked) => graph is null || asked is null || graph == asked
            ? graph ?? asked ?? DefaultSize
            : throw new ArgumentException($"The detector '{path}' takes images of {name} {graph}, and the options ask for {asked}.",
                nameof(options));
    }

    /// <summary>The preset of a format, as far as the graph says nothing else.</summary>
    internal static OnnxPreprocessing UsualPreprocessing(OnnxDetectorFormat format, InputSpec input)
    {
        OnnxPreprocessing preset = OnnxPreprocessing.For(format);
        return input.TakesBytes
            ? preset with { Scale = 1, Mean = [0, 0, 0], StandardDeviation = [1, 1, 1] }
            : preset;
    }

    private static (string Name, int Channels, int Height, int Width) CheckHint(OnnxOutput hint) =>
        hint.Shape is [int channels, int height, int width]
            ? (hint.Name, channels, height, width)
            : throw new ArgumentException($"The tensor {hint} is no feature map: a hint is [channels, height, width] for each image.",
                nameof(hint));
}
