using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Formats;

/// <summary>
/// Parses a COCO annotation file from a stream. Images need id and file_name, categories id and name, annotations image_id,
/// category_id and bbox or segmentation, whose box is then taken; id, area, iscrowd, ignore, score and attributes (difficult, truncated,
/// occluded) are read where they are, all else is passed over. To evaluate, names of files and classes are not needed, but all three
/// lists are.
/// </summary>
internal sealed class CocoParser
{
    private readonly string _file;
    private readonly bool _toEvaluate;
    private readonly CocoIds _imageIds = new();
    private readonly CocoIds _categoryIds = new();
    private readonly HashSet<CocoId> _annotationIds = [];
    private readonly HashSet<string> _fileNames = new(StringComparer.Ordinal);
    private readonly List<CocoImageEntry> _images = [];
    private readonly List<CocoCategoryEntry> _categories = [];
    private readonly List<CocoObjectEntry> _objects = [];
    private readonly List<(CocoBox, double?)> _measures = [];
    private readonly List<(int Index, ImageSize Size)> _maskSizes = [];
    private readonly HashSet<string> _listsRead = [];
    private readonly AnnotationNotes? _notes;
    private readonly List<(CocoId Image, string Fault)> _faults = [];

    private CocoParser(string file, bool toEvaluate, AnnotationNotes? notes)
        => (_file, _toEvaluate, _notes) = (file, toEvaluate, notes);

    private delegate void ElementReader(ref JsonTokens json, CocoElement element);

    /// <summary>Parses a file.</summary>
    /// <param name="file">Its name, for messages.</param>
    /// <param name="toEvaluate">
    /// Whether detections are to be held against it: names may be missing, and <see cref="CocoFile.Measures"/> is filled.
    /// </param>
    /// <param name="notes">Takes what is wrong with an element, which is then left out.</param>
    /// <exception cref="FormatException">It is not a COCO annotation file; the message names file, line and element.</exception>
    public static CocoFile Parse(Stream stream, string file, bool toEvaluate = false, AnnotationNotes? notes = null)
    {
        var parser = new CocoParser(file, toEvaluate, notes);
        try
        {
            var json = new JsonTokens(stream, file);
            parser.ReadRoot(ref json);
        }
        catch (JsonException exception)
        {
            throw AnnotationError.Malformed(file, exception);
        }

        List<CocoObjectEntry> objects = parser.Resolved();
        return new CocoFile(parser._images, parser._categories, objects)
        {
            Measures = parser._measures,
            Faults = parser._faults.ToLookup(pair => pair.Image, pair => pair.Fault),
        };
    }

    private void ReadRoot(ref JsonTokens json)
    {
        json.Read();
        if (json.Type != JsonTokenType.StartObject)
            throw AnnotationError.At(_file, json.Line, "an object with images, categories and annotations is expected");
        while (json.NextMember())
        {
            if (json.Enter("images"u8)) ReadList(ref json, "images", ReadImage);
            else if (json.Enter("categories"u8)) ReadList(ref json, "categories", ReadCategory);
            else if (json.Enter("annotations"u8)) ReadList(ref json, "annotations", ReadAnnotation);
            else json.Skip();
        }

        int line = json.Line;
        json.Read();
        foreach (string list in _toEvaluate ? ["images", "categories", "annotations"] : (string[])["images"])
        {
            if (!_listsRead.Contains(list)) throw AnnotationError.At(_file, line, $"the file has no list of {list}");
        }
    }

    private void ReadList(ref JsonTokens json, string list, ElementReader read)
    {
        if (!_listsRead.Add(list)) throw AnnotationError.At(_file, json.Line, $"the file has two lists of {list}");
        if (json.Type != JsonTokenType.StartArray) throw AnnotationError.At(_file, json.Line, $"{list} is no list");
        for (int i = 0; json.Read() && json.Type != JsonTokenType.EndArray; i++)
        {
            var element = new CocoElement(list, i, json.Line);
            int depth = json.Depth;
            try
            {
                if (json.Type != JsonTokenType.StartObject) throw element.Error(ref json, "is no object");
                read(ref json, element);
            }
            catch (FormatException fault) when (_notes?.Takes(fault, _file) == true)
            {
                json.Leave(depth);
            }
        }
    }

