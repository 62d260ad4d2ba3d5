using Microsoft.ML.Distillation.Evaluation;

namespace Microsoft.ML.Distillation.Tests.Evaluation;

/// <summary>
/// COCO's and VOC's average precision written down as their definitions read: one threshold, one area range and one class at a time,
/// every sum from its beginning, nothing shared with the evaluators. Slow.
/// </summary>
internal static class PlainEvaluation
{
    /// <summary>COCO's AP of a class at an IoU threshold, of objects with an area in a range, and the recall that is reached.</summary>
    /// <param name="most">How many detections of an image count.</param>
    public static (double AveragePrecision, double Recall) Coco(EvaluationImage[] images, int label, double iou,
        (double From, double To) range, int most = 100)
    {
        var all = new List<Outcome>();
        int objects = 0;
        foreach (EvaluationImage image in images)
        {
            TrueBox[] truth = [.. image.Truth.Where(box => box.Label == label)];
            objects += truth.Count(box => !IsIgnored(box));
            var taken = new HashSet<int>();
            foreach (DetectedBox detection in BestFirst(image.Detections.Where(box => box.Label == label)).Take(most))
            {
                // Objects that count come first; one that does not is taken only where none of those is overlapped enough.
                int[] candidates = [.. Enumerable.Range(0, truth.Length)
                    .Where(i => Overlap(detection.Box, truth[i], edge: 0) >= iou && (truth[i].Crowd || !taken.Contains(i)))];
                int[] counting = [.. candidates.Where(i => !IsIgnored(truth[i]))];
                int[] choice = counting.Length > 0 ? counting : candidates;
                if (choice.Length == 0)
                {
                    double area = detection.Box.Width * detection.Box.Height;
                    all.Add(new Outcome(detection.Score, false, area < range.From || area > range.To));
                    continue;
                }

                int match = choice.MaxBy(i => Overlap(detection.Box, truth[i], edge: 0));
                taken.Add(match);
                all.Add(new Outcome(detection.Score, !IsIgnored(truth[match]), IsIgnored(truth[match])));
            }
        }

        if (objects == 0) return (double.NaN, double.NaN);
        (double Recall, double Precision)[] points = Points(all, objects);
        double[] atRecalls = [.. Enumerable.Range(0, 101).Select(i => BestFrom(points, i * 0.01))];
        return (atRecalls.Average(), points.Select(point => point.Recall).DefaultIfEmpty(0).Max());

        bool IsIgnored(TrueBox box) => box.Crowd || box.Difficult || box.Area < range.From || box.Area > range.To;
    }

    /// <summary>VOC's AP of a class at IoU .50 with inclusive pixels.</summary>
    public static double Voc(EvaluationImage[] images, int label, bool elevenPoints)
    {
        int objects = images.Sum(image => image.Truth.Count(box => box.Label == label && !box.Difficult));
        if (objects == 0) return double.NaN;
        var taken = new HashSet<(int, int)>();
        var all = new List<Outcome>();
        foreach ((int i, DetectedBox detection) in images
            .SelectMany((image, i) => image.Detections.Where(box => box.Label == label).Select(box => (i, box)))
            .OrderByDescending(pair => pair.box.Score))
        {
            TrueBox[] truth = images[i].Truth;
            int[] same = [.. Enumerable.Range(0, truth.Length).Where(g => truth[g].Label == label)];
            int nearest = same.Length == 0 ? -1 : same.MaxBy(g => Overlap(detection.Box, truth[g], edge: 1));
            bool meets = nearest >= 0 && Overlap(detection.Box, truth[nearest], edge: 1) >= .5;
            if (meets && truth[nearest].Difficult) continue;
            all.Add(new Outcome(detection.Score, meets && taken.Add((i, nearest)), false));
        }

        (double Recall, double Precision)[] points = Points(all, objects);
        if (elevenPoints) return Enumerable.Range(0, 11).Average(i => BestFrom(points, i * 0.1));
        // Recall rises by one object at a time; each rise counts with the best precision from there on.
        return Enumerable.Range(1, objects).Sum(found => BestFrom(points, (double)found / objects)) / objects;
    }

    /// <summary>A detection: right, or neither right nor wrong, or else wrong.</summary>
    private readonly record struct Outcome(double Score, bool Right, bool Ignored);

    /// <summary>Recall and precision after each detection that counts, best score first; equal scores keep their order.</summary>
    private static (double Recall, double Precision)[] Points(List<Outcome> outcomes, int objects)
    {
        Outcome[] counting = [.. outcomes.OrderByDescending(outcome => outcome.Score).Where(outcome => !outcome.Ignored)];
        return [.. Enumerable.Range(1, counting.Length)
            .Select(n => ((double)counting.Take(n).Count(o => o.Right) / objects, (double)counting.Take(n).Count(o => o.Right) / n))];
    }

    // Without a tolerance, as in the references: three of ten objects do not reach the recall 3 × 0.1, which is a little above 0.3.
    private static double BestFrom((double Recall, double Precision)[] points, double recall)
        => points.Where(point => point.Recall >= recall).Select(point => point.Precision).DefaultIfEmpty(0).Max();

    private static IEnumerable<DetectedBox> BestFirst(IEnumerable<DetectedBox> detections)
        => detections.OrderByDescending(box => box.Score);

    /// <summary>Intersection over union; with a crowd, over the detection alone.</summary>
    private static double Overlap(Box detection, TrueBox truth, double edge)
    {
        double width = Math.Min(detection.X1, truth.Box.X1) - Math.Max(detection.X0, truth.Box.X0) + edge;
        double height = Math.Min(detection.Y1, truth.Box.Y1) - Math.Max(detection.Y0, truth.Box.Y0) + edge;
        if (width <= 0 || height <= 0) return 0;
        double own = (detection.Width + edge) * (detection.Height + edge), other = (truth.Box.Width + edge) * (truth.Box.Height + edge);
        return width * height / (truth.Crowd ? own : own + other - (width * height));
    }
}
