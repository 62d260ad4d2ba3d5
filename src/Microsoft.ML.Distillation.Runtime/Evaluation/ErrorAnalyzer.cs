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
            if (right || detection.Kind == without)
                curves[label].Add((curves[label].Count + 1.0) / (curves[label].Count + 1 + wrong[label]));
            else wrong[label]++;
        }

        double AveragePrecisionOf(int label)
        {
            if (toFind[label] == 0) return wrong[label] == 0 ? 1 : 0;
            Span<double> atRecalls = stackalloc double[CocoProtocol.RecallThresholds.Length];
            return CocoClassResult.AveragePrecision(curves[label], toFind[label], atRecalls);
        }

        return Enumerable.Range(0, objects.Length).Where(c => objects[c] > 0).Select(AveragePrecisionOf)
            .DefaultIfEmpty(double.NaN).Average();
    }
}

/// <summary>Finds the error of each detection of one image, by the definitions of <see cref="DetectionErrors"/>.</summary>
internal static class ErrorJudge
{
    /// <summary>The IoU from which a detection finds an object.</summary>
    public const double FoundFrom = 0.5;

    /// <summary>The IoU up to which a detection meets only background.</summary>
    public const double BackgroundTo = 0.1;

    /// <summary>Judges an image's detections, best first.</summary>
    /// <param name="match">The image, matched at <see cref="FoundFrom"/>.</param>
    /// <param name="judged">Receives the detections.</param>
    /// <param name="missed">Receives the number of missed objects, added to those of each class.</param>
    public static void Judge(ImageMatch match, List<JudgedDetection> judged, int[] missed)
    {
        bool[] seen = [.. match.Found];
        for (int d = 0; d < match.Detections.Length; d++)
        {
            if (match.Excused[d]) continue;
            DetectedBox box = match.Detections[d];
            (ErrorKind kind, int at) = match.ObjectOf[d] >= 0 ? (ErrorKind.None, -1) : KindOf(match, d);
            var detection = new JudgedDetection(box.Label, box.Rank, kind);
            judged.Add(detection);
            if (at < 0 || seen[at]) continue;
            seen[at] = true;
            detection.Repaired = match.Objects[at].Label;
        }

        for (int g = 0; g < seen.Length; g++)
        {
            if (!seen[g]) missed[match.Objects[g].Label]++;
        }
    }

    /// <summary>The error, and the object at which it points if it is one of localisation or classification.</summary>
    private static (ErrorKind Kind, int Object) KindOf(ImageMatch match, int detection)
    {
        int label = match.Detections[detection].Label;
        (int same, double sameIou) = match.Nearest(detection, g => match.Objects[g].Label == label);
        if (sameIou is >= BackgroundTo and < FoundFrom) return (ErrorKind.Localisation, same);

        (int other, double otherIou) = match.Nearest(detection, g => match.Objects[g].Label != label);
        if (otherIou >= FoundFrom) return (ErrorKind.Classification, other);
        if (sameIou >= FoundFrom) return (ErrorKind.Duplicate, -1);
        return (otherIou <= BackgroundTo ? ErrorKind.Background : ErrorKind.Both, -1);
    }
}

/// <summary>What a detection, or an object without one, is. <see cref="DetectionErrors"/> defines the kinds.</summary>
internal enum ErrorKind
{
    /// <summary>A right detection.</summary>
    None,
    Localisation,
    Classification,
    Duplicate,
    Background,
    Both,
    Missed,
}

/// <summary>A detection and what is wrong with it.</summary>
/// <param name="Label">Its class.</param>
/// <param name="Score">The score to rank by.</param>
/// <param name="Kind">Its error.</param>
internal sealed record JudgedDetection(int Label, double Score, ErrorKind Kind)
{
    /// <summary>
    /// The class of the object that it would find, were its error of localisation or classification put right; -1 where
    /// that object is found, or a surer error points at it.
    /// </summary>
    public int Repaired { get; set; } = -1;
}

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

        return new ConfusionMatrix
        { ClassNames = classNames, Counts = counts, ScoreThreshold = scoreThreshold, IouThreshold = iouThreshold };
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
