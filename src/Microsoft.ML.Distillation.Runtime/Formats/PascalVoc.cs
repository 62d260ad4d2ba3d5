using System.Xml;
using System.Xml.Linq;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Formats;

/// <summary>
/// Reads Pascal VOC annotations. Coordinates are kept as they are written: VOC itself counts pixels from 1 and includes the
/// last one, most tools that write its format count from 0; a shift by one pixel would be wrong for one of them.
/// </summary>
internal static class PascalVocReader
{
    /// <summary>The images of a folder. The list of files is made at once, each file is parsed when its turn comes.</summary>
    /// <param name="split">A list in <c>ImageSets/Main</c> or a subfolder; null is every annotation.</param>
    /// <inheritdoc cref="Read(AnnotationSource)"/>
    public static IEnumerable<AnnotatedImage> Read(string folder, string? split = null) => Read(new AnnotationSource(folder, split));

    /// <inheritdoc cref="Read(string, string?)"/>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">The split, or a file that it names, or any annotation does not exist.</exception>
    /// <exception cref="FormatException">A file is not a VOC annotation; the message names file and line.</exception>
    public static IEnumerable<AnnotatedImage> Read(AnnotationSource source) => Read(PascalVocFolder.Open(source), source.Notes);

    private static IEnumerable<AnnotatedImage> Read(PascalVocFolder files, AnnotationNotes? notes)
    {
        var annotationOf = new Dictionary<string, string>(StringComparer.Ordinal);
        return files.Annotations.Select(path => TryRead(path)).OfType<AnnotatedImage>();

        AnnotatedImage? TryRead(string path)
        {
            try
            {
                VocXml xml = VocXml.Read(path, names: null, notes);
                string image = files.FindImage(path, xml.FileName);
                return annotationOf.TryAdd(image, path) || annotationOf[image] == path
                    ? xml.ToImage(image, path)
                    : throw AnnotationError.At(
                        path, xml.FileNameLine, $"the image '{image}' is already annotated by '{annotationOf[image]}'");
            }
            catch (FormatException fault) when (notes?.Takes(fault, path) == true)
            {
                return null;
            }
        }
    }
}

/// <summary>
/// Where the files of a Pascal VOC data set are. Layouts: <c>Annotations</c> beside <c>JPEGImages</c>, with or without lists
/// in <c>ImageSets/Main</c>; xml files beside their images; and either of these in a subfolder for each split.
/// </summary>
internal sealed class PascalVocFolder
{
    private static readonly string[] ImageFolders = ["JPEGImages", "Images", "images", ""];

    private readonly ImageFiles _images;

    private PascalVocFolder(IReadOnlyList<string> annotations, string imageFolder)
    {
        Annotations = annotations;
        _images = new ImageFiles(imageFolder);
    }

    /// <summary>The xml files, in the order of the split's list or else of their names.</summary>
    public IReadOnlyList<string> Annotations { get; }

    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">The split, or a file that it names, or any annotation does not exist.</exception>
    /// <exception cref="FormatException">The split's list names an image twice.</exception>
    public static PascalVocFolder Open(AnnotationSource source)
    {
        string folder = source.Folder();
        string imageFolder = source.GivenImageFolder() ?? FindImageFolder(folder);
        if (source.Split is not { } split) return new PascalVocFolder(AllAnnotations(folder), imageFolder);

        string list = Path.Combine(folder, "ImageSets", "Main", split + ".txt");
        if (File.Exists(list)) return new PascalVocFolder(ListedAnnotations(folder, list, source.Notes), imageFolder);
        string part = Path.Combine(folder, split);
        if (split.Length > 0 && Directory.Exists(part)) return Open(source with { Path = part, Split = null });
        throw new FileNotFoundException(
            $"'{folder}' has no split '{split}': neither the list 'ImageSets/Main/{split}.txt' nor a folder '{split}' exists. "
            + $"Splits that exist: {Listing(Splits(folder))}.", list);
    }

