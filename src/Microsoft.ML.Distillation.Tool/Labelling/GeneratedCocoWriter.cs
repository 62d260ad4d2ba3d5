using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation.Tool.Labelling;

/// <summary>
/// Writes a data set that a detector labelled as COCO json, <c>annotations/instances_default.json</c>, however large it is: the images
/// are gone through twice and never held together. Each annotation has a "score", and "info" says where the labels come from. Images
/// stay where they are; their file names lead from the data set's folder to them.
/// </summary>
internal static class GeneratedCocoWriter
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the data set; the file is written beside its place and renamed.</summary>
    /// <param name="folder">The data set's folder.</param>
    /// <param name="classNames">The classes, numbered from 1 in their order.</param>
    /// <param name="images">The images, with sizes; gone through twice.</param>
    /// <param name="info">Where the labels come from.</param>
    public static WrittenAnnotations Write(
        string folder, IReadOnlyList<string> classNames, IEnumerable<GeneratedRow> images, IReadOnlyDictionary<string, string> info)
    {
        folder = Path.GetFullPath(folder);
        WrittenAnnotations written = null!;
        AtomicFile.Write(Path.Combine(folder, "annotations", "instances_default.json"), beside =>
        {
            using FileStream stream = new(beside, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 16);
            using var json = new Utf8JsonWriter(stream, Options);
            json.WriteStartObject();
            json.WriteStartObject("info");
            foreach ((string name, string value) in info) json.WriteString(name, value);
            json.WriteEndObject();
            WriteCategories(json, classNames);
            int count = WriteImages(json, folder, images);
            written = new WrittenAnnotations(count, WriteAnnotations(json, classNames, images), 0);
            json.WriteEndObject();
        });
        return written;
    }

    private static void WriteCategories(Utf8JsonWriter json, IReadOnlyList<string> classNames)
    {
        json.WriteStartArray("categories");
        for (int i = 0; i < classNames.Count; i++)
        {
            json.WriteStartObject();
            json.WriteNumber("id", i + 1);
            json.WriteString("name", classNames[i]);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static int WriteImages(Utf8JsonWriter json, string folder, IEnumerable<GeneratedRow> images)
    {
        int count = 0;
        json.WriteStartArray("images");
        foreach (GeneratedRow image in images)
        {
            json.WriteStartObject();
            json.WriteNumber("id", ++count);
            json.WriteString("file_name", Path.GetRelativePath(folder, image.ImagePath).Replace('\\', '/'));
            json.WriteNumber("width", image.ImageWidth);
            json.WriteNumber("height", image.ImageHeight);
            json.WriteEndObject();
            PassOn(json);
        }

        json.WriteEndArray();
        return count;
    }

    private static int WriteAnnotations(Utf8JsonWriter json, IReadOnlyList<string> classNames, IEnumerable<GeneratedRow> images)
    {
        Dictionary<string, int> ids = classNames.Select((name, i) => (name, i)).ToDictionary(pair => pair.name, pair => pair.i + 1);
        int image = 0, count = 0;
        json.WriteStartArray("annotations");
        foreach (GeneratedRow annotated in images)
        {
            image++;
            for (int i = 0; i < annotated.Label.Length; i++)
            {
                json.WriteStartObject();
                json.WriteNumber("id", ++count);
                json.WriteNumber("image_id", image);
                json.WriteNumber("category_id", ids[annotated.Label[i]]);
                WriteObject(json, annotated.BoundingBoxes.AsSpan(4 * i, 4), annotated.LabelScore[i]);
                json.WriteEndObject();
                PassOn(json);
            }
        }

        json.WriteEndArray();
        return count;
    }

    private static void WriteObject(Utf8JsonWriter json, ReadOnlySpan<float> box, float score)
    {
        // Differences in double precision: the corners come back to the last bit.
        double width = (double)box[2] - box[0], height = (double)box[3] - box[1];
        json.WriteStartArray("bbox");
        foreach (double number in (ReadOnlySpan<double>)[box[0], box[1], width, height]) json.WriteNumberValue(number);
        json.WriteEndArray();
        json.WriteNumber("area", width * height);
        json.WriteNumber("iscrowd", 0);
        json.WriteNumber("score", score);
    }

    /// <summary>The writer keeps what it wrote until it is told to pass it on.</summary>
    private static void PassOn(Utf8JsonWriter json)
    {
        if (json.BytesPending > 1 << 16) json.Flush();
    }
}
