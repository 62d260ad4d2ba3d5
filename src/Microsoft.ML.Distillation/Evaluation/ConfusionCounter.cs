namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>Counts a <see cref="ConfusionMatrix"/>.</summary>
internal static class ConfusionCounter
{
    /// <summary>Counts all images.</summary>
    /// <param name="images">All images.</param>
    /// <param name="classNames">The classes; a label is an index into this list. A detection of another class is left out.</param>
    /// <param name="scoreThreshold">The lowest score of a detection that takes part.</param>
    /// <param name="iouThreshold">The lowest IoU at which a detection takes an object.</param>
    /// <exception cref="ArgumentException">An annotated object has a class outside the list.</exception>
    public static ConfusionMatrix Count(
        IReadOnlyList<EvaluationImage> images, IReadOnlyList<string> classNames, double scoreThreshold = 0.5, double iouThreshold = 0.5)
    {
        int classes = classNames.Count;
        EvaluationImage.CheckLabels(images, classes);
        var counts = new int[classes + 1][];
        for (int row = 0; row <= classes; row++) counts[row] = new int[classes + 1];
        foreach (EvaluationImage image in images)
        {
            DetectedBox[] sure = Array.FindAll(image.Detections, box => box.Rank >= scoreThreshold && (uint)box.Label < (uint)classes);
            CountImage(ImageMatch.Of(image.Truth, sure, iouThreshold), counts, iouThreshold);
        }

        return new ConfusionMatrix { ClassNames = classNames, Counts = counts, ScoreThreshold = scoreThreshold, IouThreshold = iouThreshold };
    }

    private static void CountImage(ImageMatch match, int[][] counts, double iouThreshold)
    {
        int background = counts.Length - 1;
        bool[] taken = [.. match.Found];
        for (int d = 0; d < match.Detections.Length; d++)
        {
            int label = match.Detections[d].Label;
            if (match.ObjectOf[d] >= 0) counts[label][label]++;
            if (match.ObjectOf[d] >= 0 || match.Excused[d]) continue;

            (int other, double iou) = match.Nearest(d, g => !taken[g] && match.Objects[g].Label != label);
            bool confused = other >= 0 && iou >= iouThreshold;
            if (confused) taken[other] = true;
            counts[confused ? match.Objects[other].Label : background][label]++;
        }

        for (int g = 0; g < taken.Length; g++)
        {
            if (!taken[g]) counts[match.Objects[g].Label][background]++;
        }
    }
}
