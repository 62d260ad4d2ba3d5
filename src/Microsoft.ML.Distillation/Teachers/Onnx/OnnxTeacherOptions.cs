namespace Microsoft.ML.Distillation;

/// <summary>How an ONNX detector is run, read, and asked as a teacher.</summary>
public sealed record OnnxTeacherOptions : OnnxDetectorOptions
{
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

    /// <summary>The overlap (IoU) from which on a confident prediction answers for a box.</summary>
    public double MatchOverlap { get; init; } = 0.5;

    /// <summary>The overlap (IoU) below which a box has nothing to do with a prediction.</summary>
    public double ForeignOverlap { get; init; } = 0.3;

    /// <summary>
    /// What runs the model. libtorch runs it where the student trains, or as <see cref="OnnxDetectorOptions.GpuDeviceId"/> and
    /// <see cref="CpuOnly"/> say, without a package of ONNX Runtime for GPUs, and hints stay on that device; it knows the operators that
    /// detectors of convolutions and of transformers are made of, and what it answers is held to ONNX Runtime's answers when training
    /// begins.
    /// </summary>
    public OnnxTeacherRuntime RunIn { get; init; }

    /// <summary>
    /// Whether the CPU runs the model wherever the student trains. Otherwise, with no <see cref="OnnxDetectorOptions.GpuDeviceId"/>, it
    /// runs
    /// on the student's GPU; where ONNX Runtime cannot run on that, the CPU runs the model, and the log warns of it.
    /// </summary>
    public bool CpuOnly { get; init; }

    /// <summary>
    /// A folder for the model's answers, by model, options and image. With it the model looks at each image once, in the first epoch or
    /// in an earlier run, and answers for crops and mirrored images follow from that. It keeps no
    /// feature maps, so it does not go with <see cref="Hints"/>. Any number of
    /// processes may share it. <see langword="null"/>: none, and the model runs in every step.
    /// </summary>
    public string? CacheDirectory { get; init; }

    /// <summary>The bound for that folder in bytes; beyond it the oldest answers are deleted.</summary>
    public long CacheBytes { get; init; } = 4L << 30;

    /// <inheritdoc/>
    internal override void Validate()
    {
        base.Validate();
        Check(MatchOverlap is > 0 and <= 1, nameof(MatchOverlap), MatchOverlap, "above 0 and at most 1");
        Check(ForeignOverlap >= 0 && ForeignOverlap <= MatchOverlap, nameof(ForeignOverlap), ForeignOverlap,
            $"from 0 to {nameof(MatchOverlap)}");
        Check(CacheDirectory is null || Hints.Count == 0, nameof(CacheDirectory), CacheDirectory,
            $"left out where {nameof(Hints)} are named: the cache keeps no feature maps");
        Check(CacheBytes > 0, nameof(CacheBytes), CacheBytes, "above 0");
        Check(Enum.IsDefined(RunIn), nameof(RunIn), RunIn, "one of its values");
        bool torch = RunIn == OnnxTeacherRuntime.TorchSharp;
        Check(!torch || Threads == 0, nameof(Threads), Threads,
            $"left out where {nameof(RunIn)} is TorchSharp, which has threads of its own");
        Check(!torch || ConfigureSession is null, nameof(ConfigureSession), "set", $"left out where {nameof(RunIn)} is TorchSharp");
        Check(!torch || Prompts is null, nameof(RunIn), RunIn, $"OnnxRuntime where {nameof(Prompts)} are given");
        Check(Prompts is null || Hints.Count == 0, nameof(Hints), "set", $"left out where {nameof(Prompts)} are given");
        Check(GpuDeviceId is null || !CpuOnly, nameof(GpuDeviceId), GpuDeviceId, $"left out where {nameof(CpuOnly)} is set");
    }

    /// <summary>The options with what the student's device decides.</summary>
    /// <param name="gpu">The CUDA device on which the student trains; <see langword="null"/>: the CPU.</param>
    internal OnnxTeacherOptions Beside(int? gpu)
        => gpu is null || CpuOnly || GpuDeviceId is not null ? this : this with { GpuDeviceId = gpu, FallbackToCpu = true };
}

/// <summary>What runs an ONNX teacher.</summary>
public enum OnnxTeacherRuntime
{
    /// <summary>ONNX Runtime, whatever the graph is made of.</summary>
    OnnxRuntime,

    /// <summary>libtorch, beside the student; for graphs whose operators are known.</summary>
    TorchSharp,
}
