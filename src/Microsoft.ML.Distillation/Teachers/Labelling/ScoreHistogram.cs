namespace Microsoft.ML.Distillation.Teachers.Labelling;

// t = max { t : |{ d : score(d) ≥ t }| ≥ K },     K = (labels / labelled images) × images
//
// Radosavovic, Dollár, Girshick, Gkioxari, He: Data Distillation (CVPR 2018), section 5: the threshold at which the average number of
// generated instances in an image is that of the labelled images. Scores are counted in 65,536 steps, so that memory does not grow
// with their number; t is the lower end of a step.

/// <summary>Counts the scores of detections and finds the threshold; the formula stands at the top of the file.</summary>
internal sealed class ScoreHistogram(int classes)
{
    private const int Steps = 1 << 16;

    private readonly long[][] _counts = [.. Enumerable.Range(0, classes).Select(_ => new long[Steps])];

    /// <summary>Takes in a detection.</summary>
    public void Add(int label, float score) => _counts[label][Math.Clamp((int)(score * Steps), 0, Steps - 1)]++;

    /// <summary>The number of detections of a class.</summary>
    public long Count(int label) => _counts[label].Sum();

    /// <summary>The threshold of each class; 0 where there are fewer detections than are wanted.</summary>
    /// <param name="wanted">K of each class.</param>
    /// <param name="perClass">Whether each class shall have its own number; otherwise all have one threshold, for the sum.</param>
    public float[] Thresholds(IReadOnlyList<double> wanted, bool perClass)
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
