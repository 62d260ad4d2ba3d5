using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation.Formats;

/// <summary>Reads annotations of any format.</summary>
internal static class AnnotationReader
{
    /// <summary>
    /// The annotated images of a source. Files are found at once; those of formats with a file an image are parsed as they are
    /// enumerated.
    /// </summary>
    /// <exception cref="DirectoryNotFoundException">A folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">
    /// The split, or a file that is needed, does not exist; or, as it is read, an image, unless the source tolerates that. The message
    /// names file and line.
    /// </exception>
    /// <exception cref="FormatException">A file is not of the format; the message names file and line.</exception>
    public static IEnumerable<AnnotatedImage> Read(DetectionFormat format, AnnotationSource source)
    {
        IEnumerable<AnnotatedImage> images;
        try
        {
            images = Parse(format, source);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw FormatHints.Explained(error, format, source);
        }

        // Shares of an image are those of what a viewer shows; nothing says otherwise.
        if (format is not (DetectionFormat.Yolo or DetectionFormat.OpenImages))
            images = StoredAnnotations.Turned(images, () => Parse(format, source));
        return source.ToleratesBrokenImages ? images : images.Select(image => Existing(image, source));
    }

    private static AnnotatedImage Existing(AnnotatedImage image, AnnotationSource source)
    {
        if (image.NamedIn is null || File.Exists(image.ImagePath) && !RealPath.IsDeadLink(image.ImagePath)) return image;
        FileNotFoundException missing = AnnotationError.NoImage(image.NamedIn, image.Line, image.ImagePath);
        throw new FileNotFoundException(missing.Message + FormatHints.ForImage(image.ImagePath, source), image.ImagePath);
    }

    private static IEnumerable<AnnotatedImage> Parse(DetectionFormat format, AnnotationSource source)
    {
        try
        {
            return ParsePart(format, source);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException
            && AnnotationSplits.UnderOtherName(format, source) is not null)
        {
            return ParsePart(format, AnnotationSplits.UnderOtherName(format, source)!);
        }
    }

    /// <summary>The same, of a part under this very name.</summary>
    internal static IEnumerable<AnnotatedImage> ParsePart(DetectionFormat format, AnnotationSource source) => format switch
    {
        DetectionFormat.PascalVoc => PascalVocReader.Read(source),
        DetectionFormat.Coco => CocoReader.Read(source),
        DetectionFormat.Kitti => KittiReader.Read(source),
        DetectionFormat.ImageNet => ImageNetReader.Read(source),
        DetectionFormat.Yolo => YoloReader.Read(source),
        DetectionFormat.OpenImages => OpenImagesReader.Read(source),
        DetectionFormat.TabSeparated => TabSeparatedReader.Read(source),
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "This format cannot be read."),
    };
}

/// <summary>Which annotations are to be read.</summary>
/// <param name="Path">A folder; or, for formats that keep all annotations in one file, that file.</param>
/// <param name="Split">The name of a part of the data; null is all of it.</param>
/// <param name="ImageFolder">Where the images are, if not where the format has them.</param>
/// <param name="NamesFile">The file that names the classes, if it is not where the format has it.</param>
internal sealed record AnnotationSource(string Path, string? Split = null, string? ImageFolder = null, string? NamesFile = null)
{
    /// <summary>
    /// Whether images that are missing or broken are only told of: formats that need an image's size to place its objects then give it
    /// without them (<see cref="AnnotatedImage.Unplaced"/>). Else a missing image is an error of every format.
    /// </summary>
    public bool ToleratesBrokenImages { get; init; }

    /// <summary>
    /// Where what is wrong with annotations is written down, which is then left out; null: it is an error that ends the reading.
    /// </summary>
    public AnnotationNotes? Notes { get; init; }

    /// <summary>The full path of the folder.</summary>
    /// <exception cref="DirectoryNotFoundException">It does not exist.</exception>
    public string Folder()
    {
        string folder = System.IO.Path.GetFullPath(Path);
        if (Directory.Exists(folder)) return folder;
        throw new DirectoryNotFoundException(
            File.Exists(folder) ? $"'{folder}' is a file, where a folder is expected." : $"The folder '{folder}' does not exist.");
    }

    /// <summary>The full path of the folder with the images, where one is given.</summary>
    /// <exception cref="DirectoryNotFoundException">It does not exist.</exception>
    public string? GivenImageFolder()
    {
        if (ImageFolder is null) return null;
        string folder = System.IO.Path.GetFullPath(ImageFolder);
        return Directory.Exists(folder) ? folder : throw new DirectoryNotFoundException($"The folder of images '{folder}' does not exist.");
    }

    /// <summary>
    /// The file that names the classes: the one given, or the first of the candidates in the folder that exists, or null.
    /// </summary>
    /// <exception cref="FileNotFoundException">The one given does not exist.</exception>
    public string? FindNamesFile(string folder, params ReadOnlySpan<string> candidates)
    {
        if (NamesFile is not null)
        {
            string given = System.IO.Path.GetFullPath(NamesFile);
            return File.Exists(given)
                ? given
                : throw new FileNotFoundException($"The file of class names '{given}' does not exist.", given);
        }

        foreach (string pattern in candidates)
        {
            string part = System.IO.Path.Combine(folder, System.IO.Path.GetDirectoryName(pattern) ?? "");
            if (!Directory.Exists(part)) continue;
            string? found = FolderListing.Files(part, System.IO.Path.GetFileName(pattern)).FirstOrDefault();
            if (found is not null) return found;
        }

        return null;
    }
}

