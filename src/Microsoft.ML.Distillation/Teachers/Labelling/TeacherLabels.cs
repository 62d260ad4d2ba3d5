using Microsoft.ML.Distillation.Data;
using TorchSharp;
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
    /// <param name="thresholds">The score from which on a detection of each class became a label.</param>
    public static RelabelledDataset Of(
        ITeacher teacher, IDetectionDataset unlabelled, IDetectionDataset labelled, GeneratedLabelOptions options, int batchSize, int workers,
        CancellationToken cancellation, out float[] thresholds)
    {
        var found = new Detections[unlabelled.Count];
        var histogram = new ScoreHistogram(labelled.ClassNames.Count);
        var loader = new BatchLoader(unlabelled, [teacher.InputSize], batchSize, AugmentationOptions.None, workers: workers);
        foreach (DetectionBatch batch in loader.Epoch(seed: 0, epoch: 0, shuffle: false, cancellation))
        {
            using var scope = NewDisposeScope();
            using (batch)
            {
                IReadOnlyList<Detections> detections = teacher.Detect(batch.Views[0], [.. batch.Indices.Select(unlabelled.SizeOf)]);
                for (int i = 0; i < batch.Count; i++)
                {
                    found[batch.Indices[i]] = detections[i];
                    for (int d = 0; d < detections[i].Count; d++) histogram.Add(detections[i].Labels[d], detections[i].Scores[d]);
                }
            }
        }

        float[] least = options.ScoreThreshold is double score
            ? [.. labelled.ClassNames.Select(_ => (float)score)]
            : histogram.Thresholds(Wanted(labelled, unlabelled.Count, teacher.UnknownClasses), options.PerClass);
        thresholds = least;
        return new RelabelledDataset(
            unlabelled, labelled.ClassNames,
            [.. found.Select((detections, index) => (index, Annotation: Sure(detections, least))).Where(sample => sample.Annotation.Count > 0)]);
    }

    /// <summary>For each class the labels that so many images would have, had they as many each as the labelled images.</summary>
    /// <param name="unknown">The classes that the teacher does not know: none.</param>
    public static double[] Wanted(IDetectionDataset labelled, long images, IReadOnlyList<int> unknown)
    {
        var counts = new long[labelled.ClassNames.Count];
        for (int i = 0; i < labelled.Count; i++)
        {
            foreach (int label in labelled.AnnotationOf(i).Labels) counts[label]++;
        }

        foreach (int label in unknown) counts[label] = 0;
        return Array.ConvertAll(counts, count => (double)count / labelled.Count * images);
    }

    private static Annotation Sure(Detections detections, float[] thresholds)
    {
        int[] sure = [.. Enumerable.Range(0, detections.Count).Where(i => detections.Scores[i] >= thresholds[detections.Labels[i]])];
        return new Annotation([.. sure.SelectMany(i => detections.Boxes[(4 * i)..(4 * i + 4)])], [.. sure.Select(i => detections.Labels[i])]);
    }
}
