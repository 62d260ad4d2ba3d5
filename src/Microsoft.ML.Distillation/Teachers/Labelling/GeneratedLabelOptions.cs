namespace Microsoft.ML.Distillation;

/// <summary>Which of a teacher's detections become the labels of images that have none.</summary>
public sealed record GeneratedLabelOptions
{
    /// <summary>
    /// The score from which on a detection is a label. <see langword="null"/>: chosen so that the images have as many labels each, in the
    /// mean, as the labelled images have (Radosavovic et al., Data Distillation, CVPR 2018).
    /// </summary>
    public double? ScoreThreshold { get; init; }

    /// <summary>Whether that holds for each class by itself, so that each has a threshold of its own; otherwise for all together.</summary>
    public bool PerClass { get; init; }

    /// <summary>Checks the options.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range; the message names it.</exception>
    internal void Validate()
    {
        if (ScoreThreshold is not (null or (> 0 and <= 1)))
        {
            throw new ArgumentOutOfRangeException(
                nameof(ScoreThreshold), ScoreThreshold, $"The option {nameof(ScoreThreshold)} must be above 0 and at most 1.");
        }
    }
}
