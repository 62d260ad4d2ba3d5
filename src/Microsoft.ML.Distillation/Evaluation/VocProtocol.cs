namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>Which of PASCAL VOC's two rules of average precision.</summary>
internal enum VocInterpolation
{
    /// <summary>VOC 2007: the mean of the best precision at recalls 0, .1, … 1.</summary>
    ElevenPoints,

    /// <summary>VOC 2010 and later: the area under the whole curve.</summary>
    AllPoints,
}

/// <summary>How PASCAL VOC measures.</summary>
/// <param name="Interpolation">The rule of average precision.</param>
/// <param name="IouThreshold">The IoU from which a detection is right.</param>
/// <param name="InclusivePixels">Whether x1 and y1 name the last pixel inside the box, as in VOC's own files: then a width is x1 - x0 + 1.</param>
internal sealed record VocProtocol(VocInterpolation Interpolation, double IouThreshold = 0.5, bool InclusivePixels = true);
