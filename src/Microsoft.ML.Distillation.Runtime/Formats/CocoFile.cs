using System.Globalization;
using System.Text.Json;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Formats;

/// <summary>An image of a COCO file.</summary>
/// <param name="Line">Where it stands.</param>
internal readonly record struct CocoImageEntry(CocoId Id, string FileName, ImageSize? Size, int Line);

/// <summary>A class of a COCO file.</summary>
/// <param name="Group">The class that it is of, or null.</param>
internal readonly record struct CocoCategoryEntry(CocoId Id, string Name, string? Group);

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

    /// <summary>What is wrong with objects that are left out, by image; those of no image are noted alone.</summary>
    public ILookup<CocoId, string> Faults { get; init; } = Array.Empty<(CocoId, string)>().ToLookup(pair => pair.Item1, pair => pair.Item2);

    /// <summary>The classes by their names, in the order of their ids, without groups of others that have no object.</summary>
    public IReadOnlyList<string> ClassNames
    {
        get
        {
            HashSet<string> groups = [.. Categories.Select(category => category.Group).OfType<string>()];
            HashSet<int> used = [.. Objects.Select(item => item.Category)];
            return [.. Categories.Index().Where(entry => used.Contains(entry.Index) || !groups.Contains(entry.Item.Name))
                .OrderBy(entry => entry.Item.Id.Text, StringComparer.Ordinal).ThenBy(entry => entry.Item.Id.Number)
                .Select(entry => entry.Item.Name).Distinct()];
        }
    }

    /// <summary>The images with their objects.</summary>
    /// <param name="file">The file's name.</param>
    /// <param name="findImage">Finds the path of an image by its name in the file.</param>
    /// <param name="notes">Takes what is wrong with an image, which is then left out.</param>
    /// <exception cref="FormatException">Two images are the same file.</exception>
    public IEnumerable<AnnotatedImage> Annotated(string file, Func<string, string> findImage, AnnotationNotes? notes = null)
    {
        var imageAt = new Dictionary<string, string>(StringComparer.Ordinal);
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
            string path = findImage(image.FileName);
            if (!imageAt.TryAdd(path, image.FileName))
            {
                FormatException same = AnnotationError.At(
                    file, image.Line, $"the images {AnnotationError.Quote(imageAt[path])} and {AnnotationError.Quote(image.FileName)} "
                        + $"are both found at '{path}'");
                if (notes?.Takes(same, file) != true) throw same;
                continue;
            }

            yield return new AnnotatedImage(path, image.Size, objects)
            {
                NamedIn = file,
                Line = image.Line,
                Faults = [.. Faults[image.Id]],
            };
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
        (string path, CocoFile file) = Parse(source);
        string[] repeated =
            [.. file.Categories.GroupBy(category => category.Name).Where(same => same.Count() > 1).Select(same => same.Key)];
        if (repeated.Length > 0) source.Notes?.Warn(RepeatedNames.Warning(path, repeated));
        var images = new ImageFinder(source.GivenImageFolder() is { } given ? [given] : ImageFolders(source, path));
        return file.Annotated(path, images.Find, source.Notes);
    }

    /// <summary>The file of a source, parsed.</summary>
    /// <inheritdoc cref="Read"/>
    public static (string Path, CocoFile File) Parse(AnnotationSource source)
    {
        string path = AnnotationFile.Find(source, AnnotationFolders, "json", split =>
        [
            $"instances_{split}.json", $"{split}.json", $"{split}/_annotations.coco.json", $"{split}/annotations.json",
            $"instances_{split}*.json", $"*{split}*.json",
        ], looksRight: DataRecognition.IsCoco);
        using FileStream stream = AnnotationFile.Open(path);
        return (path, CocoParser.Parse(stream, path, notes: source.Notes));
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

/// <summary>An element of one of a COCO file's lists, which reads the values of its members; its errors name it.</summary>
/// <param name="List">The list's name.</param>
/// <param name="Index">The element's position in it.</param>
/// <param name="Line">The line in which it begins.</param>
internal readonly record struct CocoElement(string List, int Index, int Line)
{
    private const int MaxSide = 1 << 24;

    /// <summary>An id.</summary>
    public CocoId Id(ref JsonTokens json, string member)
        => OptionalId(ref json, member) ?? throw Error(ref json, $"has null for its {member}");

    /// <summary>An id or null.</summary>
    public CocoId? OptionalId(ref JsonTokens json, string member)
    {
        if (json.Type == JsonTokenType.Null) return null;
        if (json.Whole() is { } number) return new CocoId(number, null);
        return json.Text() is { } text ? new CocoId(0, text) : throw Unexpected(ref json, member, "neither a whole number nor a text");
    }

    /// <summary>A name: a text that is not empty.</summary>
    public string Name(ref JsonTokens json, string member)
        => json.Text()?.Trim() is { Length: > 0 } text && !text.Contains('\0')
            ? text
            : throw Unexpected(ref json, member, "no text, or empty");

    /// <summary>The width or height of an image; 0 where it is not known.</summary>
    public int Side(ref JsonTokens json, string member)
    {
        if (json.Type == JsonTokenType.Null) return 0;
        return json.Whole() is { } side and >= 0 and <= MaxSide ? (int)side : throw Unexpected(ref json, member, "no number of pixels");
    }

    /// <summary>Yes or no, as 0 and 1 or false and true.</summary>
    public bool Flag(ref JsonTokens json, string member)
        => json.Type switch
        {
            JsonTokenType.Null or JsonTokenType.False => false,
            JsonTokenType.True => true,
            _ => json.Whole() is { } flag and (0 or 1) ? flag == 1 : throw Unexpected(ref json, member, "neither 0 nor 1"),
        };

    /// <summary>An area in square pixels, or null.</summary>
    public double? Area(ref JsonTokens json)
    {
        if (json.Type == JsonTokenType.Null) return null;
        return json.Number() is { } area and >= 0 && float.IsFinite((float)area)
            ? area
            : throw Unexpected(ref json, "area", "no number from 0");
    }

    /// <summary>How sure a detector is: any finite number, as only the order of scores counts.</summary>
    public double Score(ref JsonTokens json) => json.Number() ?? throw Unexpected(ref json, "score", "no finite number");

    /// <summary>A box: x, y, width, height in pixels.</summary>
    public CocoBox Box(ref JsonTokens json) => OptionalBox(ref json) ?? throw Unexpected(ref json, "bbox", "no list of four numbers");

    /// <summary>A box, or null where there is null or an empty list.</summary>
    public CocoBox? OptionalBox(ref JsonTokens json)
    {
        if (json.Type == JsonTokenType.Null) return null;
        Span<double> numbers = stackalloc double[4];
        int count = 0;
        if (json.Type != JsonTokenType.StartArray) throw Unexpected(ref json, "bbox", "no list of four numbers");
        while (json.Read() && json.Type != JsonTokenType.EndArray)
        {
            double number = json.Number() ?? throw Unexpected(ref json, "bbox", "no list of four numbers");
            if (count < numbers.Length) numbers[count] = number;
            count++;
        }

        if (count == 0) return null;
        if (count != 4) throw Error(ref json, $"has {count} numbers in its bbox; a box is x, y, width, height");
        double x1 = numbers[0] + numbers[2], y1 = numbers[1] + numbers[3];
        // Far from 0 a small negative side does not change the sum.
        return (AnnotatedObject.Problem(numbers[0], numbers[1], x1, y1)
                ?? AnnotatedObject.Problem(0, 0, numbers[2], numbers[3])) is { } problem
            ? throw Error(ref json, $"is wrong: {problem}")
            : new CocoBox(numbers[0], numbers[1], numbers[2], numbers[3]);
    }

    /// <summary>
    /// What tools beside COCO itself add to annotations; members that are not known, or not as they are known, are passed over.
    /// </summary>
    public static AnnotatedObject Attributes(ref JsonTokens json, AnnotatedObject flags)
    {
        if (json.Type != JsonTokenType.StartObject)
        {
            json.Skip();
            return flags;
        }

        while (json.NextMember())
        {
            if (json.Enter("difficult"u8)) flags = flags with { Difficult = Share(ref json) > 0 };
            else if (json.Enter("truncated"u8)) flags = flags with { Truncated = (float)Math.Clamp(Share(ref json), 0, 1) };
            else if (json.Enter("occluded"u8)) flags = flags with { Occluded = (int)Math.Clamp(Math.Ceiling(Share(ref json)), 0, 3) };
            else json.Skip();
        }

        return flags;
    }

    /// <summary>An error in this element.</summary>
    public FormatException Error(ref JsonTokens json, string problem)
        => AnnotationError.At(json.File, json.Line, $"{List}[{Index}] {problem}");

    private static double Share(ref JsonTokens json)
    {
        double share = json.Type == JsonTokenType.True ? 1 : json.Number() ?? 0;
        json.Skip();
        return share;
    }

    private FormatException Unexpected(ref JsonTokens json, string member, string what) => Error(ref json, $"is wrong: {member} is {what}");
}

/// <summary>A box as COCO's files have it, in pixels; the sides are not negative.</summary>
internal readonly record struct CocoBox(double X, double Y, double Width, double Height)
{
    /// <summary>The right edge.</summary>
    public double X1 => X + Width;

    /// <summary>The lower edge.</summary>
    public double Y1 => Y + Height;
}

/// <summary>An id in a COCO file: a whole number by the book, a text in the files of some tools.</summary>
internal readonly record struct CocoId(long Number, string? Text = null)
{
    public override string ToString() => Text is null ? Number.ToString(CultureInfo.InvariantCulture) : AnnotationError.Quote(Text);
}
