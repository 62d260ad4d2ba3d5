using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Formats;

/// <summary>
/// Reads YOLO data sets. Boxes stand in them as shares of the image, so images with objects are opened for their size. An image
/// without a label file has no objects. With six decimals, which is usual, corners are exact to a thousandth of a pixel where an
/// image is a thousand pixels wide.
/// </summary>
internal static class YoloReader
{
    /// <summary>The images of a folder, or of a data.yaml. The list of files is made at once, each is parsed when its turn comes.</summary>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">The split, a listed image, the file of names or any label file does not exist.</exception>
    /// <exception cref="FormatException">
    /// A file cannot be read, a class has no name, or there are labels of no image; the message names file and line.
    /// </exception>
    public static IEnumerable<AnnotatedImage> Read(AnnotationSource source)
    {
        YoloFolder folder = YoloFolder.Open(source);
        return folder.Entries.Select(entry => Read(entry.Image, entry.Labels, folder.Names, source.ToleratesBrokenImages));
    }

    private static AnnotatedImage Read(string image, string? labels, YoloNames names, bool toleratesBroken)
    {
        if (labels is null) return new AnnotatedImage(image, null, []);
        if ((toleratesBroken ? ImageFile.TrySizeOf(image) : ImageFile.SizeOf(image)) is { } size)
            return new AnnotatedImage(image, size, YoloLabels.Read(File.OpenRead(labels), labels, names, size));
        // The labels are read all the same, as they may be wrong themselves.
        List<AnnotatedObject> unplaced = YoloLabels.Read(File.OpenRead(labels), labels, names, new ImageSize(1, 1));
        return new AnnotatedImage(image, null, []) { Unplaced = unplaced.Count };
    }
}

/// <summary>
/// Where the files of a YOLO data set are. The images of a split are those of <c>data.yaml</c>; or of the list <c>SPLIT.txt</c>; or of
/// the folder <c>images/SPLIT</c>, <c>SPLIT/images</c> or <c>SPLIT</c>. The labels of <c>…/images/x.jpg</c> are <c>…/labels/x.txt</c>
/// where that folder exists, or else lie beside the image.
/// </summary>
internal sealed class YoloFolder
{
    private static readonly string[] AllSplits = ["train", "val", "test"];

    private readonly string _root;
    private readonly string? _labelFolder;
    private readonly string? _imageFolder;
    private readonly bool _toleratesMissing;
    private readonly YoloDataFile? _data;

    private YoloFolder(AnnotationSource source)
    {
        bool isFile = File.Exists(source.Path);
        _root = isFile ? Path.GetDirectoryName(Path.GetFullPath(source.Path))! : source.Folder();
        _imageFolder = source.GivenImageFolder();
        _toleratesMissing = source.ToleratesBrokenImages;
        string namesPath = isFile ? Path.GetFullPath(source.Path)
            : source.FindNamesFile(_root, "data.yaml", "*.yaml", "*.yml", "*.names", "classes.txt", "names.txt", "labels/classes.txt")
                ?? throw new FileNotFoundException(
                    $"'{_root}' has no file of class names: neither a data.yaml nor a *.names or classes.txt.", _root);
        using TextLines lines = TextLines.Open(namesPath);
        if (Path.GetExtension(namesPath).ToLowerInvariant() is ".yaml" or ".yml") _data = YoloDataFile.Read(lines);
        Names = _data?.ReadNames() ?? YoloNames.ReadList(lines);
        if (_imageFolder is not null)
        {
            string split = source.Split ?? "train";
            string[] folders =
                [Path.Combine("labels", split), Path.Combine(split, "labels"), $"obj_{split}_data", "labels", "obj_train_data", ""];
            _labelFolder = folders.Select(name => Path.Combine(_root, name)).First(Directory.Exists);
        }
    }

    /// <summary>The classes.</summary>
    public YoloNames Names { get; }

