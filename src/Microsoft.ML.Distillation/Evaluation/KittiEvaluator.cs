namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>
/// KITTI's average precision of boxes in the image, figure for figure that of its development kit (evaluate_object.cpp):
/// the scores of the right detections give up to 41 score thresholds, about 1/40 of recall apart; at each of them precision
/// is counted anew. Classes and difficulties are measured in parallel.
/// </summary>
internal static class KittiEvaluator
{
    /// <summary>Measures detections against the ground truth.</summary>
    /// <param name="images">All images; the order of an image's objects counts where two of them compete for a detection.</param>
    /// <param name="classNames">The classes; a label is an index into this list.</param>
    /// <exception cref="ArgumentException">An annotated object has a class outside the list.</exception>
    public static KittiMetrics Evaluate(IReadOnlyList<EvaluationImage> images, IReadOnlyList<string> classNames)
    {
        EvaluationImage.CheckLabels(images, classNames.Count);
        int[] labels = [.. Enumerable.Range(0, classNames.Count).Where(c => KittiProtocol.Measures(classNames[c]))];
        KittiLevel[] levels = [KittiProtocol.Easy, KittiProtocol.Moderate, KittiProtocol.Hard];
        var results = new KittiClassMetrics[levels.Length * labels.Length];
        Parallel.For(0, results.Length, i =>
            results[i] = EvaluateClass(images, labels[i % labels.Length], classNames, levels[i / labels.Length]));
        KittiLevelMetrics[] metrics = [.. levels.Select((_, l) => Sum(results[(l * labels.Length)..((l + 1) * labels.Length)]))];
        return new KittiMetrics(metrics[0], metrics[1], metrics[2]);
    }

    private static KittiClassMetrics EvaluateClass(
        IReadOnlyList<EvaluationImage> images, int label, IReadOnlyList<string> classNames, KittiLevel level)
    {
        string name = classNames[label];
        bool[] isNeighbour = [.. classNames.Select(other => KittiProtocol.AreNeighbours(name, other))];
        KittiScene[] scenes = [.. images.Select(image => KittiScene.Of(image, label, isNeighbour, KittiProtocol.IouThreshold(name), level))];
        int objects = scenes.Sum(scene => scene.Objects);
        if (objects == 0) return new KittiClassMetrics(name, 0, double.NaN, double.NaN, PrecisionRecallCurve.Empty);

        double[] precision = Precisions(scenes, ScoreThresholds(scenes, objects));
        return new KittiClassMetrics(
            name, objects, precision.Skip(1).Average(), precision.Where((_, i) => i % 4 == 0).Average(),
            new PrecisionRecallCurve(KittiProtocol.Recalls, precision));
    }

    /// <summary>The scores at which recall is closest to 0, 1/40, 2/40, … as far as it goes.</summary>
    private static List<double> ScoreThresholds(KittiScene[] scenes, int objects)
    {
        var scores = new List<double>();
        foreach (KittiScene scene in scenes) scene.CollectScores(scores);
        scores.Sort((a, b) => b.CompareTo(a));

        var thresholds = new List<double>();
        double wanted = 0;
        for (int i = 0; i < scores.Count; i++)
        {
            double recall = (i + 1.0) / objects, next = (i + 2.0) / objects;
            bool nextIsCloser = next - wanted < wanted - recall;
            if (nextIsCloser && i < scores.Count - 1) continue;
            thresholds.Add(scores[i]);
            wanted += 1.0 / KittiProtocol.RecallSteps;
        }

        return thresholds;
    }

    /// <summary>The precision at each threshold, the best at it or at a lower one; 0 where the recall is not reached.</summary>
    private static double[] Precisions(KittiScene[] scenes, List<double> thresholds)
    {
        var precision = new double[KittiProtocol.RecallSteps + 1];
        for (int t = 0; t < Math.Min(thresholds.Count, precision.Length); t++)
        {
            int right = 0, wrong = 0;
            foreach (KittiScene scene in scenes)
            {
                (int rightHere, int wrongHere) = scene.CountFrom(thresholds[t]);
                (right, wrong) = (right + rightHere, wrong + wrongHere);
            }

            precision[t] = right == 0 ? 0 : (double)right / (right + wrong);
        }

        for (int i = precision.Length - 2; i >= 0; i--) precision[i] = Math.Max(precision[i], precision[i + 1]);
        return precision;
    }

    private static KittiLevelMetrics Sum(KittiClassMetrics[] classes)
        => new(Mean(classes, c => c.AveragePrecision40), Mean(classes, c => c.AveragePrecision11), classes);

    private static double Mean(KittiClassMetrics[] classes, Func<KittiClassMetrics, double> figure)
        => classes.Select(figure).Where(value => !double.IsNaN(value)).DefaultIfEmpty(double.NaN).Average();
}
