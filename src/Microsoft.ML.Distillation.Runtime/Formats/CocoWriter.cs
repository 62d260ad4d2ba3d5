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
        using var files = new StagedFiles(folder, options.Cancellation);
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

/// <summary>
/// Writes a data set that a detector labelled as COCO json, <c>annotations/instances_default.json</c>, however large it is: the images
/// are gone through twice and never held together. Each annotation has a "score", and "info" says where the labels come from. Images
/// stay where they are; their file names lead from the data set's folder to them.
/// </summary>
internal static class GeneratedCocoWriter
{
    /// <summary>Writes the data set; the file is written beside its place and renamed.</summary>
    /// <param name="folder">The data set's folder.</param>
    /// <param name="classNames">The classes, numbered from 1 in their order.</param>
    /// <param name="images">The images, with sizes; gone through twice.</param>
    /// <param name="info">Where the labels come from.</param>
    public static WrittenAnnotations Write(
        string folder, IReadOnlyList<string> classNames, IEnumerable<AnnotatedImage> images, IReadOnlyDictionary<string, string> info)
    {
        folder = Path.GetFullPath(folder);
        string path = Path.Combine(folder, "annotations", "instances_default.json");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        string beside = $"{path}.{Guid.NewGuid():N}";
        try
        {
            WrittenAnnotations written;
            using (FileStream stream = new(beside, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 16))
            using (Utf8JsonWriter json = CocoMembers.WriterOf(stream))
            {
                json.WriteStartObject();
                json.WriteStartObject("info");
                foreach ((string name, string value) in info) json.WriteString(name, value);
                json.WriteEndObject();
                CocoMembers.WriteCategories(json, classNames);
                int count = WriteImages(json, folder, images);
                written = new WrittenAnnotations(count, WriteAnnotations(json, classNames, images), 0);
                json.WriteEndObject();
            }

            File.Move(beside, path, overwrite: true);
            return written;
        }
        catch
        {
            File.Delete(beside);
            throw;
        }
    }

    private static int WriteImages(Utf8JsonWriter json, string folder, IEnumerable<AnnotatedImage> images)
    {
        int count = 0;
        json.WriteStartArray("images");
        foreach (AnnotatedImage image in images)
            CocoMembers.WriteImage(
                json, ++count, Path.GetRelativePath(folder, image.ImagePath).Replace('\\', '/'), StagedFiles.SizeOf(image));
        json.WriteEndArray();
        return count;
    }

    private static int WriteAnnotations(Utf8JsonWriter json, IReadOnlyList<string> classNames, IEnumerable<AnnotatedImage> images)
    {
        Dictionary<string, int> ids = classNames.Select((name, i) => (name, i)).ToDictionary(pair => pair.name, pair => pair.i + 1);
        int image = 0, count = 0;
        json.WriteStartArray("annotations");
        foreach (AnnotatedImage annotated in images)
        {
            image++;
            foreach (AnnotatedObject item in annotated.Objects) CocoMembers.WriteAnnotation(json, ++count, image, ids[item.Label], item);
        }

        json.WriteEndArray();
        return count;
    }
}
