using Microsoft.ML.Distillation.Formats;

namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>The ids by which COCO's files know images and classes.</summary>
internal sealed class CocoNumbering
{
    private readonly Dictionary<string, CocoId> _images;
    private readonly Dictionary<string, CocoId> _classes;
    private readonly string _source;

    private CocoNumbering(string source, Dictionary<string, CocoId> images, Dictionary<string, CocoId> classes)
        => (_source, _images, _classes) = (source, images, classes);

    /// <summary>Images and classes counted from 1.</summary>
    public static CocoNumbering Counted(IReadOnlyList<string> files, IReadOnlyList<string> classNames) => new(
        "",
        files.Select((file, i) => (Name: Path.GetFileName(file), Id: new CocoId(i + 1))).ToDictionary(pair => pair.Name, pair => pair.Id),
        classNames.Select((name, i) => (Name: name, Id: new CocoId(i + 1))).ToDictionary(pair => pair.Name, pair => pair.Id));

    /// <summary>The ids of an annotation file: images by file name, classes by name.</summary>
    /// <exception cref="FormatException">It is no such file, or two images or two classes have the same name.</exception>
    public static CocoNumbering From(string path)
    {
        using FileStream stream = File.OpenRead(path);
        CocoFile file = CocoParser.Parse(stream, path);
        return new CocoNumbering(
            path, ById(path, "images", file.Images.Select(image => (Path.GetFileName(image.FileName), image.Id))),
            ById(path, "categories", file.Categories.Select(category => (category.Name, category.Id))));
    }

    /// <summary>An image's detections in COCO's format.</summary>
    /// <exception cref="FormatException">The annotation file does not list the image or a class.</exception>
    public IEnumerable<CocoDetection> ToCoco(DetectedImage found)
    {
        string file = Path.GetFileName(found.ImagePath);
        return found.Labels.Select((name, i) =>
        {
            ReadOnlySpan<float> box = found.Boxes.AsSpan(4 * i, 4);
            var place = new CocoBox(box[0], box[1], (double)box[2] - box[0], (double)box[3] - box[1]);
            return new CocoDetection(IdOf(_images, file, "image"), IdOf(_classes, name, "category"), place, found.Scores[i])
            {
                FileName = file,
            };
        });
    }

    private static Dictionary<string, CocoId> ById(string path, string what, IEnumerable<(string Name, CocoId Id)> entries)
    {
        var ids = new Dictionary<string, CocoId>(StringComparer.Ordinal);
        foreach ((string name, CocoId id) in entries)
        {
            if (!ids.TryAdd(name, id)) throw new FormatException($"{path}: the {what} {ids[name]} and {id} have the same name '{name}', so it does not tell which is meant.");
        }

        return ids;
    }

    private CocoId IdOf(Dictionary<string, CocoId> ids, string name, string what)
        => ids.TryGetValue(name, out CocoId id) ? id : throw new FormatException($"{_source} lists no {what} '{name}'.");
}
