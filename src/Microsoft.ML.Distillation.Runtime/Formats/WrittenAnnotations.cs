namespace Microsoft.ML.Distillation;

/// <summary>What <see cref="DetectionCatalog.SaveDetections"/> wrote.</summary>
/// <param name="Images">How many images.</param>
/// <param name="Objects">How many objects.</param>
/// <param name="LeftOut">How many objects the format has no way to say: regions of no class; for YOLO also groups and regions to
/// ignore.</param>
public sealed record WrittenAnnotations(int Images, int Objects, int LeftOut);
