namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>All figures at once.</summary>
internal static class DetectionEvaluator
{
    /// <summary>Measures detections against the ground truth by every rule.</summary>
    /// <param name="inclusivePixels">Whether VOC's figures take a width for x1 - x0 + 1.</param>
    /// <inheritdoc cref="CocoEvaluator.Evaluate(IReadOnlyList{EvaluationImage}, IReadOnlyList{string}, int)"/>
    public static DetectionMetrics Evaluate(
        IReadOnlyList<EvaluationImage> images, IReadOnlyList<string> classNames, bool inclusivePixels = true)
    {
        ClassGroup[] groups = ClassGroup.Of(images, classNames.Count);
        CocoMetrics coco = CocoEvaluator.EvaluateGroups(groups, classNames);
        VocMetrics voc07 = VocEvaluator.EvaluateGroups(
            groups, classNames, new VocProtocol(VocInterpolation.ElevenPoints, InclusivePixels: inclusivePixels));
        VocMetrics voc12 = VocEvaluator.EvaluateGroups(
            groups, classNames, new VocProtocol(VocInterpolation.AllPoints, InclusivePixels: inclusivePixels));
        (ScoreAdvice scores, ScoreAdvice[] classScores) = ScoreAdvisor.Of(images, classNames.Count);
        bool kitti = classNames.Any(KittiProtocol.Measures);
        return new DetectionMetrics
        {
            Coco = coco,
            Voc07 = voc07,
            Voc12 = voc12,
            Ilsvrc = IlsvrcEvaluator.EvaluateGroups(groups, classNames),
            Kitti = kitti ? KittiEvaluator.Evaluate(images, classNames) : null,
            Confusion = ConfusionCounter.Count(images, classNames),
            Errors = ErrorAnalyzer.Analyze(images, classNames),
            Images = images.Count,
            Classes = [.. groups.Select((group, c) => new DetectionClassMetrics(
                classNames[c], group.Truth.Count(box => !box.DontCare), group.Detections.Count,
                coco.Classes[c].AveragePrecision, coco.Classes[c].AveragePrecision50,
                voc07.Classes[c].AveragePrecision, voc12.Classes[c].AveragePrecision)
            {
                Scores = classScores[c],
            })],
            Scores = scores,
        };
    }
}

/// <summary>
/// Which detections of one image are right: best score first, a detection finds the object of its class that it overlaps most
/// among those overlapped enough and not found yet.
/// </summary>
internal sealed class ImageMatch
{
    private readonly double[] _iou;

    private ImageMatch(TrueBox[] objects, DetectedBox[] detections)
    {
        (Objects, Detections) = (objects, detections);
        _iou = new double[objects.Length * detections.Length];
        for (int d = 0; d < detections.Length; d++)
        {
            for (int g = 0; g < objects.Length; g++) _iou[d * objects.Length + g] = detections[d].Box.Iou(objects[g].Box);
        }

        Found = new bool[objects.Length];
        ObjectOf = new int[detections.Length];
        Array.Fill(ObjectOf, -1);
        Excused = new bool[detections.Length];
    }

    /// <summary>The objects to find.</summary>
    public TrueBox[] Objects { get; }

    /// <summary>The detections, best first.</summary>
    public DetectedBox[] Detections { get; }

    /// <summary>For each object, whether a detection of its class finds it.</summary>
    public bool[] Found { get; }

    /// <summary>For each detection the object that it finds, or -1.</summary>
    public int[] ObjectOf { get; }

    /// <summary>
    /// For each detection, whether it finds nothing but meets a crowd, a difficult object or a don't-care region of its class.
    /// </summary>
    public bool[] Excused { get; }

    /// <summary>Matches one image.</summary>
    public static ImageMatch Of(TrueBox[] truth, DetectedBox[] detections, double iouThreshold)
    {
        var order = new int[detections.Length];
        Ranking.BestFirst(detections, order);
        var match = new ImageMatch(Array.FindAll(truth, box => !box.Ignored), Array.ConvertAll(order, index => detections[index]));
        TrueBox[] ignored = Array.FindAll(truth, box => box.Ignored);
        for (int d = 0; d < order.Length; d++)
        {
            DetectedBox box = match.Detections[d];
            (int best, double iou) = match.Nearest(d, g => match.Objects[g].Label == box.Label && !match.Found[g]);
            if (best >= 0 && iou >= iouThreshold) (match.ObjectOf[d], match.Found[best]) = (best, true);
            else match.Excused[d] = Array.Exists(ignored, other => Concerns(other, box) && other.Cover(box.Box) >= iouThreshold);
        }

        return match;
    }

    /// <summary>The object that a detection overlaps most among those asked for; -1 where it meets none.</summary>
    public (int Object, double Iou) Nearest(int detection, Func<int, bool> isAskedFor)
    {
        (int Object, double Iou) nearest = (-1, 0);
        for (int g = 0; g < Objects.Length; g++)
        {
            double iou = _iou[detection * Objects.Length + g];
            if (iou > nearest.Iou && isAskedFor(g)) nearest = (g, iou);
        }

        return nearest;
    }

    private static bool Concerns(TrueBox ignored, DetectedBox detection)
        => ignored.Label == detection.Label || ignored.DontCare && ignored.Label == TrueBox.EveryClass;
}