/// <summary>Finds the one file of formats that keep all annotations in one.</summary>
internal static class AnnotationFile
{
    /// <summary>The annotation file of a source.</summary>
    /// <param name="folders">Where it may be below the source's folder.</param>
    /// <param name="extension">Its extension, without a dot.</param>
    /// <param name="namesOfSplit">The patterns that a split's file may have for a name, best first.</param>
    /// <param name="isAnnotation">Tells it by its name from other files of that extension.</param>
    /// <param name="looksRight">Tells it by its content where there are several.</param>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="FormatException">There are several.</exception>
    public static string Find(
        AnnotationSource source, IReadOnlyList<string> folders, string extension, Func<string, string[]> namesOfSplit,
        Func<string, bool>? isAnnotation = null, Func<string, bool>? looksRight = null)
    {
        if (File.Exists(source.Path))
        {
            if (source.Split is null) return Path.GetFullPath(source.Path);
            throw new FileNotFoundException(
                $"'{source.Path}' is a file; the split '{source.Split}' can only be chosen in a folder.", source.Path);
        }

        string folder = source.Folder();
        string[] parts = [.. folders.Select(part => Path.Combine(folder, part)).Where(Directory.Exists)];
        string[] patterns = source.Split is { } split ? namesOfSplit(split) : ["*." + extension];
        foreach (string pattern in patterns)
        {
            foreach (string part in parts)
            {
                string[] files = [.. Matching(part, pattern).Where(path => isAnnotation?.Invoke(Path.GetFileName(path)) != false)];
                if (files.Length > 1 && looksRight is not null && files.Where(looksRight).ToArray() is { Length: > 0 } right) files = right;
                if (files is [var one]) return one;
                if (files.Length > 1) throw new FormatException(
                    $"'{part}' holds {files.Length} files of annotations: {Listing(files)}. Name one of them in the place of the folder, "
                    + $"or a split that has one of its own, as '{SplitOf(files[0])}'.");
            }
        }

        string all = Listing(parts.SelectMany(part => Matching(part, "*." + extension)));
        string of = source.Split is null ? "" : $" of the split '{source.Split}'";
        throw new FileNotFoundException($"'{folder}' holds no annotation file{of} (*.{extension}); there is {all}.", folder);
    }

    /// <summary>Opens a file of annotations.</summary>
    /// <exception cref="FormatException">The path leads to what is no file, or its name is no text; the message names it.</exception>
    public static FileStream Open(string path)
    {
        if (InputFile.Problem(path) is { } problem) throw AnnotationError.At(path, 1, problem);
        return File.OpenRead(path);
    }

    /// <summary>The split that a file is found under: what its name does not share with others, instances_train's train.</summary>
    private static string SplitOf(string file)
    {
        string stem = Path.GetFileNameWithoutExtension(file);
        return stem[(stem.LastIndexOf('_') + 1)..];
    }

    private static IEnumerable<string> Matching(string folder, string pattern)
    {
        string part = Path.Combine(folder, Path.GetDirectoryName(pattern) ?? "");
        return Directory.Exists(part) ? FolderListing.Files(part, Path.GetFileName(pattern)) : [];
    }

    private static string Listing(IEnumerable<string> files)
    {
        string text = string.Join(", ", files.Select(Path.GetFileName));
        return text.Length > 0 ? text : "none";
    }
}

/// <summary>Which parts a data set has.</summary>
internal static class AnnotationSplits
{
    /// <summary>The parts that data sets usually have.</summary>
    public static string[] Usual { get; } = ["train", "val", "test"];

    private static readonly string[] ListFolders = ["ImageSets", "ImageSets/Main", "ImageSets/DET"];

    /// <summary>A part under another usual name (val is also valid or validation), if it is there; else null.</summary>
    public static AnnotationSource? UnderOtherName(DetectionFormat format, AnnotationSource source)
        => ((string[])(source.Split == "val" ? ["valid", "validation"] : []))
            .Select(name => source with { Split = name }).FirstOrDefault(other => IsThere(format, other));

    /// <summary>
    /// Whether a data set has the part that the source names, under this or another usual name. Formats with one file for all of it parse
    /// that.
    /// </summary>
    /// <exception cref="FormatException">A file that would tell is broken.</exception>
    public static bool Exists(DetectionFormat format, AnnotationSource source)
        => IsThere(format, source) || UnderOtherName(format, source) is not null;

    /// <summary>Whether a data set has a part under this very name.</summary>
    /// <exception cref="FormatException">A file that would tell is broken.</exception>
    public static bool IsThere(DetectionFormat format, AnnotationSource source)
    {
        // A folder of VOC's may well have a part without a single annotation; what names the part is enough.
        if (format == DetectionFormat.PascalVoc)
            return File.Exists(Path.Combine(source.Path, "ImageSets", "Main", source.Split + ".txt"))
                || Directory.Exists(Path.Combine(source.Path, source.Split!));
        // With a folder of images of its own, YOLO's reader takes all of them for any part.
        if (format == DetectionFormat.Yolo && source.ImageFolder is { } images)
        {
            return File.Exists(Path.Combine(source.Path, source.Split + ".txt")) || Directory.Exists(Path.Combine(images, source.Split!))
                || Directory.Exists(Path.Combine(source.Path, "labels", source.Split!));
        }

        // What a list names may be missing: that is an error where the part is read, and not the part's absence.
        if (format is DetectionFormat.Kitti or DetectionFormat.ImageNet
            && ListFolders.Any(folder => File.Exists(Path.Combine(source.Path, folder, source.Split + ".txt"))))
            return true;
        try
        {
            // Likewise of YOLO's lists.
            _ = AnnotationReader.ParsePart(format, source with { ToleratesBrokenImages = true });
            return true;
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }
}
