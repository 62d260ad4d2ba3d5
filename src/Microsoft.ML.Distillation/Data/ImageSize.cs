namespace Microsoft.ML.Distillation.Data;

/// <summary>The size of an image or a feature map, in pixels.</summary>
internal readonly record struct ImageSize(int Width, int Height)
{
    public override string ToString() => $"{Width}×{Height}";
}
