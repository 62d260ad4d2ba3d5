using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Formats;

/// <summary>Tells from a data set's files which format it is of.</summary>
internal static class DataRecognition
{
    // The head of a file that is looked at: enough for the first members of a json, the header of a csv and the names of a data.yaml.
    private const int Head = 1 << 16;

    // Of a tree of folders so many are looked into for data sets.
    private const int MostFolders = 100;

    private static readonly string[] Parts = ["", "train", "valid", "val", "test"];

    /// <summary>The format of a data set.</summary>
    /// <exception cref="DirectoryNotFoundException">There is no such folder or file.</exception>
    /// <exception cref="FormatException">There are no annotations of a known format, or of several; it says what to do.</exception>
    public static DetectionFormat Recognize(AnnotationSource source)
    {
        string path = Path.GetFullPath(source.Path);
        if (!Path.Exists(path)) throw new DirectoryNotFoundException($"There is no folder or file '{path}'.");
        IReadOnlyList<FormatEvidence> found = In(path);
        return found switch
        {
            [var one] => one.Format,
            [] => throw new FormatException(Nothing(path)),
            _ => throw new FormatException($"'{path}' holds annotations of {found.Count} formats: "
                + $"{string.Join(" and ", found.Select(one => $"{NameOf(one.Format)} ({one.File})"))}. Say which are to be read: "
                + $"{string.Join(" or ", found.Select(one => $"give the format DetectionFormat.{one.Format}"))}."),
        };
    }

    /// <summary>The formats that files at a path are of, each with one of them.</summary>
    public static IReadOnlyList<FormatEvidence> In(string path)
    {
        if (File.Exists(path)) return FormatOfFile(path) is { } format ? [new(format, Path.GetFileName(path))] : [];
        return Directory.Exists(path) ? [.. InFolder(path)] : [];
    }

    /// <summary>What the field calls a format.</summary>
    public static string NameOf(DetectionFormat format) => format switch
    {
        DetectionFormat.PascalVoc => "Pascal VOC",
        DetectionFormat.Coco => "COCO",
        DetectionFormat.Kitti => "KITTI",
        DetectionFormat.ImageNet => "ImageNet",
        DetectionFormat.Yolo => "YOLO",
        DetectionFormat.OpenImages => "OpenImages",
        _ => "tab-separated",
    };

    private static IEnumerable<FormatEvidence> InFolder(string path)
    {
        bool isImageNet = Directory.Exists(Path.Combine(path, "Annotations", "DET"));
        (DetectionFormat Format, string? File)[] evidence =
        [
            (DetectionFormat.Kitti, First(path, ["label_2", "training/label_2"], "*.txt")),
            (DetectionFormat.Yolo, Yolo(path)),
            (DetectionFormat.ImageNet, isImageNet ? "Annotations/DET" : null),
            (DetectionFormat.PascalVoc, isImageNet ? null
                : First(path, ["Annotations", .. Below("Annotations"), .. Parts], "*.xml", IsVoc)),
            (DetectionFormat.Coco, First(path, ["annotations", .. Parts, .. Below("annotations")], "*.json", IsCoco)),
            (DetectionFormat.OpenImages, First(path, [""], "*.csv", IsOpenImages)),
            (DetectionFormat.TabSeparated, First(path, [""], "*.tsv")),
        ];
        FormatEvidence[] found = [.. evidence.Where(one => one.File is not null).Select(one => new FormatEvidence(one.Format, one.File!))];
        // A list of names alone lies beside data of any format.
        string? names = found.Length > 0 ? null : First(path, [""], "classes.txt") ?? First(path, [""], "*.names");
        return names is null ? found : [new FormatEvidence(DetectionFormat.Yolo, names)];
    }

    private static IEnumerable<string> Below(string folder) => Parts[1..].Select(part => $"{part}/{folder}");

    private static string? Yolo(string path)
    {
        string[] labels = ["labels", .. Below("labels"), .. Parts[1..].Select(part => $"labels/{part}"), "obj_train_data"];
        return First(path, [""], "*.yaml", IsDataFile) ?? First(path, [""], "*.yml", IsDataFile) ?? First(path, labels, "*.txt");
    }

    /// <summary>The first file of a pattern in one of the folders, by its path from the data set's folder.</summary>
    private static string? First(string path, IEnumerable<string> folders, string pattern, Func<string, bool>? isOne = null)
    {
        foreach (string folder in folders)
        {
            string place = Path.Combine(path, folder);
            if (!Directory.Exists(place)) continue;
            // Of many files the first few tell what all are.
            string? found = FolderListing.Files(place, pattern).Take(5).FirstOrDefault(file => isOne is null || isOne(file));
            if (found is not null) return folder.Length == 0 ? Path.GetFileName(found) : $"{folder}/{Path.GetFileName(found)}";
        }

        return null;
    }

