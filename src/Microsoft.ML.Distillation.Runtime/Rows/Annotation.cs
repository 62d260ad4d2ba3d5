using System.Globalization;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Rows;

/// <summary>The objects of one image.</summary>
/// <param name="Boxes">4N values, x0 y0 x1 y1 of each object, as shares of the image (0 to 1).</param>
/// <param name="Labels">N class indices, 0-based, into the data set's class names.</param>
internal sealed record Annotation(float[] Boxes, int[] Labels)
{
    /// <summary>An image without objects: background.</summary>
    public static readonly Annotation Empty = new([], []);

    /// <summary>The number of objects.</summary>
    public int Count => Labels.Length;
}

/// <summary>What a detector found in one image, best first.</summary>
/// <param name="Boxes">4N values, x0 y0 x1 y1 of each detection, as shares of the image (0 to 1).</param>
/// <param name="Scores">N scores, 0 to 1.</param>
/// <param name="Labels">N class indices, 0-based, into the detector's class names.</param>
internal sealed record Detections(float[] Boxes, float[] Scores, int[] Labels)
{
    /// <summary>The number of detections.</summary>
    public int Count => Labels.Length;

    /// <summary>Some of them.</summary>
    /// <param name="indices">Which, in which order.</param>
    public Detections Of(IReadOnlyList<int> indices) => new(
        [.. indices.SelectMany(i => Boxes[(4 * i)..(4 * i + 4)])], [.. indices.Select(i => Scores[i])],
        [.. indices.Select(i => Labels[i])]);

    /// <summary>
    /// The same with horizontal and vertical coordinates multiplied: of shares by an image's size, or of pixels by its inverse.
    /// </summary>
    public Detections Scaled(float x, float y) => this with { Boxes = [.. Boxes.Select((value, i) => value * (i % 2 == 0 ? x : y))] };
}

/// <summary>Decides whether a box, x0 y0 x1 y1 in pixels, can be trained on.</summary>
internal static class BoxCheck
{
    /// <summary>
    /// How far a box may reach beyond the image before it counts as wrong: one pixel, since formats that count pixels from 1,
    /// or corners as whole pixels, are off by one at the edge.
    /// </summary>
    public const float Tolerance = 1;

    /// <summary>What is wrong with a box, or null.</summary>
    public static string? Problem(ReadOnlySpan<float> box, ImageSize image)
    {
        if (!IsFinite(box)) return "has a coordinate that is no number";
        if (box[2] <= box[0] || box[3] <= box[1]) return "has no area";
        bool reachesOut = box[0] < -Tolerance || box[1] < -Tolerance
            || box[2] > image.Width + Tolerance || box[3] > image.Height + Tolerance;
        bool isOutside = box[0] >= image.Width || box[1] >= image.Height || box[2] <= 0 || box[3] <= 0;
        return reachesOut || isOutside ? $"lies outside the image of {image} pixels" : null;
    }

    /// <summary>The part of a box that lies in the image, in shares of the image, or null where nothing of it does.</summary>
    public static (float X0, float Y0, float X1, float Y1)? Clip(ReadOnlySpan<float> box, ImageSize image)
    {
        if (!IsFinite(box)) return null;
        float x0 = Math.Clamp(box[0] / image.Width, 0, 1), x1 = Math.Clamp(box[2] / image.Width, 0, 1);
        float y0 = Math.Clamp(box[1] / image.Height, 0, 1), y1 = Math.Clamp(box[3] / image.Height, 0, 1);
        return x1 > x0 && y1 > y0 ? (x0, y0, x1, y1) : null;
    }

    /// <summary>A box as messages show it.</summary>
    public static string Text(ReadOnlySpan<float> box)
        => string.Create(CultureInfo.InvariantCulture, $"({box[0]}, {box[1]}, {box[2]}, {box[3]})");

    private static bool IsFinite(ReadOnlySpan<float> box)
        => float.IsFinite(box[0]) && float.IsFinite(box[1]) && float.IsFinite(box[2]) && float.IsFinite(box[3]);
}
