using System.CommandLine;
using System.Globalization;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary>The options that name a teacher: a model of this library, or anyone's ONNX detector and how it is read.</summary>
internal sealed class TeacherOptionSet
{
    /// <summary>The formats of detectors by their names on the command line.</summary>
    public static readonly (string Name, OnnxDetectorFormat Format)[] Formats =
    [
        ("auto", OnnxDetectorFormat.Auto), ("yolox", OnnxDetectorFormat.YoloX), ("yolov5", OnnxDetectorFormat.YoloV5),
        ("yolov8", OnnxDetectorFormat.YoloV8),
        ("gfl", OnnxDetectorFormat.Gfl), ("detr", OnnxDetectorFormat.Detr), ("ssd", OnnxDetectorFormat.Ssd),
        ("torchvision", OnnxDetectorFormat.Torchvision),
        ("fastestdet", OnnxDetectorFormat.FastestDet), ("rtdetr", OnnxDetectorFormat.RtDetr), ("tensorflow", OnnxDetectorFormat.TensorFlow),
        ("yolo-end-to-end", OnnxDetectorFormat.YoloEndToEnd), ("rfdetr", OnnxDetectorFormat.RfDetr),
        ("yolo-nas", OnnxDetectorFormat.YoloNas), ("damo-yolo", OnnxDetectorFormat.DamoYolo), ("paddle", OnnxDetectorFormat.Paddle),
        ("mmdeploy", OnnxDetectorFormat.MMDeploy), ("picodet", OnnxDetectorFormat.PicoDet),
        ("grounding-dino", OnnxDetectorFormat.GroundingDino), ("owl-vit", OnnxDetectorFormat.OwlVit), ("owlv2", OnnxDetectorFormat.OwlV2),
        ("yolo-world", OnnxDetectorFormat.YoloWorld),
    ];

    private static readonly (string Name, ImageFit Fit)[] Fits =
        [("preset", default), ("stretch", ImageFit.Stretch), ("letterbox", ImageFit.LetterboxCentred),
            ("letterbox-top-left", ImageFit.LetterboxTopLeft)];

    private static readonly (string Name, ScoreActivation Activation)[] Activations =
        [("preset", ScoreActivation.Auto), ("none", ScoreActivation.None), ("sigmoid", ScoreActivation.Sigmoid),
            ("softmax", ScoreActivation.Softmax)];

    /// <summary>The orders of colours by their names on the command line.</summary>
    public static readonly (string Name, ChannelOrder Order)[] Orders =
        [("preset", default), ("rgb", ChannelOrder.Rgb), ("bgr", ChannelOrder.Bgr)];

    private readonly Option<string> _teacher = SharedOptions.RequiredPath(
        "--teacher", "The teacher: a model of 'ml-distill train' (.zip or .onnx), or anyone's ONNX detector with --teacher-classes, or "
            + "--prompt.",
        "FILE");

