namespace Microsoft.ML.Distillation;

/// <summary>How well detections agree with the ground truth, by the rules of COCO, PASCAL VOC, ILSVRC and KITTI.</summary>
public sealed record DetectionMetrics
{
    /// <summary>AP: COCO's average precision, mean over the classes and the IoU thresholds .50 to .95; NaN without any object.</summary>
    public double AveragePrecision => Coco.AveragePrecision;

    /// <summary>AP50: COCO's average precision at IoU .50.</summary>
    public double AveragePrecision50 => Coco.AveragePrecision50;

    /// <summary>AP75: COCO's average precision at IoU .75.</summary>
    public double AveragePrecision75 => Coco.AveragePrecision75;

    /// <summary>COCO's twelve figures.</summary>
    public required CocoMetrics Coco { get; init; }

    /// <summary>PASCAL VOC 2007: 11-point average precision at IoU .50, with VOC's inclusive pixels.</summary>
    public required VocMetrics Voc07 { get; init; }

    /// <summary>PASCAL VOC 2010 and later: all-point average precision at IoU .50, with VOC's inclusive pixels.</summary>
    public required VocMetrics Voc12 { get; init; }

    /// <summary>ILSVRC-DET: average precision with a lower IoU threshold for small objects.</summary>
    public required IlsvrcMetrics Ilsvrc { get; init; }

    /// <summary>KITTI's easy, moderate and hard; null where no class is called Car, Pedestrian or Cyclist.</summary>
    public required KittiMetrics? Kitti { get; init; }

    /// <summary>Which classes are taken for which, among detections of score .5 or more.</summary>
    public required ConfusionMatrix Confusion { get; init; }

    /// <summary>What is wrong with the detections, and what each kind of error costs.</summary>
    public required DetectionErrors Errors { get; init; }

    /// <summary>The figures of each class, of all classes that either side knows.</summary>
    public required IReadOnlyList<DetectionClassMetrics> Classes { get; init; }

    /// <summary>The number of images.</summary>
    public required int Images { get; init; }

    /// <summary>From which score on detections are best taken for objects, over all classes.</summary>
    public ScoreAdvice Scores { get; init; } = ScoreAdvice.None;
}

/// <summary>The figures of one class; NaN where the ground truth has no object of it.</summary>
/// <param name="Name">The class.</param>
/// <param name="Objects">The number of annotated objects.</param>
/// <param name="Detections">The number of detections.</param>
/// <param name="AveragePrecision">COCO's, mean over the IoU thresholds .50 to .95.</param>
/// <param name="AveragePrecision50">COCO's, at IoU .50.</param>
/// <param name="Voc07">PASCAL VOC's 11-point average precision.</param>
/// <param name="Voc12">PASCAL VOC's all-point average precision.</param>
public sealed record DetectionClassMetrics(
    string Name, int Objects, int Detections, double AveragePrecision, double AveragePrecision50, double Voc07, double Voc12)
{
    /// <summary>From which score on detections of the class are best taken for objects.</summary>
    public ScoreAdvice Scores { get; init; } = ScoreAdvice.None;
}

/// <summary>Precision against recall: two lists of one length, recall ascending.</summary>
/// <param name="Recall">The shares of the objects that are found, 0 to 1.</param>
/// <param name="Precision">
/// The shares of the detections that are right, 0 to 1; each is the best at its recall or at a higher one, as all the
/// evaluations here interpolate it, so it never rises. 0 at recalls that are not reached.
/// </param>
public sealed record PrecisionRecallCurve(IReadOnlyList<double> Recall, IReadOnlyList<double> Precision)
{
    /// <summary>No point: there is no object to find.</summary>
    internal static PrecisionRecallCurve Empty { get; } = new([], []);

    /// <summary>The area under the steps from point to point: all-point average precision.</summary>
    internal double AreaUnder()
    {
        double area = 0, before = 0;
        for (int i = 0; i < Recall.Count; i++)
        {
            area += (Recall[i] - before) * Precision[i];
            before = Recall[i];
        }

        return area;
    }
}
