namespace Microsoft.ML.Distillation;

/// <summary>How training images are varied. Boxes follow their image.</summary>
public sealed record AugmentationOptions
{
    /// <summary>No variation at all.</summary>
    public static AugmentationOptions None { get; } = new() { HorizontalFlip = false, ScaleJitter = 0, ColorJitter = 0 };

    /// <summary>Mirrors every second image, left to right.</summary>
    public bool HorizontalFlip { get; init; } = true;

    /// <summary>The range s of zooming: the scale is drawn from 1 − s to 1 + s. 0: off.</summary>
    public float ScaleJitter { get; init; } = 0.3f;

    /// <summary>The range of changes in brightness, contrast and saturation. 0: off.</summary>
    public float ColorJitter { get; init; } = 0.2f;
}
