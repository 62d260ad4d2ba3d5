using System.Text.Encodings.Web;
using System.Text.Json;

namespace Microsoft.ML.Distillation.Data.Formats;

/// <summary>
/// Writes COCO json: <c>annotations/instances_SPLIT.json</c>, and <c>images/SPLIT</c> for copied images. Images and annotations are
/// numbered from 1, categories from 1 in the order of their names. What COCO has no member for stands in "ignore" and in
/// "attributes", where this library and some tools read it.
/// </summary>
internal static class CocoWriter
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <inheritdoc cref="AnnotationWriter.Write"/>
    public static WrittenAnnotations Write(string folder, IEnumerable<AnnotatedImage> images, AnnotationWriterOptions options)
    {
        string split = options.Split ?? "default";
        using var files = new StagedFiles(folder);
        AnnotatedImage[] all = [.. images];
        string[] names = [.. all.Select(image => files.AddImage(image.ImagePath, options.CopyImages ? Path.Combine("images", split) : null))];
        IEnumerable<string> used = all.SelectMany(image => image.Objects).Select(item => item.Label).Where(label => label.Length > 0);
        string[] labels = [.. used.Distinct().Order(StringComparer.Ordinal)];
        int objects;
        using (FileStream stream = File.Create(files.Add(Path.Combine("annotations", $"instances_{split}.json"))))
        using (var json = new Utf8JsonWriter(stream, Options))
        {
            json.WriteStartObject();
            WriteImages(json, all, names);
            WriteCategories(json, labels);
            objects = WriteAnnotations(json, all, labels);
            json.WriteEndObject();
        }

        files.Commit();
        return new WrittenAnnotations(all.Length, objects, all.Sum(image => image.Objects.Count) - objects);
    }

    private static void WriteImages(Utf8JsonWriter json, AnnotatedImage[] images, string[] names)
    {
        json.WriteStartArray("images");
        for (int i = 0; i < images.Length; i++)
        {
            ImageSize size = StagedFiles.SizeOf(images[i]);
            json.WriteStartObject();
            json.WriteNumber("id", i + 1);
            json.WriteString("file_name", names[i]);
            json.WriteNumber("width", size.Width);
            json.WriteNumber("height", size.Height);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteCategories(Utf8JsonWriter json, string[] labels)
    {
        json.WriteStartArray("categories");
        for (int i = 0; i < labels.Length; i++)
        {
            json.WriteStartObject();
            json.WriteNumber("id", i + 1);
            json.WriteString("name", labels[i]);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static int WriteAnnotations(Utf8JsonWriter json, AnnotatedImage[] images, string[] labels)
    {
        int count = 0;
        json.WriteStartArray("annotations");
        for (int i = 0; i < images.Length; i++)
        {
            foreach (AnnotatedObject item in images[i].Objects.Where(item => item.Label.Length > 0))
            {
                json.WriteStartObject();
                json.WriteNumber("id", ++count);
                json.WriteNumber("image_id", i + 1);
                json.WriteNumber("category_id", Array.BinarySearch(labels, item.Label, StringComparer.Ordinal) + 1);
                WriteObject(json, item);
                json.WriteEndObject();
            }

            // The writer keeps what it wrote until it is told to pass it on.
            if (json.BytesPending > 1 << 16) json.Flush();
        }

        json.WriteEndArray();
        return count;
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
        if (item.Ignore) json.WriteNumber("ignore", 1);
        if (!item.Difficult && item is { Truncated: 0, Occluded: 0 }) return;
        json.WriteStartObject("attributes");
        if (item.Difficult) json.WriteBoolean("difficult", true);
        if (item.Truncated > 0) json.WriteNumber("truncated", item.Truncated);
        if (item.Occluded > 0) json.WriteNumber("occluded", item.Occluded);
        json.WriteEndObject();
    }
}
