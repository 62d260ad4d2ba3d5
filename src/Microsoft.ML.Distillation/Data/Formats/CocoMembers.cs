using System.Text.Encodings.Web;
using System.Text.Json;

namespace Microsoft.ML.Distillation.Data.Formats;

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
