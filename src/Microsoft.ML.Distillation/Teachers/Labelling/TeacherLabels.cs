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
        ITeacher teacher, IDetectionDataset unlabelled, IDetectionDataset labelled, GeneratedLabelOptions options, int batchSize,
        int workers,
        CancellationToken cancellation, out LabelThresholds thresholds)
    {
        Detections?[] found = Detect(teacher, unlabelled, batchSize, workers, cancellation);
        var histogram = new ScoreHistogram(labelled.ClassNames.Count);
        foreach (Detections detections in found.OfType<Detections>())
        {
            for (int d = 0; d < detections.Count; d++) histogram.Add(detections.Labels[d], detections.Scores[d]);
        }

        double[] perImage = PerImage(labelled, teacher.Abilities.UnknownClasses);
        thresholds = LabelThresholds.Choose(histogram, options, labelled.ClassNames, perImage, unlabelled.Count);
        return Sure(unlabelled, labelled.ClassNames, found, thresholds.Scores);
    }

    /// <summary>The same with given thresholds, where no image has labels.</summary>
    /// <inheritdoc cref="Of(ITeacher, IDetectionDataset, IDetectionDataset, GeneratedLabelOptions, int, int,
    /// CancellationToken, out LabelThresholds)"/>
    public static RelabelledDataset Of(
        ITeacher teacher, IDetectionDataset unlabelled, IReadOnlyList<string> classNames, IReadOnlyList<float> thresholds, int batchSize,
        int workers,
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

    /// <summary>What the teacher finds; null in an image that turned out to be unreadable.</summary>
    private static Detections?[] Detect(
        ITeacher teacher, IDetectionDataset images, int batchSize, int workers, CancellationToken cancellation)
    {
        var found = new Detections?[images.Count];
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
        IDetectionDataset images, IReadOnlyList<string> classNames, Detections?[] found, IReadOnlyList<float> thresholds)
    {
        IEnumerable<(int Index, Annotation Annotation)> samples = found
            .Select((detections, index) => (index, detections is null ? Annotation.Empty : Sure(detections, thresholds)));
        return new RelabelledDataset(images, classNames, [.. samples.Where(sample => sample.Annotation.Count > 0)]);
    }

    private static Annotation Sure(Detections detections, IReadOnlyList<float> thresholds)
    {
        IEnumerable<int> all = Enumerable.Range(0, detections.Count);
        Detections sure = detections.Of([.. all.Where(i => detections.Scores[i] >= thresholds[detections.Labels[i]])]);
        return new Annotation(sure.Boxes, sure.Labels);
    }
}
