using System.Globalization;

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
        if (Transforms.Count == 0) throw new ArgumentException($"The option {nameof(Transforms)} must have at least one transform.", nameof(Transforms));
        foreach (LabelTransform transform in Transforms) transform.Validate();
        Check(SuppressionOverlap is > 0 and <= 1, nameof(SuppressionOverlap), SuppressionOverlap, "above 0 and at most 1");
        Check(VotingOverlap is > 0 and <= 1, nameof(VotingOverlap), VotingOverlap, "above 0 and at most 1");
        Check(LeastScore is >= 0 and <= 1, nameof(LeastScore), LeastScore, "from 0 to 1");
    }

    /// <summary>A line that tells ways of looking apart.</summary>
    internal string Describe() => string.Create(CultureInfo.InvariantCulture,
        $"{string.Join(' ', Transforms.Select(t => string.Create(CultureInfo.InvariantCulture, $"{t.Scale}{(t.Flip ? "f" : "")}")))}; suppression {SuppressionOverlap}, voting {VotingOverlap}, least score {LeastScore}");

    private static void Check(bool valid, string option, double value, string range)
    {
        if (!valid) throw new ArgumentOutOfRangeException(option, value, $"The option {option} must be {range}.");
    }
}
