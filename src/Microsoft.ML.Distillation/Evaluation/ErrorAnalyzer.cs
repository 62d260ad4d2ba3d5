namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>Counts the errors of all detections, and what each kind of them costs.</summary>
internal static class ErrorAnalyzer
{
    /// <summary>Analyses all images.</summary>
    /// <param name="images">All images. Of equal scores the earlier image's counts first.</param>
    /// <param name="classNames">The classes; a label is an index into this list. A detection of another class is left out.</param>
    /// <exception cref="ArgumentException">An annotated object has a class outside the list.</exception>
    public static DetectionErrors Analyze(IReadOnlyList<EvaluationImage> images, IReadOnlyList<string> classNames)
    {
        int classes = classNames.Count;
        EvaluationImage.CheckLabels(images, classes);
        var judged = new List<JudgedDetection>();
        int[] objects = new int[classes], missed = new int[classes];
        foreach (EvaluationImage image in images)
        {
            ImageMatch match = ImageMatch.Of(image.Truth, Counting(image.Detections, classes), ErrorJudge.FoundFrom);
            foreach (TrueBox box in match.Objects) objects[box.Label]++;
            ErrorJudge.Judge(match, judged, missed);
        }

        JudgedDetection[] ranked = Array.ConvertAll(Ranking.BestFirst(judged.Count, i => judged[i].Score), i => judged[i]);
        int[] left = [.. objects.Zip(missed, (all, lost) => all - lost)];
        double precision = AveragePrecision(ranked, objects, objects, ErrorKind.None);
        DetectionErrorKind Cost(ErrorKind kind) => new(
            kind == ErrorKind.Missed ? missed.Sum() : judged.Count(detection => detection.Kind == kind),
            Math.Max(0, AveragePrecision(ranked, objects, kind == ErrorKind.Missed ? left : objects, kind) - precision));

        return new DetectionErrors
        {
            AveragePrecision50 = precision,
            Localisation = Cost(ErrorKind.Localisation),
            Classification = Cost(ErrorKind.Classification),
            Duplicate = Cost(ErrorKind.Duplicate),
            Background = Cost(ErrorKind.Background),
            Both = Cost(ErrorKind.Both),
            Missed = Cost(ErrorKind.Missed),
        };
    }

    /// <summary>The best detections of each class of the list, as many as COCO counts.</summary>
    private static DetectedBox[] Counting(DetectedBox[] detections, int classes)
        => detections.Length <= CocoProtocol.MaxDetections
            ? Array.FindAll(detections, box => (uint)box.Label < (uint)classes)
            : [.. detections.Where(box => (uint)box.Label < (uint)classes).GroupBy(box => box.Label)
                .SelectMany(group => group.OrderByDescending(box => box.Rank).Take(CocoProtocol.MaxDetections))];

    /// <summary>The mean of the classes' AP50 as COCO interpolates it, with one kind of error put right.</summary>
    /// <param name="ranked">All detections, best first.</param>
    /// <param name="objects">The number of objects of each class: those with any are averaged.</param>
    /// <param name="toFind">The number of objects of each class that are to be found.</param>
    /// <param name="without">The kind that is put right.</param>
    private static double AveragePrecision(JudgedDetection[] ranked, int[] objects, int[] toFind, ErrorKind without)
    {
        List<double>[] curves = [.. objects.Select(_ => new List<double>())];
        var wrong = new int[objects.Length];
        foreach (JudgedDetection detection in ranked)
        {
            bool right = detection.Kind == ErrorKind.None;
            int label = right || detection.Kind != without ? detection.Label : detection.Repaired;
            if (label < 0) continue;
            if (right || detection.Kind == without) curves[label].Add((curves[label].Count + 1.0) / (curves[label].Count + 1 + wrong[label]));
            else wrong[label]++;
        }

        double AveragePrecisionOf(int label)
        {
            if (toFind[label] == 0) return wrong[label] == 0 ? 1 : 0;
            Span<double> atRecalls = stackalloc double[CocoProtocol.RecallThresholds.Length];
            return CocoClassResult.AveragePrecision(curves[label], toFind[label], atRecalls);
        }

        return Enumerable.Range(0, objects.Length).Where(c => objects[c] > 0).Select(AveragePrecisionOf).DefaultIfEmpty(double.NaN).Average();
    }
}
