namespace Microsoft.ML.Distillation;

/// <summary>How an ONNX detector is run, read, and asked.</summary>
public sealed record OnnxTeacherOptions
{
    /// <summary>What the model wants to see. <see langword="null"/>: <see cref="TeacherPreprocessing.For"/> its format.</summary>
    public TeacherPreprocessing? Preprocessing { get; init; }

    /// <summary>
    /// The width of the input in pixels, where the graph leaves it open. It changes nothing else of <see cref="Preprocessing"/>, whether that is
    /// given or the format's. <see langword="null"/>: that of <see cref="Preprocessing"/>.
    /// </summary>
    public int? InputWidth { get; init; }

    /// <summary>The height of the input in pixels; likewise.</summary>
    public int? InputHeight { get; init; }

    /// <summary>
    /// The tensors of the graph that may serve as hints, each [N, channels, height, width], from near the input to far from it. They need
    /// not be outputs of the graph.
    /// </summary>
    public IReadOnlyList<string> Hints { get; init; } = [];

    /// <summary>
    /// Names that mean the same class, as <c>motorbike</c> and <c>motorcycle</c>. They are used in either direction, for classes whose
    /// own name the other side does not have. The names by which PASCAL VOC and COCO differ are known.
    /// </summary>
    public IReadOnlyDictionary<string, string> Aliases { get; init; } = new Dictionary<string, string>();

    /// <summary>A file of further aliases, <c>motorbike = motorcycle</c> in each line; lines that begin with # are skipped.</summary>
    public string? AliasFile { get; init; }

    /// <summary>
    /// The score from which on a prediction is the teacher's opinion. <see langword="null"/>: 0.3, for <see cref="TeacherFormat.Detr"/> and
    /// <see cref="TeacherFormat.RtDetr"/> 0.5, and for <see cref="TeacherFormat.FastestDet"/> 0.6, which score higher.
    /// </summary>
    public double? ConfidentScore { get; init; }

    /// <summary>
    /// The score below which a prediction is noise. Between the two the teacher is unsure: it says neither "object" nor "background"
    /// there. <see langword="null"/>: a third of <see cref="ConfidentScore"/>.
    /// </summary>
    public double? NoiseScore { get; init; }

    /// <summary>The overlap (IoU) from which on a confident prediction answers for a box.</summary>
    public double MatchOverlap { get; init; } = 0.5;

    /// <summary>The overlap (IoU) below which a box has nothing to do with a prediction.</summary>
    public double ForeignOverlap { get; init; } = 0.3;

    /// <summary>The strides of the levels of a model over a grid, in their order. <see langword="null"/>: found from the number of cells.</summary>
    public IReadOnlyList<int>? Strides { get; init; }

    /// <summary>What turns class outputs into probabilities.</summary>
    public ScoreActivation Activation { get; init; }

    /// <summary>
    /// <see cref="TeacherFormat.Gfl"/>: where in its cell a prediction stands, in cells. <see langword="null"/>: 0 where all levels are in
    /// one output (NanoDet-Plus), 0.5 where each has its own (NanoDet, PicoDet).
    /// </summary>
    public float? CellOffset { get; init; }

    /// <summary>
    /// Of formats with labels, the label of the first of the class names. <see langword="null"/>: 0 where the first is called background,
    /// for <see cref="TeacherFormat.RtDetr"/>, and for <see cref="TeacherFormat.Torchvision"/> where the model is shown whole batches; else 1.
    /// </summary>
    public int? FirstLabel { get; init; }

    /// <summary>Decodes a model of no known format; makes the format <see cref="TeacherFormat.Custom"/>.</summary>
    public TeacherDecoder? Decoder { get; init; }

    /// <summary>The number of threads that run the model. 0: as many as there are cores.</summary>
    public int Threads { get; init; }

