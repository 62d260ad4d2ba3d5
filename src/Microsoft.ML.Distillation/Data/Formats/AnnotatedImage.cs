namespace Microsoft.ML.Distillation.Data.Formats;

/// <summary>An image and the objects in it: what every reader gives and every writer takes.</summary>
/// <param name="ImagePath">The path of the image; where it was not found, the one at which it was expected.</param>
/// <param name="Size">Its size as the annotation gives it, or null where it does not.</param>
/// <param name="Objects">Its objects, in the order of the annotation.</param>
internal sealed record AnnotatedImage(string ImagePath, ImageSize? Size, IReadOnlyList<AnnotatedObject> Objects)
{
    /// <summary>The file that names the image, or null where only <see cref="ImagePath"/> is known.</summary>
    public string? NamedIn { get; init; }

    /// <summary>The line of <see cref="NamedIn"/>, from 1.</summary>
    public int Line { get; init; } = 1;

    /// <summary>How many objects are left out, as they are given in shares of an image whose size cannot be read.</summary>
    public int Unplaced { get; init; }
}
