namespace Microsoft.ML.Distillation;

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