    private void ReadImage(ref JsonTokens json, CocoElement image)
    {
        CocoId? id = null;
        string? name = null;
        int width = 0, height = 0;
        while (json.NextMember())
        {
            if (json.Enter("id"u8)) id = image.Id(ref json, "id");
            else if (json.Enter("file_name"u8)) name = image.Name(ref json, "file_name");
            else if (json.Enter("width"u8)) width = image.Side(ref json, "width");
            else if (json.Enter("height"u8)) height = image.Side(ref json, "height");
            else json.Skip();
        }

        if (id is null) throw image.Error(ref json, "has no id");
        if (name is null && !_toEvaluate) throw image.Error(ref json, "has no file_name");
        if (!_imageIds.Define(id.Value, _images.Count)) throw image.Error(ref json, $"has the id {id} of another image");
        if (name is not null && !_fileNames.Add(name))
            throw image.Error(ref json, $"has the file_name {AnnotationError.Quote(name)} of another image");
        _images.Add(new CocoImageEntry(id.Value, name ?? "", width > 0 && height > 0 ? new ImageSize(width, height) : null, image.Line));
    }

    private void ReadCategory(ref JsonTokens json, CocoElement category)
    {
        CocoId? id = null;
        string? name = null, group = null;
        while (json.NextMember())
        {
            if (json.Enter("id"u8)) id = category.Id(ref json, "id");
            else if (json.Enter("name"u8)) name = category.Name(ref json, "name");
            else if (json.Enter("supercategory"u8)) group = Leniently(ref json);
            else json.Skip();
        }

        if (id is null) throw category.Error(ref json, "has no id");
        if (name is null && !_toEvaluate) throw category.Error(ref json, "has no name");
        if (!_categoryIds.Define(id.Value, _categories.Count)) throw category.Error(ref json, $"has the id {id} of another category");
        _categories.Add(new CocoCategoryEntry(id.Value, name ?? $"category {id}", group == name ? null : group));

        static string? Leniently(ref JsonTokens json)
        {
            string? text = json.Text();
            json.Skip();
            return text;
        }
    }

    private void ReadAnnotation(ref JsonTokens json, CocoElement annotation)
    {
        CocoId? id = null, image = null, category = null;
        CocoBox? box = null;
        CocoOutline outline = default;
        double? area = null;
        var flags = default(AnnotatedObject);
        FormatException? wrong = null;
        while (json.NextMember())
        {
            int depth = json.Depth;
            try
            {
                if (json.Enter("id"u8)) id = annotation.OptionalId(ref json, "id");
                else if (json.Enter("image_id"u8)) image = annotation.Id(ref json, "image_id");
                else if (json.Enter("category_id"u8)) category = annotation.Id(ref json, "category_id");
                else if (json.Enter("bbox"u8)) box = annotation.OptionalBox(ref json);
                else if (box is null && json.Enter("segmentation"u8)) outline = CocoOutline.Read(ref json);
                else if (json.Enter("area"u8)) area = annotation.Area(ref json);
                else if (json.Enter("iscrowd"u8)) flags = flags with { Crowd = annotation.Flag(ref json, "iscrowd") };
                else if (json.Enter("ignore"u8)) flags = flags with { Ignore = annotation.Flag(ref json, "ignore") };
                else if (json.Enter("score"u8)) flags = flags with { Score = (float?)json.Number() };
                else if (json.Enter("attributes"u8)) flags = CocoElement.Attributes(ref json, flags);
                else json.Skip();
            }
            catch (FormatException fault) when (_notes?.Takes(fault, _file) == true)
            {
                // The other members say which image it is of.
                wrong = fault;
                json.Leave(depth);
            }
        }

        try
        {
            if (wrong is not null) throw wrong;
            if (image is null) throw annotation.Error(ref json, "has no image_id");
            if (category is null) throw annotation.Error(ref json, "has no category_id");
            if ((box ?? outline.Box) is not { } place)
            {
                throw annotation.Error(
                    ref json, outline.Problem is { } problem ? $"has no bbox, and {problem}" : "has neither a bbox nor a segmentation");
            }

            if (id is not null && !_annotationIds.Add(id.Value)) throw annotation.Error(ref json, $"has the id {id} of another annotation");
            AnnotatedObject whole = flags with
            {
                Label = "",
                X0 = (float)place.X,
                Y0 = (float)place.Y,
                X1 = (float)place.X1,
                Y1 = (float)place.Y1,
                Area = (float?)area,
                OfOutline = box is null,
            };
            if (box is null && outline.MaskSize is { } mask) _maskSizes.Add((_objects.Count, mask));
            if (_toEvaluate) _measures.Add((place, area));
            _objects.Add(new CocoObjectEntry(_imageIds.Mention(image.Value), _categoryIds.Mention(category.Value), annotation.Line, whole));
        }
        catch (FormatException fault) when (_notes?.Takes(fault, _file) == true)
        {
            if (image is { } known) _faults.Add((known, fault.Message));
        }
    }

