using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Tool.Display;

namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>The images that a model will be measured on once it is trained.</summary>
internal static class TestImages
{
    /// <summary>Opens each image before the training, so that a broken one does not cost its result.</summary>
    /// <param name="maxPixels">How many pixels an image may have.</param>
    /// <param name="notes">Receives how far it is.</param>
    /// <param name="skip">Whether to leave out, with a warning, what cannot be opened.</param>
    /// <exception cref="FormatException">An image cannot be opened, and none is to be left out.</exception>
    public static IReadOnlyList<AnnotatedRow> Checked(IReadOnlyList<AnnotatedRow> images, bool skip, long maxPixels, TextWriter error,
        TextWriter notes)
    {
        var readable = new List<AnnotatedRow>();
        string? first = null;
        foreach (AnnotatedRow image in WorkProgress.Over(images, images.Count, "test images", "opened", notes))
        {
            string? problem = Problem(image.ImagePath, maxPixels);
            if (problem is null) readable.Add(image);
            else if (skip) first ??= problem;
            else throw new FormatException($"The test part: {problem} Correct it, or go on without it by --skip-invalid.");
        }

        int broken = images.Count - readable.Count;
        if (first is not null) error.WriteLine(
            $"warning: {broken} of {Counted.Of(images.Count, "test image")} cannot be read and {(broken == 1 ? "is" : "are")} left out. "
            + $"The first: {first}");
        return readable;
    }

    /// <summary>The images that can be read, with a warning of how many cannot.</summary>
    /// <param name="maxPixels">How many pixels an image may have.</param>
    /// <param name="notes">Receives how far it is.</param>
    /// <exception cref="FormatException">None can be read.</exception>
    public static IReadOnlyList<string> Readable(IReadOnlyList<string> images, long maxPixels, TextWriter error, TextWriter notes)
    {
        ParallelQuery<string> paths = images.AsParallel().AsOrdered().WithMergeOptions(ParallelMergeOptions.NotBuffered);
        (string Path, string? Problem)[] checks = [.. WorkProgress.Over(
            paths.Select(path => (path, Problem(path, maxPixels))), images.Count, "images", "opened", notes)];
        if (checks.FirstOrDefault(check => check.Problem is not null).Problem is not { } first) return images;
        int broken = checks.Count(check => check.Problem is not null);
        if (broken == images.Count) throw new FormatException($"Of {Counted.Of(broken, "image")} none can be read. The first: {first}");
        error.WriteLine(
            $"warning: {broken} of {Counted.Of(images.Count, "image")} cannot be read and {(broken == 1 ? "is" : "are")} left out. "
            + $"The first: {OptionNames.Translate(first)}");
        return [.. checks.Where(check => check.Problem is null).Select(check => check.Path)];
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
