using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace Microsoft.ML.Distillation;

/// <summary>How a published ONNX detector is run and read. All of it may be left out: then the format's usual ways hold.</summary>
public record OnnxDetectorOptions
{
    /// <summary>What the model wants to see. <see langword="null"/>: <see cref="OnnxPreprocessing.For"/> its format.</summary>
    public OnnxPreprocessing? Preprocessing { get; init; }

    /// <summary>
    /// The width of the input in pixels, where the graph leaves it open. It changes nothing else of <see cref="Preprocessing"/>, whether
    /// that is given or the format's. <see langword="null"/>: that of <see cref="Preprocessing"/>.
    /// </summary>
    public int? InputWidth { get; init; }

    /// <summary>The height of the input in pixels; likewise.</summary>
    public int? InputHeight { get; init; }

    /// <summary>
    /// The score, 0 to 1, from which on a prediction is the detector's opinion. <see langword="null"/>: 0.3, for
    /// <see cref="OnnxDetectorFormat.Detr"/>, <see cref="OnnxDetectorFormat.RtDetr"/> and <see cref="OnnxDetectorFormat.RfDetr"/> 0.5, and
    /// for <see cref="OnnxDetectorFormat.FastestDet"/> 0.6, which score higher; of those that are told in words for
    /// <see cref="OnnxDetectorFormat.OwlV2"/> 0.2, for <see cref="OnnxDetectorFormat.OwlVit"/> 0.1 and for
    /// <see cref="OnnxDetectorFormat.YoloWorld"/> 0.05, which score lower.
    /// </summary>
    public double? ConfidentScore { get; init; }

    /// <summary>
    /// The score, 0 to 1, below which a prediction is noise and dropped. Between the two the detector is unsure: a teacher says neither
    /// "object" nor "background" there. <see langword="null"/>: a third of <see cref="ConfidentScore"/>.
    /// </summary>
    public double? NoiseScore { get; init; }

    /// <summary>The strides of the levels of a model over a grid, in their order. <see langword="null"/>: found from the number of
    /// cells.</summary>
    public IReadOnlyList<int>? Strides { get; init; }

    /// <summary>What turns class outputs, and the objectness of YOLO's rows, into probabilities.</summary>
    public ScoreActivation Activation { get; init; }

    /// <summary>
    /// <see cref="OnnxDetectorFormat.Gfl"/>, <see cref="OnnxDetectorFormat.PicoDet"/> and <see cref="OnnxDetectorFormat.Layout"/>: where in
    /// its cell a prediction stands, in cells. <see langword="null"/>: 0 where all levels are in one output (NanoDet-Plus), 0.5 where each
    /// has its own (NanoDet, PicoDet); the layout's.
    /// </summary>
    public float? CellOffset { get; init; }

    /// <summary>
    /// Of formats with labels, the label of the first of the class names. <see langword="null"/>: 0 where the first is called background,
    /// for <see cref="OnnxDetectorFormat.RtDetr"/>, and for <see cref="OnnxDetectorFormat.Torchvision"/> where the model is shown whole
    /// batches; else 1.
    /// </summary>
    public int? FirstLabel { get; init; }

    /// <summary>Describes the outputs of a model of no known format; makes the format <see cref="OnnxDetectorFormat.Layout"/>. The model is
    /// shown stretched images, RGB, 0 to 1, unless <see cref="Preprocessing"/> says otherwise.</summary>
    public OnnxDetectorLayout? Layout { get; init; }

    /// <summary>
    /// Whether of two boxes that overlap the worse is dropped even if they are of different classes: for detectors that find one object
    /// under several names.
    /// </summary>
    public bool ClassAgnosticSuppression { get; init; }

    /// <summary>
    /// What a detector that is told in words (Grounding DINO, OWL-ViT, OWLv2, YOLO-World) is to find. Its classes are those of the prompts.
    /// <see langword="null"/>: the detector's classes are its own.
    /// </summary>
    public DetectorPrompts? Prompts { get; init; }

    /// <summary>Decodes a model of no known format; makes the format <see cref="OnnxDetectorFormat.Custom"/>.</summary>
    public OnnxDecoder? Decoder { get; init; }

    /// <summary>The number of threads that run the model. 0: as many as there are cores.</summary>
    public int Threads { get; init; }

    /// <summary>
    /// The CUDA device that runs the model, through the package Microsoft.ML.OnnxRuntime.Gpu; without it that is an error, unless
    /// <see cref="FallbackToCpu"/>. <see langword="null"/>: the CPU; a teacher then runs on the device on which the student trains, where
    /// ONNX Runtime can use it.
    /// </summary>
    public int? GpuDeviceId { get; init; }

    /// <summary>Whether the CPU will do where the CUDA device of <see cref="GpuDeviceId"/> is not available.</summary>
    public bool FallbackToCpu { get; init; }

    /// <summary>
    /// Is given ONNX Runtime's settings before the model is loaded, for whatever has no option here: another execution provider
    /// (<c>settings => settings.AppendExecutionProvider_DML(0)</c>), optimisations, logging. The settings are not to be kept.
    /// </summary>
    public Action<SessionOptions>? ConfigureSession { get; init; }

    /// <summary>The size of the input as far as the options say it.</summary>
    internal (int? Width, int? Height) AskedSize => (InputWidth ?? Preprocessing?.Width, InputHeight ?? Preprocessing?.Height);

    /// <summary>How ONNX Runtime is to run the model.</summary>
    internal SessionSettings Session
        => new() { Threads = Threads, GpuDeviceId = GpuDeviceId, FallbackToCpu = FallbackToCpu, Configure = ConfigureSession };

    /// <summary>Checks the options.</summary>
    /// <exception cref="ArgumentException">An option is out of its range; the message names it.</exception>
    internal virtual void Validate()
    {
        Preprocessing?.Validate();
        Check(InputWidth is null or > 0, nameof(InputWidth), InputWidth, "above 0");
        Check(InputHeight is null or > 0, nameof(InputHeight), InputHeight, "above 0");
        Check(ConfidentScore is null or (> 0 and <= 1), nameof(ConfidentScore), ConfidentScore, "above 0 and at most 1");
        Check(NoiseScore is null or (>= 0 and <= 1), nameof(NoiseScore), NoiseScore, "from 0 to 1");
        Check(NoiseScore is null || ConfidentScore is null || NoiseScore <= ConfidentScore, nameof(NoiseScore), NoiseScore,
            $"at most {nameof(ConfidentScore)}");
        Check(Strides is null || (Strides.Count > 0 && Strides.All(stride => stride > 0)), nameof(Strides), Strides,
            "a list of numbers above 0");
        Check(Layout is null || Decoder is null, nameof(Layout), Layout, $"left out where {nameof(Decoder)} is given");
        if (Layout?.Problem is { } problem)
            throw new ArgumentException($"The option {nameof(Layout)} is no description of a detector: {problem}.", nameof(Layout));
        Check(Prompts is null || (Layout is null && Decoder is null), nameof(Prompts), "set",
            $"left out where {nameof(Layout)} or {nameof(Decoder)} is given");
        Check(Threads >= 0, nameof(Threads), Threads, "0 or more");
        Check(GpuDeviceId is null or >= 0, nameof(GpuDeviceId), GpuDeviceId, "0 or more");
    }

    /// <summary>Throws where an option is not valid.</summary>
    private protected static void Check(bool valid, string option, object? value, string range)
    {
        if (!valid) throw new ArgumentOutOfRangeException(option, value, $"The option {option} must be {range}.");
    }
}
