namespace Microsoft.ML.Distillation;

/// <summary>The formats in which annotated images can be read.</summary>
public enum DetectionFormat
{
    /// <summary>
    /// Pascal VOC: one xml file an image. Either with the folders <c>Annotations</c>, <c>JPEGImages</c> and (not needed)
    /// <c>ImageSets/Main</c>, or with each xml file beside its image.
    /// </summary>
    PascalVoc,
}