    /// <summary>The objects with indices of images and categories in the place of ids, which may come late in the file.</summary>
    private List<CocoObjectEntry> Resolved()
    {
        var resolved = new List<CocoObjectEntry>(_objects.Count);
        for (int i = 0; i < _objects.Count; i++)
        {
            CocoObjectEntry entry = _objects[i];
            try
            {
                int image = _imageIds.IndexOf(entry.Image) ?? throw Missing(i, $"the image {_imageIds.IdOf(entry.Image)}");
                int category = _categoryIds.IndexOf(entry.Category)
                    ?? throw Missing(i, $"the category {_categoryIds.IdOf(entry.Category)}");
                resolved.Add(entry with { Image = image, Category = category });
            }
            catch (FormatException fault) when (_notes?.Takes(fault, _file) == true)
            {
                if (_imageIds.IndexOf(entry.Image) is { } image) _faults.Add((_images[image].Id, fault.Message));
            }
        }

        foreach ((int index, ImageSize mask) in _maskSizes)
        {
            if (_imageIds.IndexOf(_objects[index].Image) is not { } image || _images[image].Size is not { } size || size == mask) continue;
            _notes?.Count(
                "Annotations whose mask is of another size than its image; their boxes are those of the mask",
                string.Create(CultureInfo.InvariantCulture,
                    $"{_file}({_objects[index].Line}): a mask of {mask} of the image of {size} pixels "
                    + $"{AnnotationError.Quote(_images[image].FileName)}"));
        }

        return resolved;
    }

    private FormatException Missing(int index, string what)
        => AnnotationError.At(_file, _objects[index].Line, $"annotations[{index}] belongs to {what}, which the file does not have");
}

/// <summary>Writes the members of COCO json that all its writers have.</summary>
internal static class CocoMembers
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A writer into a stream, that keeps names readable.</summary>
    public static Utf8JsonWriter WriterOf(Stream stream) => new(stream, Options);

    /// <summary>The member "categories": the names, numbered from 1.</summary>
    public static void WriteCategories(Utf8JsonWriter json, IReadOnlyList<string> labels)
    {
        json.WriteStartArray("categories");
        for (int i = 0; i < labels.Count; i++)
        {
            json.WriteStartObject();
            json.WriteNumber("id", i + 1);
            json.WriteString("name", labels[i]);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>An element of "images".</summary>
    public static void WriteImage(Utf8JsonWriter json, int id, string fileName, ImageSize size)
    {
        json.WriteStartObject();
        json.WriteNumber("id", id);
        json.WriteString("file_name", fileName);
        json.WriteNumber("width", size.Width);
        json.WriteNumber("height", size.Height);
        json.WriteEndObject();
        PassOn(json);
    }

    /// <summary>An element of "annotations".</summary>
    public static void WriteAnnotation(Utf8JsonWriter json, int id, int image, int category, AnnotatedObject item)
    {
        json.WriteStartObject();
        json.WriteNumber("id", id);
        json.WriteNumber("image_id", image);
        json.WriteNumber("category_id", category);
        WriteObject(json, item);
        json.WriteEndObject();
        PassOn(json);
    }

    /// <summary>The writer keeps what it wrote until it is told to pass it on.</summary>
    private static void PassOn(Utf8JsonWriter json)
    {
        if (json.BytesPending > 1 << 16) json.Flush();
    }

    private static void WriteObject(Utf8JsonWriter json, AnnotatedObject item)
    {
        // Differences in double precision: the corners come back to the last bit.
        double width = (double)item.X1 - item.X0, height = (double)item.Y1 - item.Y0;
        json.WriteStartArray("bbox");
        foreach (double number in (ReadOnlySpan<double>)[item.X0, item.Y0, width, height]) json.WriteNumberValue(number);
        json.WriteEndArray();
        json.WriteNumber("area", item.Area ?? width * height);
        json.WriteNumber("iscrowd", item.Crowd ? 1 : 0);
        if (item.Score is float score) json.WriteNumber("score", score);
        if (item.Ignore) json.WriteNumber("ignore", 1);
        if (!item.Difficult && item is { Truncated: 0, Occluded: 0 }) return;
        json.WriteStartObject("attributes");
        if (item.Difficult) json.WriteBoolean("difficult", true);
        if (item.Truncated > 0) json.WriteNumber("truncated", item.Truncated);
        if (item.Occluded > 0) json.WriteNumber("occluded", item.Occluded);
        json.WriteEndObject();
    }
}
