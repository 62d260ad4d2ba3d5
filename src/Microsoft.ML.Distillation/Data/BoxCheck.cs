using System.Globalization;

namespace Microsoft.ML.Distillation.Data;

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
        bool reachesOut = box[0] < -Tolerance || box[1] < -Tolerance || box[2] > image.Width + Tolerance || box[3] > image.Height + Tolerance;
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
