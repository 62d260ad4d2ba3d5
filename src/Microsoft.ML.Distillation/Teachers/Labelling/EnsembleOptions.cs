namespace Microsoft.ML.Distillation;

/// <summary>How a detector looks at an image that it labels, and how its answers become one.</summary>
public sealed record EnsembleOptions
{
    /// <summary>The ways in which the image is shown.</summary>
    public IReadOnlyList<LabelTransform> Transforms { get; init; } = LabelTransform.Default;

    /// <summary>The overlap (IoU) beyond which the worse of two boxes of a class goes; above 0, at most 1.</summary>
    public double SuppressionOverlap { get; init; } = 0.5;

    /// <summary>The overlap (IoU) from which on a box has a say in where another one lies, by its score; above 0, at most 1.</summary>
    public double VotingOverlap { get; init; } = 0.8;

    /// <summary>Detections below this score are forgotten at once; from 0 to 1.</summary>
    public double LeastScore { get; init; } = 0.05;

    /// <summary>Checks the options.</summary>
    /// <exception cref="ArgumentException">An option is out of its range; the message names it.</exception>
    internal void Validate()
    {
        if (Transforms.Count == 0)
            throw new ArgumentException($"The option {nameof(Transforms)} must have at least one transform.", nameof(Transforms));
        foreach (LabelTransform transform in Transforms) transform.Validate();
        Check(SuppressionOverlap is > 0 and <= 1, nameof(SuppressionOverlap), SuppressionOverlap, "above 0 and at most 1");
        Check(VotingOverlap is > 0 and <= 1, nameof(VotingOverlap), VotingOverlap, "above 0 and at most 1");
        Check(LeastScore is >= 0 and <= 1, nameof(LeastScore), LeastScore, "from 0 to 1");
    }

    private static void Check(bool valid, string option, double value, string range)
    {
        if (!valid) throw new ArgumentOutOfRangeException(option, value, $"The option {option} must be {range}.");
    }
}

/// <summary>
/// A way of showing an image to a detector that labels it. Several ways see more than one, and what they agree on can be trusted
/// (Radosavovic et al., Data Distillation, CVPR 2018).
/// </summary>
/// <param name="Scale">
/// The size of objects against that which they have where the whole image fills the detector's input. Below 1 the image is shown with
/// free sides; above 1 in parts that overlap, 4 up to a scale of 1.75 and 9 up to 2.5, each of which the detector looks at.
/// </param>
/// <param name="Flip">Whether left and right are exchanged.</param>
public sealed record LabelTransform(double Scale = 1, bool Flip = false)
{
    /// <summary>Scales of 0.8, 1 and 1.25, each as it is and flipped: 12 looks at each image.</summary>
    public static IReadOnlyList<LabelTransform> Default { get; } = Of([0.8, 1, 1.25], flip: true);

    /// <summary>All scales, and where <paramref name="flip"/> says so each of them flipped too.</summary>
    public static IReadOnlyList<LabelTransform> Of(IReadOnlyList<double> scales, bool flip)
        => [.. scales.SelectMany(scale => flip ? (LabelTransform[])[new(scale), new(scale, true)] : [new(scale)])];

    /// <exception cref="ArgumentOutOfRangeException">The scale is not possible.</exception>
    internal void Validate()
    {
        if (!(Scale is >= 0.1 and <= 8))
            throw new ArgumentOutOfRangeException(nameof(Scale), Scale, $"The option {nameof(Scale)} must be from 0.1 to 8.");
    }
}
