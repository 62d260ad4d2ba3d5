using System.Text.Json;

namespace Microsoft.ML.Distillation.Formats;

/// <summary>
/// Writes COCO json: <c>annotations/instances_SPLIT.json</c>, and <c>images/SPLIT</c> for copied images. Images and annotations are
/// numbered from 1, categories from 1 in the order of their names. What COCO has no member for stands in "ignore" and in
/// "attributes", where this library and some tools read it.
/// </summary>
internal static class CocoWriter
{
    /// <inheritdoc cref="AnnotationWriter.Write"/>
    public static WrittenAnnotations Write(string folder, IEnumerable<AnnotatedImage> images, AnnotationWriterOptions options)
    {
        string split = options.Split ?? "default";
        using var files = new StagedFiles(folder, options);
        AnnotatedImage[] all = [.. images];
        string? copies = options.CopyImages ? Path.Combine("images", split) : null;
        string[] names = [.. all.Select(image => files.AddImage(image.ImagePath, copies))];
        IEnumerable<string> used = all.SelectMany(image => image.Objects).Select(item => item.Label).Where(label => label.Length > 0);
        string[] labels = [.. used.Distinct().Order(StringComparer.Ordinal)];
        int objects;
        using (FileStream stream = File.Create(files.Add(Path.Combine("annotations", $"instances_{split}.json"))))
        using (Utf8JsonWriter json = CocoMembers.WriterOf(stream))
        {
            json.WriteStartObject();
            WriteImages(json, all, names);
            CocoMembers.WriteCategories(json, labels);
            objects = WriteAnnotations(json, all, labels);
            json.WriteEndObject();
        }

        files.Commit();
        return new WrittenAnnotations(all.Length, objects, all.Sum(image => image.Objects.Count) - objects);
    }

    private static void WriteImages(Utf8JsonWriter json, AnnotatedImage[] images, string[] names)
    {
        json.WriteStartArray("images");
        for (int i = 0; i < images.Length; i++) CocoMembers.WriteImage(json, i + 1, names[i], StagedFiles.SizeOf(images[i]));
        json.WriteEndArray();
    }

    private static int WriteAnnotations(Utf8JsonWriter json, AnnotatedImage[] images, string[] labels)
    {
        int count = 0;
        json.WriteStartArray("annotations");
        for (int i = 0; i < images.Length; i++)
        {
            foreach (AnnotatedObject item in images[i].Objects.Where(item => item.Label.Length > 0))
                CocoMembers.WriteAnnotation(json, ++count, i + 1, Array.BinarySearch(labels, item.Label, StringComparer.Ordinal) + 1, item);
        }

        json.WriteEndArray();
        return count;
    }
}
