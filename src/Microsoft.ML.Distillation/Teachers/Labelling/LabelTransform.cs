namespace Microsoft.ML.Distillation;

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
        if (!(Scale is >= 0.1 and <= 8)) throw new ArgumentOutOfRangeException(nameof(Scale), Scale, $"The option {nameof(Scale)} must be from 0.1 to 8.");
    }
}