    private readonly Option<string?> _classes = SharedOptions.Path("--teacher-classes",
        "The ONNX teacher's own classes, one in each line, in its order. [default: those in its metadata, where it has them]", "FILE");
    private readonly Option<string> _format = SharedOptions
        .Choice("--teacher-format", "What the ONNX teacher's outputs mean.", [.. Formats.Select(format => format.Name)]);
    private readonly Option<string?> _layout = SharedOptions.Path("--teacher-layout",
        "A YAML file that describes the ONNX teacher's outputs, where they are of no known format.", "FILE");
    private readonly Option<string> _activation = SharedOptions.Choice("--teacher-activation",
        "What turns the ONNX teacher's class outputs into probabilities.", [.. Activations.Select(activation => activation.Name)]);
    private readonly Option<int?> _firstLabel = SharedOptions.Count(
        "--teacher-first-label", "The label of the ONNX teacher's first class. [default: the format's]", 0);
    private readonly Option<bool> _agnostic = new("--teacher-class-agnostic")
    {
        Description = "Of two boxes that overlap the worse is dropped, even if they are of different classes.",
    };
    private readonly Option<string?> _aliases = SharedOptions
        .Path("--teacher-aliases", "Names that mean the same class, 'motorbike = motorcycle' in each line.", "FILE");
    private readonly Option<string?> _size = SharedOptions.Text("--teacher-size",
        "The size of the ONNX teacher's input, where its graph leaves it open, as 640x480. [default: 640x640]", "WxH");
    private readonly Option<string> _fit = SharedOptions
        .Choice("--teacher-fit", "How the image is brought to that size.", [.. Fits.Select(fit => fit.Name)]);
    private readonly Option<double?> _fill = SharedOptions
        .Number("--teacher-fill", "The grey of a letterbox's bars. [default: 114]", 0, 255);
    private readonly Option<string> _channels = SharedOptions
        .Choice("--teacher-channels", "The order of the colours.", [.. Orders.Select(order => order.Name)]);
    private readonly Option<double?> _scale = SharedOptions
        .Number("--teacher-scale", "The factor on pixels from 0 to 255. [default: the format's]", double.Epsilon);
    private readonly Option<string?> _mean = SharedOptions
        .Text("--teacher-mean", "What is subtracted then, for each channel in the model's order. [default: the format's]", "A,B,C");
    private readonly Option<string?> _deviation = SharedOptions
        .Text("--teacher-std", "What is divided by at last, likewise. [default: the format's]", "A,B,C");
    private readonly Option<double?> _score = SharedOptions
        .Number("--teacher-score", "The score from which on a prediction is the teacher's opinion. [default: the format's]", 1e-6, 1);
    private readonly Option<int?> _threads = SharedOptions
        .Count("--teacher-threads", "The threads that run the ONNX teacher. [default: all cores]");

    private readonly Option<string?> _device = SharedOptions.Text(
        "--teacher-device", "Where the ONNX teacher runs: cpu, or a CUDA device as cuda:0. [default: where the student trains, if "
            + "ONNX Runtime has CUDA there]", "cpu|cuda:N");

    private readonly Option<string> _runIn = SharedOptions.Choice("--teacher-run-in",
        "What runs the ONNX teacher: ONNX Runtime, or libtorch where the student trains.", "onnxruntime", "torch");

    private readonly Option<string?> _cache = SharedOptions.Path(
        "--teacher-cache", "A folder for the ONNX teacher's answers: it looks at each image once, not in every epoch. Not with --hint.",
        "DIR");

    private readonly Option<double?> _cacheSize = SharedOptions
        .Number("--teacher-cache-gb", "The bound of that folder in gigabytes. [default: 4]", 0.001);

    /// <summary>Adds these to a command's options.</summary>
    /// <param name="teaches">Whether the command trains or labels, and not only looks at the teacher.</param>
    public void AddTo(IList<Option> options, bool teaches = true)
    {
        options.Add(_teacher);
        Prompts.AddTo(options);
        foreach (Option option in teaches ? Onnx : Onnx.Except([_runIn, _cache, _cacheSize])) options.Add(option);
    }

    /// <summary>What a teacher that is told in words is told.</summary>
    public PromptOptionSet Prompts { get; } = new();

    private Option[] Onnx => [_classes, _format, _layout, _activation, _firstLabel, _agnostic,
        _aliases, _size, _fit, _fill, _channels, _scale, _mean, _deviation, _score, _threads,
        _device, _runIn, _cache, _cacheSize];

    /// <summary>The teacher's file.</summary>
    public string PathOf(ParseResult parsed) => parsed.GetRequiredValue(_teacher);

    /// <summary>Whether the teacher is an ONNX detector that this library did not make.</summary>
    public bool IsPublished(ParseResult parsed) => NamesOf(parsed) is not null;

    /// <summary>Whether the teacher is a model of this library in the plain form, which takes images at the network's size alone.</summary>
    public bool IsPlain(ParseResult parsed) => !IsPublished(parsed) && TrainedDetector.FromModel(PathOf(parsed)).IsPlain;