    /// <summary>Each image with its label file, which is null where it has none.</summary>
    public IReadOnlyList<(string Image, string? Labels)> Entries { get; private set; } = [];

    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">The split, a listed image, the file of names or any label file does not exist.</exception>
    /// <exception cref="FormatException">The file of names is not as it must be, or there are labels of no image.</exception>
    public static YoloFolder Open(AnnotationSource source)
    {
        var folder = new YoloFolder(source);
        (List<string> images, bool isWhole) = folder.FindImages(source.Split);
        List<(string Image, string Labels)> expected =
            [.. images.Distinct(StringComparer.Ordinal).Select(image => (image, folder.LabelsOf(image)))];
        if (expected.Count == 0) throw new FileNotFoundException($"'{folder._root}' holds no image.", folder._root);
        folder.Entries = [.. expected.Select(entry => (entry.Image, File.Exists(entry.Labels) ? entry.Labels : null))];
        if (folder.Entries.All(entry => entry.Labels is null))
        {
            string first = expected[0].Labels;
            throw new FileNotFoundException($"None of {expected.Count} images has a label file; the first would be '{first}'.", first);
        }

        if (isWhole) CheckStray(expected);
        return folder;
    }

    /// <summary>The images, and whether they are all of their folders.</summary>
    private (List<string> Images, bool IsWhole) FindImages(string? split)
    {
        if (split is not null && List(_root, split) is { } list) return (Listed(list), false);
        if (_imageFolder is not null)
        {
            string part = Path.Combine(_imageFolder, split ?? "");
            return ([.. ImageFiles.Below(Directory.Exists(part) ? part : _imageFolder)], true);
        }

        string[] splits = split is null ? AllSplits : [split];
        string[] paths = [.. splits.SelectMany(name => _data?.Split(name) ?? []).Select(part => Resolve(part.Path, part.Line))];
        return paths.Length > 0
            ? ([.. paths.SelectMany(path => File.Exists(path) ? Listed(path) : ImageFiles.Below(path))], paths.All(Directory.Exists))
            : ([.. ImageFiles.Below(FolderOf(split))], true);
    }

    private string FolderOf(string? split)
    {
        string[] folders = split is null
            ? ["images", ""]
            : [Path.Combine("images", split), Path.Combine(split, "images"), split, $"obj_{split}_data"];
        return folders.Select(name => Path.Combine(_root, name)).FirstOrDefault(Directory.Exists) ?? throw new FileNotFoundException(
            $"'{_root}' has no split '{split}': "
            + $"neither in a data.yaml, nor as a list '{split}.txt', nor as a folder 'images/{split}' or '{split}'.");
    }

    /// <summary>The path of a split in data.yaml. One service writes a "../" too many, which everybody forgives.</summary>
    private string Resolve(string path, int line)
    {
        string root = _data!.Root();
        string forgiven = path.StartsWith("../", StringComparison.Ordinal) ? path[3..] : path;
        string[] candidates = [Path.Combine(root, path), Path.Combine(root, forgiven)];
        return candidates.Select(Path.GetFullPath).FirstOrDefault(Path.Exists)
            ?? throw new FileNotFoundException($"{_data.File}({line}): '{candidates[0]}' does not exist.", candidates[0]);
    }

    private List<string> Listed(string list)
    {
        string folder = Path.GetDirectoryName(list)!;
        var finder = new ImageFinder(_imageFolder is null ? [folder, _root] : [_imageFolder]);
        var images = new List<string>();
        foreach (ListedName entry in SplitList.Read(list))
        {
            string path = finder.Find(entry.Name);
            if (!_toleratesMissing && !File.Exists(path)) throw AnnotationError.NoImage(list, entry.Line, path);
            images.Add(Path.GetFullPath(path));
        }

        return images;
    }

