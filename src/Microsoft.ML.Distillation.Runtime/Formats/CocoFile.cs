using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Formats;

/// <summary>An image of a COCO file.</summary>
/// <param name="Line">Where it stands.</param>
internal readonly record struct CocoImageEntry(CocoId Id, string FileName, ImageSize? Size, int Line);

/// <summary>A class of a COCO file.</summary>
internal readonly record struct CocoCategoryEntry(CocoId Id, string Name);

/// <summary>An annotated object of a COCO file: its image and class by index; the object has no label yet.</summary>
/// <param name="Line">Where it stands.</param>
internal readonly record struct CocoObjectEntry(int Image, int Category, int Line, AnnotatedObject Object);

/// <summary>The content of a COCO annotation file, about a hundred bytes an object; its text and masks are not kept.</summary>
/// <param name="Images">The images, in the order of the file.</param>
/// <param name="Categories">The classes.</param>
/// <param name="Objects">All objects, in the order of the file.</param>
internal sealed record CocoFile(
    IReadOnlyList<CocoImageEntry> Images, IReadOnlyList<CocoCategoryEntry> Categories, IReadOnlyList<CocoObjectEntry> Objects)
{
    /// <summary>
    /// The objects' boxes and areas in double precision, which COCO's figures are computed in; empty where they were not asked for.
    /// </summary>
    public IReadOnlyList<(CocoBox Box, double? Area)> Measures { get; init; } = [];

    /// <summary>The images with their objects.</summary>
    /// <param name="file">The file's name.</param>
    /// <param name="findImage">Finds the path of an image by its name in the file.</param>
    public IEnumerable<AnnotatedImage> Annotated(string file, Func<string, string> findImage)
    {
        int[] order = ByImage(out int[] starts);
        for (int i = 0; i < Images.Count; i++)
        {
            var objects = new AnnotatedObject[starts[i + 1] - starts[i]];
            for (int k = 0; k < objects.Length; k++)
            {
                CocoObjectEntry entry = Objects[order[starts[i] + k]];
                objects[k] = entry.Object with { Label = Categories[entry.Category].Name };
            }

            CocoImageEntry image = Images[i];
            yield return new AnnotatedImage(findImage(image.FileName), image.Size, objects) { NamedIn = file, Line = image.Line };
        }
    }

    /// <summary>The objects' indices, grouped by image in the order of the file; those of image i begin at starts[i].</summary>
    private int[] ByImage(out int[] starts)
    {
        starts = new int[Images.Count + 1];
        foreach (CocoObjectEntry entry in Objects) starts[entry.Image + 1]++;
        for (int i = 0; i < Images.Count; i++) starts[i + 1] += starts[i];
        int[] next = [.. starts], order = new int[Objects.Count];
        for (int i = 0; i < order.Length; i++) order[next[Objects[i].Image]++] = i;
        return order;
    }
}

/// <summary>
/// Numbers the ids of one kind (images, categories) in the order in which they are first met, so that an annotation may come before
/// what it belongs to.
/// </summary>
internal sealed class CocoIds
{
    private const int NotDefined = -1;

    private readonly Dictionary<CocoId, int> _numbers = [];
    private readonly List<int> _indices = [];

    /// <summary>The number of an id that is mentioned.</summary>
    public int Mention(CocoId id)
    {
        if (_numbers.TryGetValue(id, out int number)) return number;
        _numbers.Add(id, _indices.Count);
        _indices.Add(NotDefined);
        return _indices.Count - 1;
    }

    /// <summary>Says which element an id belongs to; false where it has one already.</summary>
    public bool Define(CocoId id, int index)
    {
        int number = Mention(id);
        if (_indices[number] != NotDefined) return false;
        _indices[number] = index;
        return true;
    }

    /// <summary>The element that a number's id belongs to, or null where there is none.</summary>
    public int? IndexOf(int number) => _indices[number] is var index and not NotDefined ? index : null;

    /// <summary>The id of a number.</summary>
    public CocoId IdOf(int number) => _numbers.First(pair => pair.Value == number).Key;
}

/// <summary>Reads COCO annotation files. The file is read once, at once; its images are found as they are asked for.</summary>
internal static class CocoReader
{
    private static readonly string[] AnnotationFolders = ["annotations", ""];

    /// <summary>The images of a file, or of the one file of a folder and split.</summary>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">There is no annotation file of this split.</exception>
    /// <exception cref="FormatException">There are several.</exception>
    /// <exception cref="FormatException">It is not a COCO annotation file; the message names file, line and element.</exception>
    public static IEnumerable<AnnotatedImage> Read(AnnotationSource source)
    {
        string path = AnnotationFile.Find(source, AnnotationFolders, "json", split =>
        [
            $"instances_{split}.json", $"{split}.json", $"{split}/_annotations.coco.json", $"{split}/annotations.json",
            $"instances_{split}*.json", $"*{split}*.json",
        ]);
        using FileStream stream = File.OpenRead(path);
        CocoFile file = CocoParser.Parse(stream, path);
        var images = new ImageFinder(source.GivenImageFolder() is { } given ? [given] : ImageFolders(source, path));
        return file.Annotated(path, images.Find);
    }

    private static IEnumerable<string> ImageFolders(AnnotationSource source, string path)
    {
        string beside = Path.GetDirectoryName(path)!;
        string root = Path.GetFileName(beside) == "annotations" ? Path.GetDirectoryName(beside)! : beside;
        string stem = Path.GetFileNameWithoutExtension(path);
        string split = source.Split ?? stem[(stem.IndexOf('_', StringComparison.Ordinal) + 1)..];
        string[] below = [Path.Combine("images", split), split, "images", "data", "JPEGImages"];
        return [.. below.Select(name => Path.Combine(root, name)), beside, root];
    }
}
