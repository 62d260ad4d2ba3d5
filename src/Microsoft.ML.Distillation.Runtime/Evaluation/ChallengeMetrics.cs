namespace Microsoft.ML.Distillation;

/// <summary>PASCAL VOC's average precision.</summary>
/// <param name="MeanAveragePrecision">The mean over the classes that have objects, 0 to 1; NaN where none has.</param>
/// <param name="Classes">The classes' own figures, in the order of the classes.</param>
public sealed record VocMetrics(double MeanAveragePrecision, IReadOnlyList<VocClassMetrics> Classes);

/// <summary>PASCAL VOC's average precision of one class.</summary>
/// <param name="Name">The class.</param>
/// <param name="AveragePrecision">0 to 1; NaN where the ground truth has no object of the class.</param>
public sealed record VocClassMetrics(string Name, double AveragePrecision)
{
    /// <summary>A point for each right detection, best score first; empty without any object.</summary>
    public required PrecisionRecallCurve Curve { get; init; }
}

/// <summary>The average precision of ImageNet's detection challenge (ILSVRC-DET).</summary>
/// <remarks>
/// A detection is right from the IoU min(.5, wh / ((w + 10)(h + 10))) on, w and h the object's width and height in pixels, so
/// that a small object may be missed by five pixels at each side. (Russakovsky et al. 2015, section 4.3.)
/// </remarks>
/// <param name="MeanAveragePrecision">The mean over the classes that have objects, 0 to 1; NaN where none has.</param>
/// <param name="Classes">The classes' own figures, in the order of the classes.</param>
public sealed record IlsvrcMetrics(double MeanAveragePrecision, IReadOnlyList<IlsvrcClassMetrics> Classes);

/// <summary>ILSVRC's average precision of one class.</summary>
/// <param name="Name">The class.</param>
/// <param name="AveragePrecision">The area under the whole curve, 0 to 1; NaN where the ground truth has no object of the class.</param>
/// <param name="Curve">A point for each right detection, best score first; empty without any object.</param>
public sealed record IlsvrcClassMetrics(string Name, double AveragePrecision, PrecisionRecallCurve Curve);

/// <summary>
/// KITTI's average precision of boxes in the image, of its classes Car (IoU above .7), Pedestrian and Cyclist (above .5).
/// A Van found as a Car and a Person_sitting found as a Pedestrian are neither right nor wrong, nor is a detection in a
/// region marked DontCare.
/// </summary>
/// <remarks>
/// Made for KITTI's thousands of objects: precision is read at one score threshold each 1/40 of recall, and no more thresholds
/// can be told apart than objects are found. With fewer than 41 objects not even perfect detections reach 1.
/// </remarks>
/// <param name="Easy">Objects more than 40 pixels high, fully visible, at most 15 % outside the image.</param>
/// <param name="Moderate">Objects more than 25 pixels high, at most partly hidden, at most 30 % outside the image.</param>
/// <param name="Hard">Objects more than 25 pixels high, at most largely hidden, at most 50 % outside the image.</param>
public sealed record KittiMetrics(KittiLevelMetrics Easy, KittiLevelMetrics Moderate, KittiLevelMetrics Hard);

/// <summary>KITTI's average precision at one difficulty.</summary>
/// <param name="AveragePrecision40">The mean over the classes that have objects, of 40 recalls, 0 to 1; NaN where none has.</param>
/// <param name="AveragePrecision11">The mean over the classes that have objects, of 11 recalls, 0 to 1; NaN where none has.</param>
/// <param name="Classes">Those of Car, Pedestrian and Cyclist that are among the classes, in the order of the classes.</param>
public sealed record KittiLevelMetrics(
    double AveragePrecision40, double AveragePrecision11, IReadOnlyList<KittiClassMetrics> Classes);

/// <summary>KITTI's average precision of one class at one difficulty; NaN where the ground truth has no object of it.</summary>
/// <param name="Name">The class.</param>
/// <param name="Objects">The number of objects to find.</param>
/// <param name="AveragePrecision40">The mean precision at the recalls 1/40, 2/40, … 1: KITTI's figure since October 2019.</param>
/// <param name="AveragePrecision11">The mean precision at the recalls 0, .1, … 1: KITTI's figure before.</param>
/// <param name="Curve">The precision at the recalls 0, 1/40, … 1; empty without any object.</param>
public sealed record KittiClassMetrics(
    string Name, int Objects, double AveragePrecision40, double AveragePrecision11, PrecisionRecallCurve Curve);