    /// <summary>
    /// The image that an annotation belongs to: the one that it names, else the one of its own name. Upper and lower case do
    /// not matter. Where there is neither, the path at which it was to be expected.
    /// </summary>
    public string FindImage(string annotation, string? fileName)
    {
        string stem = Path.GetFileNameWithoutExtension(annotation);
        // Written on another system, the name may hold a path of that system.
        string named = fileName is null ? "" : ImageFiles.NameIn(fileName);
        return named.Length > 0 ? _images.Find(named, stem) ?? _images.Expected(named) : _images.Find(stem) ?? _images.Expected(stem);
    }

    private static string FindImageFolder(string folder)
        => ImageFolders.Select(name => Path.Combine(folder, name)).First(Directory.Exists);

    private static string AnnotationFolder(string folder)
    {
        string annotations = Path.Combine(folder, "Annotations");
        return Directory.Exists(annotations) ? annotations : folder;
    }

    private static string[] AllAnnotations(string folder)
    {
        string annotations = AnnotationFolder(folder);
        string[] files = [.. FolderListing.Files(annotations, "*.xml")];
        if (files.Length > 0) return files;
        string[] splits = [.. Splits(folder)];
        throw new FileNotFoundException(
            $"'{annotations}' holds no annotation (*.xml)." + (splits.Length > 0 ? $" Name a split: {Listing(splits)}." : ""), annotations);
    }

    private static List<string> ListedAnnotations(string folder, string list, AnnotationNotes? notes)
        => SplitList.Files(list, AnnotationFolder(folder), ".xml", notes);

    private static IEnumerable<string> Splits(string folder)
    {
        string lists = Path.Combine(folder, "ImageSets", "Main");
        IEnumerable<string?> listed = Directory.Exists(lists)
            ? FolderListing.Files(lists, "*.txt").Select(Path.GetFileNameWithoutExtension)
            : [];
        IEnumerable<string?> folders = FolderListing.Folders(folder)
            .Where(part => FolderListing.Files(AnnotationFolder(part), "*.xml").Any() && Path.GetFileName(part) != "Annotations")
            .Select(Path.GetFileName);
        return listed.Concat(folders).OfType<string>().Order(StringComparer.Ordinal);
    }

    private static string Listing(IEnumerable<string> names)
    {
        string text = string.Join(", ", names);
        return text.Length > 0 ? text : "none";
    }
}

/// <summary>What stands in a VOC annotation file.</summary>
/// <param name="FileName">The name of the image, or null.</param>
/// <param name="FileNameLine">The line in which it stands.</param>
internal sealed record VocXml(string? FileName, int FileNameLine, ImageSize? Size, AnnotatedObject[] Objects)
{
    private const int MaxSide = 1 << 24;

    // An image with ten thousand objects makes 4 million.
    private const int MaxCharacters = 16 << 20;

    private static readonly XmlReaderSettings Settings = new()
    {
        DtdProcessing = DtdProcessing.Ignore,
        MaxCharactersInDocument = MaxCharacters,
    };

    /// <summary>What is wrong with objects that are left out.</summary>
    public IReadOnlyList<string> Faults { get; init; } = [];

    /// <summary>Reads a file.</summary>
    /// <param name="names">Names for the classes' codes, or null where classes stand by their names.</param>
    /// <param name="notes">Takes what is wrong with an object, which is then left out.</param>
    /// <exception cref="FormatException">It is not a VOC annotation; the message names file and line.</exception>
    public static VocXml Read(string path, ClassCodes? names = null, AnnotationNotes? notes = null)
        => Read(AnnotationFile.Open(path), path, names, notes);

