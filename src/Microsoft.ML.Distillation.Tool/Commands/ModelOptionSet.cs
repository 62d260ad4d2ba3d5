using System.CommandLine;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary>The options that name a detector to look with: a model of this library, or anyone's ONNX detector and how it is read.</summary>
/// <param name="isRequired">Whether the command has nothing to do without one.</param>
internal sealed class ModelOptionSet(bool isRequired)
{
    private readonly Option<string?> _model = new("--model")
    {
        Description = "The model (.zip or .onnx), or anyone's ONNX detector with --classes.",
        HelpName = "FILE",
        Required = isRequired,
    };

    private readonly Option<string?> _classes = SharedOptions.Path("--classes",
        "The classes of an ONNX detector of another origin, one in each line, in its order. [default: those in its metadata]", "FILE");
    private readonly Option<string> _format = SharedOptions
        .Choice("--model-format", "What its outputs mean.", [.. TeacherOptionSet.Formats.Select(format => format.Name)]);
    private readonly Option<string?> _layout = SharedOptions.Path("--model-layout",
        "A YAML file that describes its outputs, where they are of no known format.", "FILE");
    private readonly Option<string?> _size = SharedOptions.Text("--model-size",
        "The size of its input, where its graph leaves it open, as 640x480. [default: 640x640]", "WxH");
    private readonly Option<int?> _device = SharedOptions.Device("What runs the model.");

    /// <summary>What is said to a detector that is told in words.</summary>
    public PromptOptionSet Prompts { get; } = new();

    /// <summary>Adds these to a command's options.</summary>
    public void AddTo(IList<Option> options)
    {
        foreach (Option option in (Option[])[_model, _classes, _format, _layout, _size, _device]) options.Add(option);
        Prompts.AddTo(options);
    }

    /// <summary>The model's file.</summary>
    public string? PathIn(ParseResult parsed) => parsed.GetValue(_model);

    /// <summary>How it is run and read.</summary>
    /// <exception cref="UsageException">An option cannot be read.</exception>
    public ObjectDetectorOptions OptionsOf(ParseResult parsed)
    {
        (int Width, int Height)? size = parsed.GetValue(_size) is { } text ? TeacherOptionSet.Size(_size.Name, text) : null;
        OnnxDetectorFormat format = TeacherOptionSet.Formats.First(known => known.Name == parsed.GetRequiredValue(_format)).Format;
        string? classes = parsed.GetValue(_classes);
        if (classes is not null && Prompts.AreGiven(parsed)) throw new UsageException(
            $"{_classes.Name} does not go with prompts, whose classes are the detector's.");
        return new ObjectDetectorOptions
        {
            MaxPixels = SharedOptions.MaxPixelsIn(parsed),
            Prompts = Prompts.Read(parsed),
            ClassNames = classes is null ? null : Teacher.FromOnnx(PathIn(parsed) ?? "", format, classes).ClassNames,
            Format = format,
            Layout = parsed.GetValue(_layout) is { } layout ? OnnxDetectorLayout.Load(layout) : null,
            InputWidth = size?.Width,
            InputHeight = size?.Height,
            GpuDeviceId = parsed.GetValue(_device),
        };
    }
}
