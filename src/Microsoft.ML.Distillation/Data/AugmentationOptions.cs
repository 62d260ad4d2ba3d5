namespace Microsoft.ML.Distillation;

/// <summary>
/// How training images are varied. The boxes move with the image; a teacher and a student always see the same variation.
/// </summary>
public sealed record AugmentationOptions
{
    /// <summary>No variation: the images as they are.</summary>
    public static AugmentationOptions None { get; } = new() { HorizontalFlip = false, ScaleJitter = 0, ColorJitter = 0 };

    /// <summary>Whether half of the images, drawn at random, are mirrored left to right.</summary>
    public bool HorizontalFlip { get; init; } = true;

    /// <summary>
    /// The range of zooming: each image is enlarged by a factor drawn from [1 − value, 1 + value]. What an enlarged image
    /// loses at its sides is cropped, what a shrunken one leaves free is filled with the mean colour. 0 is off; below 1.
    /// </summary>
    public float ScaleJitter { get; init; } = 0.3f;

    /// <summary>
    /// The range of brightness, contrast and saturation: each is multiplied by a factor of its own drawn from
    /// [1 − value, 1 + value]. 0 is off; at most 1.
    /// </summary>
    public float ColorJitter { get; init; } = 0.2f;

    /// <exception cref="ArgumentOutOfRangeException">A range is not possible; the message names it.</exception>
    internal void Validate()
    {
        if (!(ScaleJitter >= 0 && ScaleJitter < 1))
            throw new ArgumentOutOfRangeException(nameof(ScaleJitter), ScaleJitter,
                $"{nameof(ScaleJitter)} must be at least 0 and below 1.");
        if (!(ColorJitter >= 0 && ColorJitter <= 1))
            throw new ArgumentOutOfRangeException(nameof(ColorJitter), ColorJitter, $"{nameof(ColorJitter)} must be between 0 and 1.");
    }
}
