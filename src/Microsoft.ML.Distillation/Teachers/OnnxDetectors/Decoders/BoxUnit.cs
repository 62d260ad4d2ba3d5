namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors.Decoders;

/// <summary>What the coordinates of boxes are counted in, as far as their values show it.</summary>
internal enum BoxUnit
{
    /// <summary>There are no boxes, or all are empty.</summary>
    Unknown,

    /// <summary>Pixels of the input.</summary>
    Pixels,

    /// <summary>Shares of the input.</summary>
    Shares,
}

/// <summary>Tells pixels from shares.</summary>
internal static class BoxUnits
{
    // Shares of boxes that nobody cut may exceed 1; a box that ends within two pixels of the corner shows nothing.
    private const float LargestShare = 2;

    /// <summary>What the boxes [N,4] of an image are counted in.</summary>
    public static BoxUnit Of(OnnxOutput boxes)
    {
        float largest = 0;
        foreach (float value in boxes.Values.Span) largest = Math.Max(largest, value);
        return largest > LargestShare ? BoxUnit.Pixels : largest > 0 ? BoxUnit.Shares : BoxUnit.Unknown;
    }
}