    private string LabelsOf(string image)
    {
        if (_labelFolder is not null)
        {
            string mirrored = Path.ChangeExtension(Path.Combine(_labelFolder, Path.GetRelativePath(_imageFolder!, image)), ".txt");
            string flat = Path.Combine(_labelFolder, Path.GetFileNameWithoutExtension(image) + ".txt");
            return File.Exists(flat) ? flat : mirrored;
        }

        string[] parts = Path.GetDirectoryName(image)!.Split(Path.DirectorySeparatorChar);
        int images = Array.LastIndexOf(parts, "images");
        if (images >= 0) parts[images] = "labels";
        string folder = string.Join(Path.DirectorySeparatorChar, parts);
        string beside = images >= 0 && Directory.Exists(folder) ? Path.Combine(folder, Path.GetFileName(image)) : image;
        return Path.ChangeExtension(beside, ".txt");
    }

    private static string? List(string folder, string split)
        => Path.Combine(folder, split + ".txt") is var path && File.Exists(path) ? path : null;

    /// <summary>Labels in a folder of labels that belong to no image are a mistake; beside images other text files may lie.</summary>
    private static void CheckStray(List<(string Image, string Labels)> expected)
    {
        HashSet<string> known = [.. expected.Select(entry => entry.Labels)];
        IEnumerable<string> folders = from entry in expected
                                      let folder = Path.GetDirectoryName(entry.Labels)
                                      where folder != Path.GetDirectoryName(entry.Image) && Directory.Exists(folder)
                                      select folder;
        foreach (string folder in folders.Distinct(StringComparer.Ordinal))
        {
            string? stray = Directory.EnumerateFiles(folder, "*.txt").Order(StringComparer.Ordinal)
                .FirstOrDefault(path => !known.Contains(path) && !IsOther(Path.GetFileName(path)));
            if (stray is not null) throw AnnotationError.At(stray, 1, "there is no image of these labels");
        }
    }

    private static bool IsOther(string name)
        => name is "classes.txt" or "names.txt" || AllSplits.Contains(Path.GetFileNameWithoutExtension(name));
}

/// <summary>
/// Parses a YOLO label file: an object a line, <c>class x y width height</c>, its centre and size in shares of the image.
/// </summary>
internal static class YoloLabels
{
    /// <summary>The objects of a file.</summary>
    /// <param name="names">The classes.</param>
    /// <param name="size">The image's size.</param>
    /// <exception cref="FormatException">A line is not as it must be; the message names file and line.</exception>
    public static List<AnnotatedObject> Read(Stream stream, string file, YoloNames names, ImageSize size)
    {
        using var lines = new TextLines(stream, file);
        var objects = new List<AnnotatedObject>();
        foreach (string line in lines.NonEmpty())
            objects.Add(ReadObject(lines, line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries), names, size));
        return objects;
    }

    private static AnnotatedObject ReadObject(TextLines lines, string[] columns, YoloNames names, ImageSize size)
    {
        if (columns.Length != 5) throw lines.Error($"5 columns are expected (class, centre x, y, width, height), not {columns.Length}");
        if (!NumberText.TryParse(columns[0], out int index))
            throw lines.Error($"{AnnotationError.Quote(columns[0])} is no number of a class");
        string label = names[index] ?? throw lines.Error($"class {index} is not among the {names.Count} of '{names.File}'");
        Span<double> numbers = stackalloc double[4];
        for (int i = 0; i < 4; i++)
        {
            if (!NumberText.TryParse(columns[i + 1], out numbers[i]))
                throw lines.Error($"column {i + 2} holds {AnnotationError.Quote(columns[i + 1])}, which is no number");
        }

        double x0 = (numbers[0] - numbers[2] / 2) * size.Width, x1 = (numbers[0] + numbers[2] / 2) * size.Width;
        double y0 = (numbers[1] - numbers[3] / 2) * size.Height, y1 = (numbers[1] + numbers[3] / 2) * size.Height;
        return AnnotatedObject.Problem(x0, y0, x1, y1) is { } problem
            ? throw lines.Error(problem)
            : new AnnotatedObject(label, (float)x0, (float)y0, (float)x1, (float)y1);
    }
}
