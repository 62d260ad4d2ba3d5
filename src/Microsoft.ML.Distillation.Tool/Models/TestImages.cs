namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>The images that a model will be measured on once it is trained.</summary>
internal static class TestImages
{
    /// <summary>Opens each image before the training, so that a broken one does not cost its result.</summary>
    /// <param name="maxPixels">How many pixels an image may have.</param>
    /// <param name="skip">Whether to leave out, with a warning, what cannot be opened.</param>
    /// <exception cref="FormatException">An image cannot be opened, and none is to be left out.</exception>
    public static IReadOnlyList<AnnotatedRow> Checked(IReadOnlyList<AnnotatedRow> images, bool skip, long maxPixels, TextWriter error)
    {
        var readable = new List<AnnotatedRow>();
        string? first = null;
        foreach (AnnotatedRow image in images)
        {
            string? problem = Problem(image.ImagePath, maxPixels);
            if (problem is null) readable.Add(image);
            else if (skip) first ??= problem;
            else throw new FormatException($"The test part: {problem} Correct it, or go on without it by --skip-invalid.");
        }

        if (first is not null) error.WriteLine(
            $"warning: {images.Count - readable.Count} of {images.Count} test images cannot be read and are left out. The first: {first}");
        return readable;
    }

    private static string? Problem(string path, long maxPixels)
    {
        try
        {
            ImageLoader.Load(path, maxPixels).Dispose();
            return null;
        }
        catch (Exception error) when (error is IOException or FormatException)
        {
            return error.Message;
        }
    }
}
