using Microsoft.ML.Distillation.Files;
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
        return folder.Entries.Select(entry => Read(entry.Image, entry.Labels, folder.Names, source)).OfType<AnnotatedImage>();
    }

    private static AnnotatedImage? Read(string image, string? labels, YoloNames names, AnnotationSource source)
    {
        if (labels is null) return new AnnotatedImage(image, null, []);
        ImageSize? size = source.ToleratesBrokenImages ? ImageFile.TrySizeOf(image) : ImageFile.SizeOf(image);
        var faults = new List<string>();
        try
        {
            // Of an image that cannot be read the labels are read all the same, as they may be wrong themselves.
            List<AnnotatedObject> objects = YoloLabels.Read(
                AnnotationFile.Open(labels), labels, names, size ?? new ImageSize(1, 1), source.Notes, faults);
            if (size is { } known) YoloScores.ReadFor(objects, labels, names, known);
            return size is null
                ? new AnnotatedImage(image, null, []) { Unplaced = objects.Count, Faults = faults }
                : new AnnotatedImage(image, size, objects) { Faults = faults };
        }
        catch (FormatException fault) when (source.Notes?.Takes(fault, labels) == true)
        {
            return new AnnotatedImage(image, size, []) { Faults = [.. faults, fault.Message] };
        }
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
    private readonly AnnotationNotes? _notes;
    private readonly bool _readsAll;
    private readonly YoloDataFile? _data;
    private readonly Dictionary<string, FolderIndex> _labels = new(StringComparer.Ordinal);

    private YoloFolder(AnnotationSource source)
    {
        bool isFile = File.Exists(source.Path);
        _root = isFile ? Path.GetDirectoryName(Path.GetFullPath(source.Path))! : source.Folder();
        _imageFolder = source.GivenImageFolder();
        _toleratesMissing = source.ToleratesBrokenImages;
        (_notes, _readsAll) = (source.Notes, source.Split is null);
        string namesPath = isFile ? Path.GetFullPath(source.Path)
            : source.FindNamesFile(_root, "data.yaml", "*.yaml", "*.yml", "*.names", "classes.txt", "names.txt", "labels/classes.txt")
                ?? throw new FileNotFoundException(
                    $"'{_root}' has no file of class names: neither a data.yaml nor a *.names or classes.txt.", _root);
        using TextLines lines = TextLines.Open(namesPath);
        if (Path.GetExtension(namesPath).ToLowerInvariant() is ".yaml" or ".yml") _data = YoloDataFile.Read(lines);
        Names = _data?.ReadNames() ?? YoloNames.ReadList(lines);
        if (Names.Repeated is { } repeated) _notes?.Warn(repeated);
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
            [.. images.Distinct(StringComparer.Ordinal).Select(image => (image, folder.Existing(folder.LabelsOf(image))))];
        if (expected.Count == 0) throw new FileNotFoundException($"'{folder._root}' holds no image.", folder._root);
        folder.Entries = [.. expected.Select(entry => (entry.Image, File.Exists(entry.Labels) ? entry.Labels : null))];
        if (folder.Entries.All(entry => entry.Labels is null))
        {
            string first = expected[0].Labels;
            throw new FileNotFoundException(
                $"Of {Counted.Of(expected.Count, "image")} none has a label file; the first would be '{first}'.", first);
        }

        if (isWhole) folder.CheckStray(expected);
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
        string[] paths = [.. splits.SelectMany(name => (_data?.Split(name) ?? []).Select(part => Resolve(name, part.Path, part.Line)))
            .OfType<string>()];
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

    /// <summary>
    /// The path of a split in data.yaml. One service writes a "../" too many, which everybody forgives. Where all parts are read, null for
    /// one that is not there.
    /// </summary>
    private string? Resolve(string split, string path, int line)
    {
        string root = _data!.Root();
        path = path.Replace('\\', '/');
        string forgiven = path.StartsWith("../", StringComparison.Ordinal) ? path[3..] : path;
        string[] candidates = [Path.Combine(root, path), Path.Combine(root, forgiven)];
        string[] places = [.. candidates.Distinct().Select(Path.GetFullPath)];
        if (places.FirstOrDefault(Path.Exists) is { } found) return found;
        string missing = $"{_data.File}({line}): the part '{split}' is said to be at '{path}', but there is nothing at "
            + $"{string.Join(" or ", places.Select(place => $"'{place}'"))}";
        _notes?.Warn($"{missing}; it is passed over.");
        return _readsAll && _notes is not null ? null : throw new FileNotFoundException($"{missing}.", places[0]);
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

    /// <summary>The file as it is named on the disk, should its accents be encoded otherwise; else as it is expected.</summary>
    private string Existing(string labels)
    {
        string folder = Path.GetDirectoryName(labels)!;
        if (!_labels.TryGetValue(folder, out FolderIndex? index)) _labels[folder] = index = new FolderIndex(folder);
        return index.Find(Path.GetFileName(labels)) ?? labels;
    }

    private static string? List(string folder, string split)
        => Path.Combine(folder, split + ".txt") is var path && File.Exists(path) ? path : null;

    /// <summary>Labels in a folder of labels that belong to no image are a mistake; beside images other text files may lie.</summary>
    private void CheckStray(List<(string Image, string Labels)> expected)
    {
        HashSet<string> known = [.. expected.Select(entry => entry.Labels)];
        IEnumerable<string> folders = from entry in expected
                                      let folder = Path.GetDirectoryName(entry.Labels)
                                      where folder != Path.GetDirectoryName(entry.Image) && Directory.Exists(folder)
                                      select folder;
        foreach (string path in folders.Distinct(StringComparer.Ordinal).SelectMany(folder => FolderListing.Files(folder, "*.txt")))
        {
            if (known.Contains(path) || IsOther(Path.GetFileName(path))) continue;
            FormatException stray = AnnotationError.At(path, 1, "there is no image of these labels");
            if (_notes?.Takes(stray, path) != true) throw stray;
        }
    }

    private static bool IsOther(string name)
        => name is "classes.txt" or "names.txt" || AllSplits.Contains(Path.GetFileNameWithoutExtension(name));
}

/// <summary>
/// Parses a YOLO label file: an object a line, <c>class x y width height</c>, its centre and size in shares of the image; or, of
/// segmentation and oriented boxes, <c>class x1 y1 x2 y2 …</c>, the corners of its outline, whose box is taken; or, where the data say so,
/// a box with key points, which are passed over.
/// </summary>
internal static class YoloLabels
{
    private const int BoxColumns = 5;

    /// <summary>The objects of a file.</summary>
    /// <param name="names">The classes.</param>
    /// <param name="size">The image's size.</param>
    /// <param name="notes">Takes what is wrong with a line, which is then left out.</param>
    /// <param name="faults">Receives the same.</param>
    /// <exception cref="FormatException">A line is not as it must be; the message names file and line.</exception>
    public static List<AnnotatedObject> Read(
        Stream stream, string file, YoloNames names, ImageSize size, AnnotationNotes? notes = null, List<string>? faults = null)
    {
        using var lines = new TextLines(stream, file);
        return lines.Objects(columns => ReadObject(lines, columns, names, size, notes), notes, faults);
    }

    private static AnnotatedObject ReadObject(TextLines lines, string[] columns, YoloNames names, ImageSize size, AnnotationNotes? notes)
    {
        bool hasKeyPoints = names.KeyPointNumbers > 0 && columns.Length == BoxColumns + names.KeyPointNumbers;
        bool isOutline = !hasKeyPoints && columns.Length >= 7 && columns.Length % 2 == 1;
        if (!hasKeyPoints && !isOutline && columns.Length != BoxColumns) throw lines.Error(Unexpected(columns));
        if (!NumberText.TryParse(columns[0], out int index))
            throw lines.Error($"{AnnotationError.Quote(columns[0])} is no number of a class");
        string label = names[index] ?? throw lines.Error($"class {index} is not among the {names.Count} of '{names.File}'");
        var numbers = new double[isOutline ? columns.Length - 1 : BoxColumns - 1];
        for (int i = 0; i < numbers.Length; i++)
        {
            if (!NumberText.TryParse(columns[i + 1], out numbers[i]))
                throw lines.Error($"column {i + 2} holds {AnnotationError.Quote(columns[i + 1])}, which is no number");
        }

        if (numbers.Any(ShareCheck.IsNone)) ShareCheck.Note(notes, lines);
        AnnotatedObject item = isOutline ? Around(numbers, size) : Box(numbers, size);
        return AnnotatedObject.Problem(item.X0, item.Y0, item.X1, item.Y1) is { } problem
            ? throw lines.Error(problem) : item with { Label = label };
    }

    /// <summary>A box of centre and size in shares of the image.</summary>
    internal static AnnotatedObject Box(double[] numbers, ImageSize size)
    {
        double x0 = (numbers[0] - numbers[2] / 2) * size.Width, x1 = (numbers[0] + numbers[2] / 2) * size.Width;
        double y0 = (numbers[1] - numbers[3] / 2) * size.Height, y1 = (numbers[1] + numbers[3] / 2) * size.Height;
        return new AnnotatedObject("", (float)x0, (float)y0, (float)x1, (float)y1);
    }

    private static AnnotatedObject Around(double[] corners, ImageSize size)
    {
        var outline = new OutlineBox();
        for (int i = 0; i < corners.Length; i += 2) outline.Add(corners[i], corners[i + 1]);
        return outline.ToObject(size.Width, size.Height)!.Value;
    }

    private static string Unexpected(string[] columns)
    {
        string what = "a box has 5 columns (class, centre x, y, width, height), an outline 7 or more (class and the corners), "
            + $"not {columns.Length}";
        // What of other tasks and tools is met under this name.
        return columns.Length switch
        {
            6 => what + "; six are those of a prediction with its score, not of a label, or of an oriented box with its angle, of which "
                + "the four corners are expected (class x1 y1 x2 y2 x3 y3 x4 y4)",
            9 or 10 when !NumberText.TryParse(columns[8], out double _) => what + "; this is a line of DOTA, convert it to YOLO's form",
            > 7 => what + "; key points need 'kpt_shape' in the data.yaml",
            _ => what,
        };
    }
}
