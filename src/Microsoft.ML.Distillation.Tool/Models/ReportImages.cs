using Microsoft.ML.Distillation.Evaluation;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Reports;

namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>Images and detections in the form in which a report takes them.</summary>
internal static class ReportImages
{
    /// <summary>Annotated images.</summary>
    public static IReadOnlyList<ReportedImage> Of(IReadOnlyList<AnnotatedRow> images) => [.. images.Select(image => new ReportedImage(
        Path.GetFileName(image.ImagePath), ImageFile.SizeOf(image.ImagePath),
        [.. image.Label.Select((label, i) => Box(label, image.BoundingBoxes, i) with
        {
            Ignored = image.Difficult.ElementAtOrDefault(i) || image.Crowd.ElementAtOrDefault(i) || image.Ignore.ElementAtOrDefault(i),
        })],
        () => ReportPictures.FromFile(image.ImagePath)))];

    /// <summary>What was found in an image.</summary>
    public static IReadOnlyList<ReportedBox> Of(DetectedImage found) => [.. found.Labels.Select((label, i) => Box(label, found.Boxes, i) with { Score = found.Scores[i] })];

    private static ReportedBox Box(string label, float[] boxes, int i) => new(label, boxes[4 * i], boxes[4 * i + 1], boxes[4 * i + 2], boxes[4 * i + 3]);
}
