using System.Globalization;

namespace Microsoft.ML.Distillation;

/// <summary>An object that a detector has found in an image.</summary>
/// <param name="Label">The name of its class.</param>
/// <param name="Score">How sure the detector is, 0 to 1.</param>
/// <param name="Box">Where it is.</param>
public sealed record Detection(string Label, float Score, BoundingBox Box)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Label} {Score:0.000} at {Box}");
}

/// <summary>
/// A rectangle in pixels of an image: (0, 0) is the upper left corner of the first pixel, (<see cref="X1"/>, <see cref="Y1"/>) the lower
/// right corner of the last one inside.
/// </summary>
/// <param name="X0">Left.</param>
/// <param name="Y0">Top.</param>
/// <param name="X1">Right.</param>
/// <param name="Y1">Bottom.</param>
public readonly record struct BoundingBox(float X0, float Y0, float X1, float Y1)
{
    /// <summary>The width in pixels.</summary>
    public float Width => X1 - X0;

    /// <summary>The height in pixels.</summary>
    public float Height => Y1 - Y0;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{X0:0.0} {Y0:0.0} {X1:0.0} {Y1:0.0}");
}