    /// <summary>
    /// The CUDA device that runs the model, through the package Microsoft.ML.OnnxRuntime.Gpu; without it that is an error, unless
    /// <see cref="FallbackToCpu"/>. <see langword="null"/>: the device on which the student trains. Where that is a GPU on which ONNX Runtime
    /// cannot run, the CPU runs the model, and the log warns of it.
    /// </summary>
    public int? GpuDeviceId { get; init; }

    /// <summary>Whether the CPU runs the model wherever the student trains.</summary>
    public bool CpuOnly { get; init; }

    /// <summary>Whether the CPU will do, with a warning in the log, where the CUDA device of <see cref="GpuDeviceId"/> is not available.</summary>
    public bool FallbackToCpu { get; init; }

    /// <summary>
    /// A folder for the model's answers, by model, options and image. With it the model looks at each image once, in the first epoch or
    /// in an earlier run, and answers for crops and mirrored images follow from that. It keeps no
    /// feature maps, so it does not go with <see cref="Hints"/>. Any number of
    /// processes may share it. <see langword="null"/>: none, and the model runs in every step.
    /// </summary>
    public string? CacheDirectory { get; init; }

    /// <summary>The bound for that folder in bytes; beyond it the oldest answers are deleted.</summary>
    public long CacheBytes { get; init; } = 4L << 30;

    /// <summary>The size of the input as far as the options say it.</summary>
    internal (int? Width, int? Height) AskedSize => (InputWidth ?? Preprocessing?.Width, InputHeight ?? Preprocessing?.Height);

    /// <summary>Checks the options.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range; the message names it.</exception>
    internal void Validate()
    {
        Preprocessing?.Validate();
        Check(InputWidth is null or > 0, nameof(InputWidth), InputWidth, "above 0");
        Check(InputHeight is null or > 0, nameof(InputHeight), InputHeight, "above 0");
        Check(ConfidentScore is null or (> 0 and <= 1), nameof(ConfidentScore), ConfidentScore, "above 0 and at most 1");
        Check(NoiseScore is null or (>= 0 and <= 1), nameof(NoiseScore), NoiseScore, "from 0 to 1");
        Check(NoiseScore is null || ConfidentScore is null || NoiseScore <= ConfidentScore, nameof(NoiseScore), NoiseScore, $"at most {nameof(ConfidentScore)}");
        Check(MatchOverlap is > 0 and <= 1, nameof(MatchOverlap), MatchOverlap, "above 0 and at most 1");
        Check(ForeignOverlap >= 0 && ForeignOverlap <= MatchOverlap, nameof(ForeignOverlap), ForeignOverlap, $"from 0 to {nameof(MatchOverlap)}");
        Check(Strides is null || (Strides.Count > 0 && Strides.All(stride => stride > 0)), nameof(Strides), Strides, "a list of numbers above 0");
        Check(CacheDirectory is null || Hints.Count == 0, nameof(CacheDirectory), CacheDirectory, $"left out where {nameof(Hints)} are named: the cache keeps no feature maps");
        Check(CacheBytes > 0, nameof(CacheBytes), CacheBytes, "above 0");
        Check(Threads >= 0, nameof(Threads), Threads, "0 or more");
        Check(GpuDeviceId is null or >= 0, nameof(GpuDeviceId), GpuDeviceId, "0 or more");
        Check(GpuDeviceId is null || !CpuOnly, nameof(GpuDeviceId), GpuDeviceId, $"left out where {nameof(CpuOnly)} is set");
    }

    /// <summary>The options with what the student's device decides.</summary>
    /// <param name="gpu">The CUDA device on which the student trains; <see langword="null"/>: the CPU.</param>
    internal OnnxTeacherOptions Beside(int? gpu)
        => gpu is null || CpuOnly || GpuDeviceId is not null ? this : this with { GpuDeviceId = gpu, FallbackToCpu = true };

    private static void Check(bool valid, string option, object? value, string range)
    {
        if (!valid) throw new ArgumentOutOfRangeException(option, value, $"The option {option} must be {range}.");
    }
}
