using System.Globalization;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Rows;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Teachers.Labelling;

/// <summary>Labels for images that have none: what a teacher is sure of, once, before training begins.</summary>
internal static class TeacherLabels
{
    /// <summary>
    /// The images in which the teacher is sure of an object, with those objects. The others are left out: to call them background would
    /// be to trust the teacher where it is silent.
    /// </summary>
    /// <param name="teacher">The teacher, which answers in the labelled images' classes.</param>
    /// <param name="unlabelled">The images.</param>
    /// <param name="labelled">The images that have labels, from which the threshold follows.</param>
    /// <param name="batchSize">How many images the teacher is shown at once; it does not change the labels.</param>
    /// <param name="thresholds">The score from which on a detection became a label.</param>
    public static RelabelledDataset Of(
        ITeacher teacher, IDetectionDataset unlabelled, IDetectionDataset labelled, GeneratedLabelOptions options, int batchSize, int workers,
        CancellationToken cancellation, out LabelThresholds thresholds)
    {
        Detections[] found = Detect(teacher, unlabelled, batchSize, workers, cancellation);
        var histogram = new ScoreHistogram(labelled.ClassNames.Count);
        foreach (Detections detections in found)
        {
            for (int d = 0; d < detections.Count; d++) histogram.Add(detections.Labels[d], detections.Scores[d]);
        }

        double[] perImage = PerImage(labelled, teacher.Abilities.UnknownClasses);
        thresholds = LabelThresholds.Choose(histogram, options, labelled.ClassNames, perImage, unlabelled.Count);
        return Sure(unlabelled, labelled.ClassNames, found, thresholds.Scores);
    }

    /// <summary>The same with given thresholds, where no image has labels.</summary>
    /// 
    /// <inheritdoc cref="Of(ITeacher, IDetectionDataset, IDetectionDataset, GeneratedLabelOptions, int, int, CancellationToken, out LabelThresholds)"/>
    public static RelabelledDataset Of(
        ITeacher teacher, IDetectionDataset unlabelled, IReadOnlyList<string> classNames, float[] thresholds, int batchSize, int workers,
        CancellationToken cancellation)
        => Sure(unlabelled, classNames, Detect(teacher, unlabelled, batchSize, workers, cancellation), thresholds);

    /// <summary>For each class the number of objects that a labelled image has in the mean.</summary>
    /// <param name="unknown">The classes that the teacher does not know: none.</param>
    public static double[] PerImage(IDetectionDataset labelled, IReadOnlyList<int> unknown)
    {
        var counts = new long[labelled.ClassNames.Count];
        for (int i = 0; i < labelled.Count; i++)
        {
            foreach (int label in labelled.AnnotationOf(i).Labels) counts[label]++;
        }

        foreach (int label in unknown) counts[label] = 0;
        return Array.ConvertAll(counts, count => (double)count / labelled.Count);
    }

    private static Detections[] Detect(
        ITeacher teacher, IDetectionDataset images, int batchSize, int workers, CancellationToken cancellation)
    {
        var found = new Detections[images.Count];
        var loader = new BatchLoader(images, [teacher.InputSize], batchSize, AugmentationOptions.None, workers: workers);
        foreach (DetectionBatch batch in loader.Epoch(seed: 0, epoch: 0, shuffle: false, cancellation))
        {
            using var scope = NewDisposeScope();
            using (batch)
            {
                IReadOnlyList<Detections> detections = teacher.Detect(batch.Views[0], batch.Sizes);
                for (int i = 0; i < batch.Count; i++) found[batch.Indices[i]] = detections[i];
            }
        }

        return found;
    }

    private static RelabelledDataset Sure(
        IDetectionDataset images, IReadOnlyList<string> classNames, Detections[] found, float[] thresholds)
    {
        IEnumerable<(int Index, Annotation Annotation)> samples = found.Select((detections, index) => (index, Sure(detections, thresholds)));
        return new RelabelledDataset(images, classNames, [.. samples.Where(sample => sample.Annotation.Count > 0)]);
    }

    private static Annotation Sure(Detections detections, float[] thresholds)
    {
        IEnumerable<int> all = Enumerable.Range(0, detections.Count);
        Detections sure = detections.Of([.. all.Where(i => detections.Scores[i] >= thresholds[detections.Labels[i]])]);
        return new Annotation(sure.Boxes, sure.Labels);
    }
}

/// <summary>From which score on a detection is a label.</summary>
/// <param name="Scores">The score of each class.</param>
/// <param name="Shortage">
/// Where the detector found fewer objects than the rule asks for, so that all of them are labels: what was wanted and found. Else
/// <see langword="null"/>.
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
        CultureInfo.InvariantCulture,
        $"{what}{found} ({(double)found / images:0.##} an image), where {Math.Round(wanted)} ({wanted / images:0.##} an image) are wanted");

    private static string? Sentence(string[] lacks) => lacks.Length == 0 ? null
        : $"The detector found fewer objects than the rule for the labels' score asks for: {string.Join("; ", lacks)}. "
            + "All of these are labels, however unsure the detector is.";
}

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