    /// <summary>The teacher.</summary>
    /// <param name="hints">Tensors of its graph that serve as hints.</param>
    /// <exception cref="UsageException">The options do not go together.</exception>
    public Teacher Open(ParseResult parsed, IReadOnlyList<string> hints)
    {
        string path = PathOf(parsed);
        Option? reading = Prompts.All.Concat(Onnx).FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false });
        if (reading is not null && IsOwn(path)) throw new UsageException(
            $"'{path}' is a detector of this library, which says itself how it is read: leave out {reading.Name}.");
        if (hints.Count > 0 && parsed.GetValue(_cache) is not null) throw new UsageException(
            "--teacher-cache keeps no feature maps: it does not go with --hint.");
        if (hints.Count > 0 && Prompts.AreGiven(parsed)) throw new UsageException("--hint does not go with --prompt.");
        if (Prompts.AreGiven(parsed) && parsed.GetValue(_runIn) == "torch") throw new UsageException(
            $"{_runIn.Name} torch does not go with --prompt: ONNX Runtime runs detectors that are told in words.");
        if (NamesOf(parsed) is { } names) return Teacher.FromOnnx(path, FormatOf(parsed), names, OptionsOf(parsed) with { Hints = hints });
        if (reading is not null) throw new UsageException(
            $"{reading.Name} goes with --teacher-classes: they are for an ONNX detector of another origin.");
        try
        {
            return Teacher.FromModel(path);
        }
        catch (FormatException error) when (Path.GetExtension(path).Equals(".onnx", StringComparison.OrdinalIgnoreCase))
        {
            string unread = OnnxModelInspection.ClassNamesProblemIn(path) is { } problem
                ? $" Those in its metadata are not read: {problem}." : "";
            throw new UsageException($"{error.Message} If it is a detector of another origin, give its classes with --teacher-classes, or "
                + $"if it is told in words these with --prompt (see 'ml-distill inspect-teacher').{unread}");
        }
    }

    /// <summary>Whether a file is a model of this library.</summary>
    public static bool IsOwn(string path)
    {
        try
        {
            TrainedDetector.FromModel(path);
            return true;
        }
        catch (Exception error) when (error is FormatException or InvalidDataException or IOException)
        {
            // Anyone's file, or none: what reads it next says so.
            return false;
        }
    }

    /// <summary>The format that was given.</summary>
    public OnnxDetectorFormat FormatOf(ParseResult parsed)
        => Formats.First(format => format.Name == parsed.GetRequiredValue(_format)).Format;

    /// <summary>The classes of an ONNX detector of another origin: those that were given, or that it carries; null for a model of this
    /// library.</summary>
    public IReadOnlyList<string>? NamesOf(ParseResult parsed) => Prompts.Read(parsed) is { } prompts
        ? parsed.GetValue(_classes) is null ? prompts.ClassNames : throw new UsageException(
            "--teacher-classes does not go with prompts, whose classes are the teacher's.")
        : parsed.GetValue(_classes) is string classes
        ? Teacher.FromOnnx(PathOf(parsed), FormatOf(parsed), classes).ClassNames
        : Path.GetExtension(PathOf(parsed)).Equals(".onnx", StringComparison.OrdinalIgnoreCase)
            ? OnnxModelInspection.ClassNamesIn(PathOf(parsed)) : null;

    /// <summary>How a teacher of another origin is run to be measured; <see langword="null"/>: as models of this library are.</summary>
    public ObjectDetectorOptions? DetectorOptionsOf(ParseResult parsed) => !IsPublished(parsed) ? null
        : new ObjectDetectorOptions(OptionsOf(parsed))
        {
            Format = FormatOf(parsed),
            ClassNames = parsed.GetValue(_classes) is null ? null : NamesOf(parsed),
            MaxPixels = SharedOptions.MaxPixelsIn(parsed),
        };

    /// <summary>How the ONNX teacher is run and read.</summary>
    /// <exception cref="UsageException">An option cannot be read.</exception>
    public OnnxTeacherOptions OptionsOf(ParseResult parsed) => new()
    {
        Prompts = Prompts.Read(parsed),
        Preprocessing = PreprocessingOf(parsed),
        InputWidth = SizeOf(parsed)?.Width,
        InputHeight = SizeOf(parsed)?.Height,
        Layout = parsed.GetValue(_layout) is string layout ? OnnxDetectorLayout.Load(layout) : null,
        Activation = Activations.First(activation => activation.Name == parsed.GetRequiredValue(_activation)).Activation,
        FirstLabel = parsed.GetValue(_firstLabel),
        ClassAgnosticSuppression = parsed.GetValue(_agnostic),
        AliasFile = parsed.GetValue(_aliases),
        ConfidentScore = parsed.GetValue(_score),
        Threads = parsed.GetValue(_threads) ?? 0,
        RunIn = parsed.GetValue(_runIn) == "torch" ? OnnxTeacherRuntime.TorchSharp : OnnxTeacherRuntime.OnnxRuntime,
        CpuOnly = parsed.GetValue(_device) == "cpu",
        GpuDeviceId = GpuOf(parsed.GetValue(_device)),
        CacheDirectory = parsed.GetValue(_cache),
        CacheBytes = (long)((parsed.GetValue(_cacheSize) ?? 4) * (1L << 30)),
    };

    /// <summary>The format's preset with what was given; where nothing was, the preset is left to the format that is found.</summary>
    private OnnxPreprocessing? PreprocessingOf(ParseResult parsed)
    {
        Option[] given = [.. ((Option[])[_fit, _fill, _channels, _scale, _mean, _deviation])
            .Where(option => parsed.GetResult(option) is { Implicit: false })];
        if (given.Length == 0) return null;
        OnnxDetectorFormat format = parsed.GetValue(_layout) is null ? FormatOf(parsed) : OnnxDetectorFormat.Layout;
        if (format == OnnxDetectorFormat.Auto) throw new UsageException(
            $"{given[0].Name} changes a format's preset: name the format with --teacher-format.");
        OnnxPreprocessing preset = OnnxPreprocessing.For(format);
        return preset with
        {
            Fit = parsed.GetValue(_fit) is not (null or "preset") ? Fits.First(fit => fit.Name == parsed.GetValue(_fit)).Fit : preset.Fit,
            Fill = (float)(parsed.GetValue(_fill) ?? preset.Fill),
            Channels = parsed.GetValue(_channels) is not (null or "preset")
                ? Orders.First(order => order.Name == parsed.GetValue(_channels)).Order : preset.Channels,
            Scale = (float)(parsed.GetValue(_scale) ?? preset.Scale),
            Mean = parsed.GetValue(_mean) is string mean ? SharedOptions.Three(_mean.Name, mean) : preset.Mean,
            StandardDeviation = parsed.GetValue(_deviation) is string deviation ? SharedOptions.Three(_deviation.Name, deviation)
                : preset.StandardDeviation,
        };
    }

    private static int? GpuOf(string? text) => text is null or "cpu" ? null
        : int.TryParse(text.StartsWith("cuda:", StringComparison.Ordinal) ? text[5..] : text, NumberStyles.None,
            CultureInfo.InvariantCulture, out int device) ? device
        : throw new UsageException($"--teacher-device must be cpu, or a CUDA device as cuda:0, not '{text}'.");

    private (int Width, int Height)? SizeOf(ParseResult parsed) => parsed.GetValue(_size) is string text ? Size(_size.Name, text) : null;

    /// <summary>Reads a size.</summary>
    /// <exception cref="UsageException">It is none.</exception>
    public static (int Width, int Height) Size(string option, string text)
    {
        string[] parts = text.Split('x');
        return parts.Length == 2 && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int width)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int height) && width > 0 && height > 0
            ? (width, height)
            : throw new UsageException($"{option} is written as 640x480, not '{text}'.");
    }
}

/// <summary>The option that pairs feature maps of the student with maps or tensors of the teacher.</summary>
internal sealed class HintOptionSet
{
    private readonly Option<string[]> _hints = new("--hint")
    {
        Description = "A feature map of the student and the teacher's that it learns to resemble, as layer3=TENSOR; any tensor of an ONNX "
            + "teacher's graph "
            + "will do ('ml-distill inspect-teacher --tensors' lists them). May be given several times. [default: chosen by size; none "
                + "for an ONNX teacher]",
        HelpName = "STUDENT=TEACHER",
        AllowMultipleArgumentsPerToken = false,
    };

    /// <summary>Adds it to a command's options.</summary>
    public void AddTo(IList<Option> options) => options.Add(_hints);

    /// <summary>The pairs that were given.</summary>
    /// <exception cref="UsageException">One is no pair.</exception>
    public IReadOnlyList<HintPair> Read(ParseResult parsed) => [.. (parsed.GetValue(_hints) ?? []).Select(text =>
        text.IndexOf('=', StringComparison.Ordinal) is > 0 and int at && at < text.Length - 1
            ? new HintPair(text[..at], text[(at + 1)..])
            : throw new UsageException($"--hint is written STUDENT=TEACHER, not '{text}'."))];
}