    /// <summary>The first file, of a folder and those in it, that is in a tool's own format; of a file itself.</summary>
    public static ForeignAnnotations? ForeignIn(string path)
    {
        IEnumerable<string> files = File.Exists(path) ? [path]
            : FolderListing.Folders(path).Prepend(path).SelectMany(folder => ((string[])["*.xml", "*.json"])
                .SelectMany(pattern => FolderListing.Files(folder, pattern).Take(5)));
        return files.Select(file => ForeignAnnotations.Of(file, HeadOf(file))).FirstOrDefault(one => one is not null);
    }

    private static DetectionFormat? FormatOfFile(string path) => Path.GetExtension(path).ToUpperInvariant() switch
    {
        ".JSON" when ForeignAnnotations.Of(path, HeadOf(path)) is not null => null,
        ".JSON" => DetectionFormat.Coco,
        ".YAML" or ".YML" or ".NAMES" => DetectionFormat.Yolo,
        ".CSV" => DetectionFormat.OpenImages,
        ".TSV" => DetectionFormat.TabSeparated,
        _ => null,
    };

    private static bool IsVoc(string file)
    {
        string head = HeadOf(file);
        return ForeignAnnotations.Of(file, head) is null && head.Contains("<annotation", StringComparison.OrdinalIgnoreCase)
            || IsUnreadable(file);
    }

    /// <summary>Whether a json may be of COCO's format.</summary>
    public static bool IsCoco(string file)
    {
        string head = HeadOf(file).TrimStart('\uFEFF', ' ', '\r', '\n', '\t');
        return head.StartsWith('{') && ((string[])["\"images\"", "\"annotations\"", "\"categories\""])
            .Any(member => head.Contains(member, StringComparison.Ordinal)) && ForeignAnnotations.Of(file, head) is null;
    }

    private static bool IsDataFile(string file)
        => HeadOf(file).Split('\n')
            .Any(line => line.TrimStart('\uFEFF', '"', '\'', '{', ' ').StartsWith("names", StringComparison.Ordinal));

    private static bool IsOpenImages(string file)
    {
        string head = HeadOf(file).Split('\n')[0];
        return head.Contains("ImageID", StringComparison.OrdinalIgnoreCase) && head.Contains("XMin", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>An xml that is broken is told of by its reader, with the line.</summary>
    private static bool IsUnreadable(string file) => InputFile.Problem(file) is not null || HeadOf(file).Trim().Length == 0;

    private static string HeadOf(string file)
    {
        if (InputFile.Problem(file) is not null) return "";
        try
        {
            using var reader = new StreamReader(file);
            var head = new char[Head];
            return new string(head, 0, reader.ReadBlock(head));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>What is said where no annotations were found.</summary>
    private static string Nothing(string path)
    {
        if (File.Exists(path))
        {
            if (ForeignIn(path) is { } other) return other.ToString();
            return ImageFiles.IsImage(path) ? $"'{path}' is an image: annotations are expected, in a file or a folder."
                : $"'{path}' is no file of annotations: a COCO json, a data.yaml, an OpenImages csv, a tsv, or a folder is expected.";
        }

        string[] folders = [.. FolderListing.Folders(path)], below = [.. folders.SelectMany(FolderListing.Folders).Take(MostFolders)];
        if (SetsIn(folders) is { Length: > 0 } sets || (sets = SetsIn(below)).Length > 0)
        {
            IEnumerable<string> names = sets.Take(5)
                .Select(set => $"'{Path.GetRelativePath(path, set.Folder).Replace('\\', '/')}' ({NameOf(set.Found.Format)})");
            bool haveImages = sets.Any(set => FolderListing.Folders(set.Folder).Prepend(set.Folder).Any(HasImages));
            return $"'{path}' is no data set itself, but holds {(sets.Length == 1 ? "one" : $"{sets.Length}")}: name "
                + $"{string.Join(" or ", names)}{(sets.Length > 5 ? " or another" : "")}."
                + (haveImages ? "" : FormatHints.ImagesElsewhere);
        }

        if (ForeignIn(path) is { } foreign) return foreign.ToString();
        return folders.Prepend(path).Concat(below).Any(HasImages)
            ? $"'{path}' is no annotated data set. {FormatHints.WithoutAnnotations}"
            : $"'{path}' holds neither annotations nor images: a COCO json, a data.yaml with YOLO's labels, xml files of Pascal VOC or "
                + "ImageNet, KITTI's label_2, an OpenImages csv or a tsv is expected.";
    }

    private static (string Folder, FormatEvidence Found)[] SetsIn(IEnumerable<string> folders)
        => [.. from folder in folders let found = In(folder) where found.Count > 0 select (folder, found[0])];

    private static bool HasImages(string folder) => ImageFiles.In(folder).Any();
}

/// <summary>A file that tells a format.</summary>
/// <param name="Format">The format.</param>
/// <param name="File">The file, from the data set's folder.</param>
internal sealed record FormatEvidence(DetectionFormat Format, string File);
