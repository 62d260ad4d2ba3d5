namespace Microsoft.ML.Distillation;

/// <summary>
/// How <see cref="ObjectDetector"/> loads a model. All of it may be left out. A detector of this library says itself how it is read: of the
/// inherited options only those of running (<see cref="OnnxDetectorOptions.Threads"/>, <see cref="OnnxDetectorOptions.GpuDeviceId"/>,
/// <see cref="OnnxDetectorOptions.FallbackToCpu"/>, <see cref="OnnxDetectorOptions.ConfigureSession"/>) concern it, and the others are an
/// error.
/// </summary>
public sealed record ObjectDetectorOptions : OnnxDetectorOptions
{
    /// <summary>The usual ways.</summary>
    public ObjectDetectorOptions()
    {
    }

    /// <summary>With a published detector run and read as other options say, those of a teacher for example.</summary>
    /// <param name="reading">The other options.</param>
    public ObjectDetectorOptions(OnnxDetectorOptions reading)
        : base(reading)
    {
    }

    /// <summary>What the outputs of a published detector mean; by default that is found out, where they leave no doubt.</summary>
    public OnnxDetectorFormat Format { get; init; }

    /// <summary>
    /// A published detector's classes, in its own order. <see langword="null"/>: the names that the file carries in its metadata, as those
    /// of Ultralytics do.
    /// </summary>
    public IReadOnlyList<string>? ClassNames { get; init; }

    /// <summary>The score, 0 to 1, below which detections are left out. 0: all that the detector gives, down to very low scores.</summary>
    public double ScoreThreshold { get; init; }

    /// <summary>
    /// The overlap (IoU), 0 to 1, above which the worse of two boxes of a class is dropped by a published detector; at 1 none is. A
    /// detector of this library has its own threshold inside.
    /// </summary>
    public double NmsThreshold { get; init; } = 0.5;

    /// <summary>
    /// How many pixels an image file may have, width times height as its header says; a larger one is an error before any pixel is decoded.
    /// </summary>
    public long MaxPixels { get; init; } = ImageLoader.DefaultMaxPixels;

    /// <summary>Whether ONNX Runtime is to round and compute as the graph says; for tests of an export.</summary>
    internal bool AsWritten { get; init; }

    /// <inheritdoc/>
    internal override void Validate()
    {
        base.Validate();
        Check(ScoreThreshold is >= 0 and <= 1, nameof(ScoreThreshold), ScoreThreshold, "from 0 to 1");
        Check(NmsThreshold is > 0 and <= 1, nameof(NmsThreshold), NmsThreshold, "above 0 and at most 1");
        Check(MaxPixels > 0, nameof(MaxPixels), MaxPixels, "above 0");
        Check(ClassNames is null or { Count: > 0 }, nameof(ClassNames), "an empty list", "a list of names, or left out");
    }

    /// <summary>Checks that nothing was asked for that concerns published detectors alone.</summary>
    /// <exception cref="ArgumentException">Something was; the message names the option.</exception>
    internal void CheckForOwn(string source)
    {
        (string Option, bool IsGiven)[] reading =
        [
            (nameof(Format), Format != OnnxDetectorFormat.Auto), (nameof(ClassNames), ClassNames is not null),
            (nameof(Preprocessing), Preprocessing is not null), (nameof(InputWidth), InputWidth is not null),
            (nameof(InputHeight), InputHeight is not null), (nameof(ConfidentScore), ConfidentScore is not null),
            (nameof(NoiseScore), NoiseScore is not null), (nameof(Strides), Strides is not null),
            (nameof(Activation), Activation != ScoreActivation.Auto), (nameof(CellOffset), CellOffset is not null),
            (nameof(FirstLabel), FirstLabel is not null), (nameof(Decoder), Decoder is not null),
            (nameof(Layout), Layout is not null), (nameof(Prompts), Prompts is not null),
            (nameof(ClassAgnosticSuppression), ClassAgnosticSuppression),
        ];
        if (reading.FirstOrDefault(option => option.IsGiven).Option is { } given)
        {
            throw new ArgumentException(
                $"'{source}' is a detector of this library, which says itself how it is read: leave out the option {given}.", given);
        }
    }
}
