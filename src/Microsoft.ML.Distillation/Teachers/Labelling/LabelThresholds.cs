using System.Globalization;

namespace Microsoft.ML.Distillation.Teachers.Labelling;

/// <summary>From which score on a detection is a label.</summary>
/// <param name="Scores">The score of each class.</param>
/// <param name="Shortage">
/// Where the detector found fewer objects than the rule asks for, so that all of them are labels: what was wanted and found. Else <see langword="null"/>.
/// </param>
internal sealed record LabelThresholds(float[] Scores, string? Shortage)
{
    /// <summary>The scores that the options give, or those that make as many labels an image as the labelled images have.</summary>
    /// <param name="found">The scores of all detections.</param>
    /// <param name="perImage">For each class the number of objects that a labelled image has in the mean.</param>
    /// <param name="images">The number of images that were looked at; at least 1.</param>
    public static LabelThresholds Choose(
        ScoreHistogram found, GeneratedLabelOptions options, IReadOnlyList<string> classNames, IReadOnlyList<double> perImage, long images)
    {
        if (options.ScoreThreshold is double score) return new LabelThresholds([.. classNames.Select(_ => (float)score)], null);
        double[] wanted = [.. perImage.Select(labels => labels * images)];
        IEnumerable<string?> lacks = options.PerClass
            ? classNames.Select((name, c) => Lack($"of {name} ", found.Count(c), wanted[c], images))
            : [Lack("", classNames.Select((_, c) => found.Count(c)).Sum(), wanted.Sum(), images)];
        return new LabelThresholds(found.Thresholds(wanted, options.PerClass), Sentence([.. lacks.OfType<string>()]));
    }

    private static string? Lack(string what, long found, double wanted, long images) => found >= Math.Round(wanted) ? null : string.Create(
        CultureInfo.InvariantCulture, $"{what}{found} ({(double)found / images:0.##} an image), where {Math.Round(wanted)} ({wanted / images:0.##} an image) are wanted");

    private static string? Sentence(string[] lacks) => lacks.Length == 0 ? null
        : $"The detector found fewer objects than the rule for the labels' score asks for: {string.Join("; ", lacks)}. All of these are labels, however unsure the detector is.";
}
