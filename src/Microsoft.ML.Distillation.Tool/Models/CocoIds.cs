using Microsoft.ML.Distillation.Evaluation;

namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>The numbers by which COCO's files know images and classes.</summary>
internal sealed class CocoIds
{
    private readonly Dictionary<string, long> _images;
    private readonly Dictionary<string, long> _classes;
    private readonly string _source;

    private CocoIds(string source, Dictionary<string, long> images, Dictionary<string, long> classes)
        => (_source, _images, _classes) = (source, images, classes);

    /// <summary>Images and classes counted from 1.</summary>
    public static CocoIds Counted(IReadOnlyList<string> files, IReadOnlyList<string> classNames) => new(
        "",
        files.Select((file, i) => (Name: Path.GetFileName(file), Id: i + 1L)).ToDictionary(pair => pair.Name, pair => pair.Id),
        classNames.Select((name, i) => (Name: name, Id: i + 1L)).ToDictionary(pair => pair.Name, pair => pair.Id));

    /// <summary>The ids of an annotation file: images by file name, classes by name.</summary>
    public static CocoIds From(string source, CocoGroundTruth truth)
    {
        var images = new Dictionary<string, long>();
        foreach (CocoImage image in truth.Images) images[Path.GetFileName(image.FileName ?? "")] = image.Id;
        var classes = new Dictionary<string, long>();
        foreach (CocoCategory category in truth.Categories) classes[category.Name ?? ""] = category.Id;
        return new CocoIds(source, images, classes);
    }

    /// <summary>An image's detections in COCO's format.</summary>
    /// <exception cref="FormatException">The annotation file does not list the image or a class.</exception>
    public IEnumerable<CocoDetection> ToCoco(DetectedImage found)
    {
        string file = Path.GetFileName(found.ImagePath);
        return found.Labels.Select((name, i) =>
        {
            ReadOnlySpan<float> box = found.Boxes.AsSpan(4 * i, 4);
            return new CocoDetection
            {
                ImageId = IdOf(_images, file, "image"),
                CategoryId = IdOf(_classes, name, "category"),
                Box = [box[0], box[1], (double)box[2] - box[0], (double)box[3] - box[1]],
                Score = found.Scores[i],
                FileName = file,
            };
        });
    }

    private long IdOf(Dictionary<string, long> ids, string name, string what)
        => ids.TryGetValue(name, out long id) ? id : throw new FormatException($"{_source} lists no {what} '{name}'.");
}
