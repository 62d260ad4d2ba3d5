using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Formats;

/// <summary>Looks at what was handed over before it is refused, and says how it could be read.</summary>
internal static class FormatHints
{
    /// <summary>What to do with images that have no annotations.</summary>
    public const string WithoutAnnotations = "There are images and no annotations: LabelWithTeacher has a detector label them, and with "
        + "DistillDetectorOptions.WithoutLabels a student learns from its teacher alone.";

    /// <summary>What to do where images lie elsewhere than their annotations; it follows a sentence.</summary>
    public const string ImagesElsewhere = " Where the images are elsewhere, name their folder: give the option imageFolder.";

    /// <summary>An error of a reader that did not find what it looked for, with a hint where there is one.</summary>
    public static Exception Explained(Exception error, DetectionFormat format, AnnotationSource source) => Hint(format, source) switch
    {
        null => error,
        var hint when error is FileNotFoundException missing
            => new FileNotFoundException($"{missing.Message.TrimEnd('.')}. {hint}", missing.FileName, missing),
        var hint when error is DirectoryNotFoundException
            => new DirectoryNotFoundException($"{error.Message.TrimEnd('.')}. {hint}", error),
        _ => error,
    };

    /// <summary>What may be said of images that were not found.</summary>
    public static string ForImages(AnnotationSource source)
        => source.ImageFolder is null ? ImagesElsewhere : "";

    /// <summary>The same, of one image, which may lie in a folder below the one where it was expected.</summary>
    public static string ForImage(string image, AnnotationSource source)
    {
        string name = Path.GetFileName(image);
        string? folder = Path.GetDirectoryName(image);
        string[] below = !Directory.Exists(folder) ? [] : [.. FolderListing.Below(folder)
            .Where(path => FileNames.Key(Path.GetFileName(path)) == FileNames.Key(name))
            .Select(path => Path.GetRelativePath(folder, path))];
        return below switch
        {
            [] => ForImages(source),
            [var one] => $" There is '{one}': name the image so in the annotation, or give the option imageFolder with that folder.",
            [var first, var second, ..] => $" Below that folder there are {below.Length} images of that name, '{first}' and '{second}' "
                + "for two: the annotation must name the folder in front.",
        };
    }

    private static string? Hint(DetectionFormat format, AnnotationSource source)
    {
        string path = Path.GetFullPath(source.Path);
        if (Guess(path) is { } other && other != format)
            return $"This looks like {Article(other)} data set: give the format DetectionFormat.{other}.";
        if (Path.Exists(path) && Guess(path) is null && DataRecognition.ForeignIn(path) is { } foreign) return foreign.ToString();
        if (File.Exists(path))
            return Guess(path) is null && ImageFiles.IsImage(path) ? "This is an image: annotations are expected." : null;
        if (!Directory.Exists(path)) return null;
        bool hasImages = Folders(path).Any(folder => ImageFiles.In(folder).Any());
        return (Guess(path), hasImages) switch
        {
            (null, true) => WithoutAnnotations,
            (not null, false) => ForImages(source) is { Length: > 0 } hint ? hint.TrimStart() : null,
            _ => null,
        };
    }

    /// <summary>The format that a file or folder looks like, or null.</summary>
    private static DetectionFormat? Guess(string path)
    {
        // One file of many, which somebody names for all.
        bool isXml = Path.GetExtension(path).Equals(".xml", StringComparison.OrdinalIgnoreCase);
        if (isXml && File.Exists(path)) return DataRecognition.ForeignIn(path) is null ? DetectionFormat.PascalVoc : null;
        return DataRecognition.In(path) is [var first, ..] ? first.Format : null;
    }

    /// <summary>The folder and those in it, and those in these: deep enough to see how a data set is laid out.</summary>
    private static IEnumerable<string> Folders(string path)
    {
        if (!Directory.Exists(path)) return [];
        string[] below = [.. FolderListing.Folders(path)];
        return [path, .. below, .. below.SelectMany(FolderListing.Folders)];
    }

    private static string Article(DetectionFormat format)
        => $"{(format is DetectionFormat.ImageNet or DetectionFormat.OpenImages ? "an" : "a")} {DataRecognition.NameOf(format)}";
}
