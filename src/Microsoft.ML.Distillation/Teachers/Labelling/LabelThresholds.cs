using System.Globalization;

namespace Microsoft.ML.Distillation;

// t = max { t : |{ d : score(d) ≥ t }| ≥ K },     K = (labels / labelled images) × images
//
// Radosavovic, Dollár, Girshick, Gkioxari, He: Data Distillation (CVPR 2018), section 5: the threshold at which the average number of
// generated instances in an image is that of the labelled images. Scores are counted in 65,536 steps, so that memory does not grow
// with their number; t is the lower end of a step.

/// <summary>From which score on a detection of a teacher is a label (Radosavovic et al., Data Distillation, CVPR 2018).</summary>
/// <param name="Scores">The score of each class, 0 to 1; infinite for classes that are to have no labels.</param>
/// <param name="Shortage">
/// Where the detector found fewer objects than the rule asks for, so that all of them are labels: what was wanted and found. Else
/// <see langword="null"/>.
/// </param>
public sealed record LabelThresholds(IReadOnlyList<float> Scores, string? Shortage)
{
    /// <summary>The scores that the options give, or those that make as many labels an image as the labelled images have.</summary>
    /// <param name="found">The scores of all detections.</param>
    /// <param name="options">The rule.</param>
    /// <param name="classNames">The classes, in the order of the histogram's labels.</param>
    /// <param name="perImage">For each class the number of objects that a labelled image has in the mean.</param>
    /// <param name="images">The number of images that were looked at; at least 1.</param>
    public static LabelThresholds Choose(
        ScoreHistogram found, GeneratedLabelOptions options, IReadOnlyList<string> classNames, IReadOnlyList<double> perImage, long images)
    {
        ArgumentNullException.ThrowIfNull(found);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(classNames);
        ArgumentNullException.ThrowIfNull(perImage);
        options.Validate();
        if (options.ScoreThreshold is double score) return new LabelThresholds([.. classNames.Select(_ => (float)score)], null);
        double[] wanted = [.. perImage.Select(labels => labels * images)];
        IEnumerable<string?> lacks = options.PerClass
            ? classNames.Select((name, c) => Lack($"of {name} ", found.Count(c), wanted[c], images))
            : [Lack("", classNames.Select((_, c) => found.Count(c)).Sum(), wanted.Sum(), images)];
        return new LabelThresholds(found.Thresholds(wanted, options.PerClass), Sentence([.. lacks.OfType<string>()]));
    }

    private static string? Lack(string what, long found, double wanted, long images) => found >= Math.Round(wanted) ? null : string.Create(
        CultureInfo.InvariantCulture,
        $"{what}{found} ({(double)found / images:0.##} an image), where {Math.Round(wanted)} ({wanted / images:0.##} an image) are wanted");

    private static string? Sentence(string[] lacks) => lacks.Length == 0 ? null
        : $"The detector found fewer objects than the rule for the labels' score asks for: {string.Join("; ", lacks)}. "
            + "All of these are labels, however unsure the detector is.";
}

/// <summary>
/// Counts the scores of detections in steps of 1 / 65,536, so that memory does not grow with their number: what
/// <see cref="LabelThresholds"/>
/// chooses by.
/// </summary>
/// <param name="classes">The number of classes.</param>
public sealed class ScoreHistogram(int classes)
{
    private const int Steps = 1 << 16;

    private readonly long[][] _counts = [.. Enumerable.Range(0, classes).Select(_ => new long[Steps])];

    /// <summary>Takes in a detection.</summary>
    /// <param name="label">The index of its class.</param>
    /// <param name="score">Its score, 0 to 1.</param>
    public void Add(int label, float score) => _counts[label][Math.Clamp((int)(score * Steps), 0, Steps - 1)]++;

    /// <summary>The number of detections of a class.</summary>
    internal long Count(int label) => _counts[label].Sum();

    /// <summary>The threshold of each class; 0 where there are fewer detections than are wanted.</summary>
    /// <param name="wanted">K of each class.</param>
    /// <param name="perClass">Whether each class shall have its own number; otherwise all have one threshold, for the sum.</param>
    internal float[] Thresholds(IReadOnlyList<double> wanted, bool perClass)
    {
        if (perClass) return [.. _counts.Select((counts, label) => Threshold(counts, wanted[label]))];
        var all = new long[Steps];
        foreach (long[] counts in _counts)
        {
            for (int i = 0; i < Steps; i++) all[i] += counts[i];
        }

        float threshold = Threshold(all, wanted.Sum());
        return [.. _counts.Select(_ => threshold)];
    }

    private static float Threshold(long[] counts, double wanted)
    {
        long least = (long)Math.Round(wanted), above = 0;
        if (least == 0) return float.PositiveInfinity;
        for (int i = Steps - 1; i > 0; i--)
        {
            above += counts[i];
            if (above >= least) return (float)i / Steps;
        }

        return 0;
    }
}