    /// <inheritdoc cref="Read(string, ClassCodes?, AnnotationNotes?)"/>
    public static VocXml Read(Stream stream, string file, ClassCodes? names = null, AnnotationNotes? notes = null)
    {
        var root = new VocElement(file, Load(stream, file));
        root.ExpectName("annotation");
        VocElement? fileName = root.Find("filename");
        var objects = new List<AnnotatedObject>();
        var faults = new List<string>();
        foreach (VocElement item in root.All("object"))
        {
            try
            {
                objects.Add(ReadObject(item, names));
            }
            catch (FormatException fault) when (notes?.Takes(fault, file) == true)
            {
                faults.Add(fault.Message);
            }
        }

        return new VocXml(fileName?.Text, fileName?.Line ?? 1, ReadSize(root), [.. objects]) { Faults = faults };
    }

    /// <summary>The image of the annotation.</summary>
    public AnnotatedImage ToImage(string image, string annotation)
        => new(image, Size, Objects) { NamedIn = annotation, Line = FileNameLine, Faults = Faults };

    private static ImageSize? ReadSize(VocElement annotation)
    {
        if (annotation.Find("size") is not { } size) return null;
        int width = size.Find("width")?.Whole(0, MaxSide) ?? 0, height = size.Find("height")?.Whole(0, MaxSide) ?? 0;
        return width > 0 && height > 0 ? new ImageSize(width, height) : null;
    }

    private static AnnotatedObject ReadObject(VocElement item, ClassCodes? names)
    {
        VocElement name = item.Child("name");
        if (name.Text.Length == 0) throw name.Error("the object's <name> is empty");
        string label = names?.NameOf(name.Text) ?? name.Text;
        if (names is not null && ClassCodes.IsSynset(label)) throw name.Error($"the class '{label}' has no name in '{names.Path}'");

        return Place(item) with
        {
            Label = label,
            Difficult = item.Find("difficult")?.Flag() == true,
            Truncated = item.Find("truncated")?.Share() ?? 0,
            Occluded = item.Find("occluded") is { } occluded ? (int)Math.Ceiling(occluded.Share()) : 0,
            Score = (item.Find("score") ?? item.Find("confidence"))?.NumberOrNull(),
        };
    }

    /// <summary>The object's box; where it has none, that of its outline or of its turned box.</summary>
    private static AnnotatedObject Place(VocElement item)
    {
        if (item.Find("bndbox") is { } box)
        {
            float x0 = box.Child("xmin").Number(), y0 = box.Child("ymin").Number();
            float x1 = box.Child("xmax").Number(), y1 = box.Child("ymax").Number();
            if (AnnotatedObject.Problem(x0, y0, x1, y1) is { } problem) throw box.Error(problem);
            return new AnnotatedObject("", x0, y0, x1, y1);
        }

        var outline = new OutlineBox();
        if (item.Find("polygon") is { } polygon) AddPolygon(outline, polygon);
        else if (item.Find("robndbox") is { } turned) AddTurnedBox(outline, turned);
        else throw item.Error("<object> has no <bndbox>, nor a <polygon> or <robndbox> whose box could be taken");
        AnnotatedObject around = outline.ToObject() ?? throw item.Error("the <polygon> has no point");
        return AnnotatedObject.Problem(around.X0, around.Y0, around.X1, around.Y1) is { } wrong ? throw item.Error(wrong) : around;
    }

    /// <summary>Corners x1, y1, x2, y2 and so on, or points with x and y.</summary>
    private static void AddPolygon(OutlineBox outline, VocElement polygon)
    {
        foreach (string name in (string[])["pt", "point"])
        {
            foreach (VocElement point in polygon.All(name)) outline.Add(point.Child("x").Number(), point.Child("y").Number());
        }

        for (int i = 1; polygon.Find($"x{i}") is { } x; i++) outline.Add(x.Number(), polygon.Child($"y{i}").Number());
    }

    /// <summary>Centre, width, height and angle in radians.</summary>
    private static void AddTurnedBox(OutlineBox outline, VocElement box)
    {
        float x = box.Child("cx").Number(), y = box.Child("cy").Number(), w = box.Child("w").Number(), h = box.Child("h").Number();
        (float sin, float cos) = MathF.SinCos(box.Child("angle").Number());
        foreach ((float along, float across) in (ReadOnlySpan<(float, float)>)[(w, h), (w, -h), (-w, h), (-w, -h)])
            outline.Add(x + (along * cos - across * sin) / 2, y + (along * sin + across * cos) / 2);
    }

