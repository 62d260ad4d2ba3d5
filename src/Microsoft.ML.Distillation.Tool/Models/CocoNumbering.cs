using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>The ids by which COCO's files know images and classes: numbers or texts, kept as they are written in json.</summary>
internal sealed class CocoNumbering
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Dictionary<string, string> _images;
    private readonly Dictionary<string, string> _classes;
    private readonly string _source;

    private CocoNumbering(string source, Dictionary<string, string> images, Dictionary<string, string> classes)
        => (_source, _images, _classes) = (source, images, classes);

    /// <summary>Images and classes counted from 1.</summary>
    public static CocoNumbering Counted(IReadOnlyList<string> files, IReadOnlyList<string> classNames) => new(
        "",
        files.Select((file, i) => (Name: Path.GetFileName(file), Id: $"{i + 1}")).ToDictionary(pair => pair.Name, pair => pair.Id),
        classNames.Select((name, i) => (Name: name, Id: $"{i + 1}")).ToDictionary(pair => pair.Name, pair => pair.Id));

    /// <summary>The ids of an annotation file: images by file name, classes by name.</summary>
    /// <exception cref="FormatException">It is no such file, or two images or two classes have the same name.</exception>
    public static CocoNumbering From(string path)
    {
        try
        {
            using FileStream stream = File.OpenRead(path);
            using var json = JsonDocument.Parse(stream);
            return new CocoNumbering(path, IdsIn(path, json.RootElement, "images", "file_name"),
                IdsIn(path, json.RootElement, "categories", "name"));
        }
        catch (JsonException error)
        {
            throw new FormatException($"{path}({(error.LineNumber ?? 0) + 1}): this is no well-formed json: {error.Message}", error);
        }
    }

    /// <summary>Writes detections as COCO's results, a list with image_id, category_id, bbox and score, beside the file's place and then
    /// renamed.</summary>
    /// <returns>The number of detections.</returns>
    /// <exception cref="FormatException">The annotation file does not list an image or a class.</exception>
    public int Write(string path, IEnumerable<DetectedImage> images)
    {
        int count = 0;
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, Options))
        {
            json.WriteStartArray();
            foreach (DetectedImage found in images)
            {
                string file = Path.GetFileName(found.ImagePath);
                for (int i = 0; i < found.Labels.Length; i++, count++) WriteDetection(json, file, found, i);
            }

            json.WriteEndArray();
        }

        AtomicFile.Write(path, stream.GetBuffer().AsSpan(0, (int)stream.Length));
        return count;
    }

    private void WriteDetection(Utf8JsonWriter json, string file, DetectedImage found, int i)
    {
        ReadOnlySpan<float> box = found.Boxes.AsSpan(4 * i, 4);
        json.WriteStartObject();
        json.WritePropertyName("image_id");
        json.WriteRawValue(IdOf(_images, file, "image"));
        json.WritePropertyName("category_id");
        json.WriteRawValue(IdOf(_classes, found.Labels[i], "category"));
        json.WriteStartArray("bbox");
        foreach (double number in (ReadOnlySpan<double>)[box[0], box[1], (double)box[2] - box[0], (double)box[3] - box[1]]) json
            .WriteNumberValue(number);
        json.WriteEndArray();
        json.WriteNumber("score", (double)found.Scores[i]);
        // Not COCO's, but allowed by it: the result can be read without a list of ids.
        json.WriteString("file_name", file);
        json.WriteEndObject();
    }

    private static Dictionary<string, string> IdsIn(string path, JsonElement root, string list, string member)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty(list, out JsonElement entries)
            || entries.ValueKind != JsonValueKind.Array)
            throw new FormatException($"{path}: there is no list '{list}'; a COCO annotation file is expected.");
        var ids = new Dictionary<string, string>(StringComparer.Ordinal);
        int index = 0;
        foreach (JsonElement entry in entries.EnumerateArray())
        {
            if (entry.ValueKind != JsonValueKind.Object || !entry.TryGetProperty("id", out JsonElement id)
                || id.ValueKind is not (JsonValueKind.Number or JsonValueKind.String)
                || !entry.TryGetProperty(member, out JsonElement named) || named.ValueKind != JsonValueKind.String)
            {
                throw new FormatException($"{path}: {list}[{index}] has no id or no {member}.");
            }

            string text = named.GetString()!, name = list == "images" ? text[(text.LastIndexOfAny(['/', '\\']) + 1)..] : text;
            if (!ids.TryAdd(name, id.GetRawText()))
                throw new FormatException($"{path}: the {list} {ids[name]} and {id.GetRawText()} have the same name '{name}', so it does "
                    + $"not tell which is meant.");
            index++;
        }

        return ids;
    }

    private string IdOf(Dictionary<string, string> ids, string name, string what)
        => ids.TryGetValue(name, out string? id) ? id : throw new FormatException($"{_source} lists no {what} '{name}'.");
}
