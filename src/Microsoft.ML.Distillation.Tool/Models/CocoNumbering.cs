using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>The ids by which COCO's files know images and classes: numbers or texts, kept as they are written in json.</summary>
internal sealed class CocoNumbering
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Dictionary<string, ImageNumber> _images;
    private readonly Dictionary<string, string> _classes;
    private readonly string _source;

    private CocoNumbering(string source, Dictionary<string, ImageNumber> images, Dictionary<string, string> classes)
        => (_source, _images, _classes) = (source, images, classes);

    /// <summary>Images and classes counted from 1.</summary>
    /// <param name="files">The images that will be written, each once.</param>
    public static CocoNumbering Counted(IReadOnlyList<string> files, IReadOnlyList<string> classNames)
    {
        string? root = RootOf(files);
        return new CocoNumbering(
            "",
            files.Select((file, i) => (File: file, Number: new ImageNumber($"{i + 1}", NameOf(file, root))))
                .ToDictionary(pair => pair.File, pair => pair.Number),
            classNames.Select((name, i) => (Name: name, Id: $"{i + 1}")).ToDictionary(pair => pair.Name, pair => pair.Id));
    }

    /// <summary>The ids of an annotation file: classes by name; images by file name, equal names in different folders by their
    /// folders.</summary>
    /// <param name="files">The images that will be written, each once.</param>
    /// <exception cref="FormatException">It is no such file, does not list an image, or does not tell which is meant.</exception>
    public static CocoNumbering From(string path, IReadOnlyList<string> files)
    {
        try
        {
            if (FileKind.IsSpecial(path)) throw new FormatException($"'{path}' is a device, a pipe or a socket, not a file.");
            using FileStream stream = File.OpenRead(path);
            using var json = JsonDocument.Parse(stream);
            ILookup<string, (string Name, string Id)> images = IdsIn(path, json.RootElement, "images", "file_name")
                .ToLookup(entry => FileNames.Key(ImageNameIn(entry.Name)));
            var classes = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach ((string name, string id) in IdsIn(path, json.RootElement, "categories", "name"))
            {
                if (!classes.TryAdd(name, id)) throw Ambiguous(path, "categories", classes[name], id, name);
            }

            string? root = RootOf(files);
            return new CocoNumbering(
                path, files.ToDictionary(file => file, file => new ImageNumber(IdOf(path, file, images), NameOf(file, root))), classes);
        }
        catch (JsonException error)
        {
            throw new FormatException(
                $"{path}({(error.LineNumber ?? 0) + 1}): this is no well-formed json: {ShortText.Of(error.Message)}", error);
        }
        catch (InvalidOperationException error)
        {
            // A name or an escape in it that is no text.
            throw new FormatException($"{path}: a name is no text: {ShortText.Of(error.Message)}", error);
        }
    }

    /// <summary>The name under which an image is written: of equal names in different folders the folders are a part.</summary>
    /// <param name="root">What <see cref="RootOf"/> says of all images.</param>
    public static string NameOf(string file, string? root)
        => root is null ? Path.GetFileName(file) : Path.GetRelativePath(root, file).Replace('\\', '/');

    /// <summary>The folder to which names are relative where two images have the same name; else null.</summary>
    public static string? RootOf(IReadOnlyList<string> files)
        => files.Select(Path.GetFileName).Distinct(StringComparer.OrdinalIgnoreCase).Count() == files.Count
            ? null : InputImages.CommonFolder(files);

    /// <summary>Writes detections as COCO's results, a list with image_id, category_id, bbox and score, beside the file's place and then
    /// renamed.</summary>
    /// <returns>The number of detections.</returns>
    /// <exception cref="FormatException">The annotation file does not list a class.</exception>
    public int Write(string path, IEnumerable<DetectedImage> images)
    {
        using var stream = new MemoryStream();
        int count = Write(stream, images);
        AtomicFile.Write(path, stream.GetBuffer().AsSpan(0, (int)stream.Length));
        return count;
    }

    /// <summary>The same as one line of text.</summary>
    public int Write(TextWriter output, IEnumerable<DetectedImage> images)
    {
        using var stream = new MemoryStream();
        int count = Write(stream, images);
        output.WriteLine(System.Text.Encoding.UTF8.GetString(stream.GetBuffer().AsSpan(0, (int)stream.Length)));
        return count;
    }

    private int Write(MemoryStream stream, IEnumerable<DetectedImage> images)
    {
        int count = 0;
        using (var json = new Utf8JsonWriter(stream, Options))
        {
            json.WriteStartArray();
            foreach (DetectedImage found in images)
            {
                for (int i = 0; i < found.Labels.Length; i++, count++) WriteDetection(json, _images[found.ImagePath], found, i);
            }

            json.WriteEndArray();
        }

        return count;
    }

    private void WriteDetection(Utf8JsonWriter json, ImageNumber image, DetectedImage found, int i)
    {
        ReadOnlySpan<float> box = found.Boxes.AsSpan(4 * i, 4);
        json.WriteStartObject();
        json.WritePropertyName("image_id");
        json.WriteRawValue(image.Id);
        json.WritePropertyName("category_id");
        json.WriteRawValue(_classes.TryGetValue(found.Labels[i], out string? id)
            ? id : throw new FormatException($"{_source} lists no category '{found.Labels[i]}'."));
        json.WriteStartArray("bbox");
        foreach (double number in (ReadOnlySpan<double>)[box[0], box[1], (double)box[2] - box[0], (double)box[3] - box[1]]) json
            .WriteNumberValue(number);
        json.WriteEndArray();
        json.WriteNumber("score", (double)found.Scores[i]);
        // Not COCO's, but allowed by it: the result can be read without a list of ids.
        json.WriteString("file_name", image.Name);
        json.WriteEndObject();
    }

    private static List<(string Name, string Id)> IdsIn(string path, JsonElement root, string list, string member)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty(list, out JsonElement entries)
            || entries.ValueKind != JsonValueKind.Array)
            throw new FormatException($"{path}: there is no list '{list}'; a COCO annotation file is expected.");
        var ids = new List<(string Name, string Id)>();
        foreach (JsonElement entry in entries.EnumerateArray())
        {
            if (entry.ValueKind != JsonValueKind.Object || !entry.TryGetProperty("id", out JsonElement id)
                || id.ValueKind is not (JsonValueKind.Number or JsonValueKind.String)
                || !entry.TryGetProperty(member, out JsonElement named) || named.ValueKind != JsonValueKind.String)
            {
                throw new FormatException($"{path}: {list}[{ids.Count}] has no id or no {member}.");
            }

            ids.Add((named.GetString()!, id.GetRawText()));
        }

        return ids;
    }

    /// <summary>The id of the image with most folders, from the last one on, in common with a file's path.</summary>
    private static string IdOf(string path, string file, ILookup<string, (string Name, string Id)> images)
    {
        string[] place = Parts(Path.GetFullPath(file));
        (string Id, int Common)[] found = [.. images[FileNames.Key(Path.GetFileName(file))]
            .Select(entry => (entry.Id, InCommon(place, Parts(entry.Name)))).OrderByDescending(entry => entry.Item2)];
        return found switch
        {
            [] => throw new FormatException($"{path} lists no image '{Path.GetFileName(file)}'."),
            [var best, var next, ..] when best.Common == next.Common
                => throw Ambiguous(path, "images", best.Id, next.Id, Path.GetFileName(file)),
            _ => found[0].Id,
        };
    }

    private static int InCommon(string[] one, string[] other)
        => one.Reverse().Zip(other.Reverse()).TakeWhile(pair => pair.First == pair.Second).Count();

    private static string[] Parts(string path)
        => FileNames.Key(path).Split(['/', '\\'], StringSplitOptions.RemoveEmptyEntries);

    private static string ImageNameIn(string path) => path[(path.LastIndexOfAny(['/', '\\']) + 1)..];

    private static FormatException Ambiguous(string path, string list, string one, string other, string name)
        => new($"{path}: the {list} {ShortText.Of(one)} and {ShortText.Of(other)} have the same name '{ShortText.Of(name)}', so it does "
            + "not tell which is meant.");

    /// <summary>An image's id, as it stands in json, and the name it is written under.</summary>
    private sealed record ImageNumber(string Id, string Name);
}