    private static XElement Load(Stream stream, string file)
    {
        using Stream closed = stream;
        XmlReader? reader = null;
        try
        {
            reader = XmlReader.Create(stream, Settings);
            return XDocument.Load(reader, LoadOptions.SetLineInfo).Root!;
        }
        catch (XmlException exception)
        {
            throw AnnotationError.At(
                file, Math.Max(exception.LineNumber, 1), $"this is no well-formed xml: {exception.Message.TrimEnd('.')}", exception);
        }
        catch (Exception exception) when (exception is InvalidOperationException or ArgumentException)
        {
            // An entity that is declared nowhere, an encoding that does not exist.
            int line = reader is IXmlLineInfo info ? Math.Max(info.LineNumber, 1) : 1;
            throw AnnotationError.At(file, line, $"this xml cannot be read: {exception.Message.TrimEnd('.')}", exception);
        }
        finally
        {
            reader?.Dispose();
        }
    }
}

/// <summary>An element of a VOC annotation file, whose errors name the file and its line.</summary>
internal readonly record struct VocElement(string File, XElement Element)
{
    /// <summary>The text in it, trimmed.</summary>
    public string Text => Element.Value.Trim();

    /// <summary>The line in which it begins.</summary>
    public int Line => ((IXmlLineInfo)Element).LineNumber;

    /// <summary>The first child of a name, or null.</summary>
    public VocElement? Find(string name) => Element.Element(name) is { } child ? this with { Element = child } : null;

    /// <summary>The first child of a name.</summary>
    public VocElement Child(string name) => Find(name) ?? throw Error($"<{Element.Name}> has no <{name}>");

    /// <summary>All children of a name.</summary>
    public IEnumerable<VocElement> All(string name)
    {
        string file = File;
        return Element.Elements(name).Select(child => new VocElement(file, child));
    }

    /// <summary>Checks the element's own name.</summary>
    public void ExpectName(string name)
    {
        if (Element.Name == name) return;
        throw Error(ForeignAnnotations.Of(File, $"<{Element.Name}>") is { } foreign
            ? $"this is {foreign.Format}, which is not read: {foreign.Advice}"
            : $"an <{name}> is expected, not <{Element.Name}>");
    }

    /// <summary>The finite number in it.</summary>
    public float Number()
        => NumberText.TryParse(Text, out double number) && float.IsFinite((float)number) ? (float)number : throw Unexpected("no number");

    /// <summary>The number in it, where it is one.</summary>
    public float? NumberOrNull() => NumberText.TryParse(Text, out double number) ? (float)number : null;

    /// <summary>The whole number in it; 0 where it is empty.</summary>
    public int Whole(int min, int max)
    {
        string text = Text;
        if (text.Length == 0) return 0;
        if (!NumberText.TryParse(text, out int number)) throw Unexpected("no whole number");
        return number >= min && number <= max ? number : throw Unexpected($"not from {min} to {max}");
    }

    /// <summary>Yes or no.</summary>
    public bool Flag() => Share() > 0;

    /// <summary>Yes (1), no (0), or a share between them.</summary>
    public float Share()
    {
        string text = Text;
        switch (text.ToLowerInvariant())
        {
            case "" or "false" or "no" or "unspecified": return 0;
            case "true" or "yes": return 1;
            default:
                return NumberText.TryParse(text, out double share) && share is >= 0 and <= 1
                    ? (float)share
                    : throw Unexpected("neither 0 nor 1");
        }
    }

    /// <summary>An error in this element.</summary>
    public FormatException Error(string problem) => AnnotationError.At(File, Line, problem);

    private FormatException Unexpected(string what) => Error($"<{Element.Name}> holds {AnnotationError.Quote(Text)}, which is {what}");
}
