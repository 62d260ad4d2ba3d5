namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>Finds the score from which a detector's detections are best taken for objects.</summary>
internal static class ScoreAdvisor
{
    private const double FoundFrom = 0.5;
    private const int Steps = 100;

    /// <summary>The advice over all classes, and for each class.</summary>
    /// <param name="images">All images.</param>
    /// <param name="classes">The number of classes; labels are below it.</param>
    public static (ScoreAdvice Overall, ScoreAdvice[] Classes) Of(IReadOnlyList<EvaluationImage> images, int classes)
    {
        var objects = new int[classes];
        var judged = new List<(double Score, bool IsRight)>[classes];
        for (int c = 0; c < classes; c++) judged[c] = [];
        foreach (EvaluationImage image in images)
        {
            // Best score first each takes its object, so what is right does not depend on the score that one begins at.
            var match = ImageMatch.Of(image.Truth, Array.FindAll(image.Detections, box => (uint)box.Label < (uint)classes), FoundFrom);
            foreach (TrueBox box in match.Objects)
            {
                if (box.Label != TrueBox.EveryClass) objects[box.Label]++;
            }

            for (int d = 0; d < match.Detections.Length; d++)
            {
                if (match.ObjectOf[d] >= 0 || !match.Excused[d])
                    judged[match.Detections[d].Label].Add((match.Detections[d].Rank, match.ObjectOf[d] >= 0));
            }
        }

        return (Advice(objects.Sum(), judged.SelectMany(one => one)), [.. judged.Select((one, c) => Advice(objects[c], one))]);
    }

    private static ScoreAdvice Advice(int objects, IEnumerable<(double Score, bool IsRight)> judged)
    {
        if (objects == 0) return ScoreAdvice.None;
        (double Score, bool IsRight)[] order = [.. judged.OrderByDescending(one => one.Score)];
        var best = new ScorePoint(double.NaN, 0, 0, objects);
        var points = new ScorePoint[Steps - 1];
        int found = 0, next = points.Length - 1;
        for (int i = 0; i <= order.Length; i++)
        {
            double upTo = i < order.Length ? order[i].Score : double.NegativeInfinity;
            for (; next >= 0 && (next + 1.0) / Steps > upTo; next--)
                points[next] = new ScorePoint((next + 1.0) / Steps, found, i - found, objects - found);
            if (i == order.Length) break;
            if (order[i].IsRight) found++;
            // Detections of one score are taken together or not at all.
            if (i + 1 < order.Length && order[i + 1].Score == upTo) continue;
            var point = new ScorePoint(upTo, found, i + 1 - found, objects - found);
            if (found > 0 && point.F1 >= best.F1) best = point;
        }

        return new ScoreAdvice { Objects = objects, Best = best, Points = points };
    }
}
