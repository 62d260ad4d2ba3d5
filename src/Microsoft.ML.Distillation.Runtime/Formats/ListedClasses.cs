namespace Microsoft.ML.Distillation.Formats;

/// <summary>The classes that a data set lists, whether or not they occur.</summary>
internal static class ListedClasses
{
    /// <summary>The list of formats that have one (COCO's categories, YOLO's names), in its order; null for others.</summary>
    /// <inheritdoc cref="AnnotationReader.Read" path="/exception"/>
    public static IReadOnlyList<string>? Of(DetectionFormat format, AnnotationSource source) => format switch
    {
        DetectionFormat.Coco => CocoReader.Parse(source).File.ClassNames,
        DetectionFormat.Yolo => [.. YoloFolder.Open(source with { ToleratesBrokenImages = true }).Names.All
            .Select(pair => pair.Value).Distinct()],
        _ => null,
    };
}
