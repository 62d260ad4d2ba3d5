using System.Text.Json;
using System.Text.Json.Serialization;

namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>Reads and writes COCO's JSON files.</summary>
internal static class CocoJson
{
    // NumPy writes NaN bare, which is no JSON; as a string it can be read.
    private static readonly JsonSerializerOptions Options = new()
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Reads an annotation file ("instances").</summary>
    /// <exception cref="FormatException">The file is not in COCO's format; the message names file, line and element.</exception>
    public static CocoGroundTruth ReadGroundTruth(string path)
    {
        var truth = Read<CocoGroundTruth>(path, "annotations (an object with images, categories and annotations)");
        CheckBoxes(path, truth.Annotations.Select(annotation => annotation?.Box), "annotations");
        CheckUnique(path, "images", truth.Images.Select(image => image?.Id));
        CheckUnique(path, "categories", truth.Categories.Select(category => category?.Id));
        return truth;
    }

    /// <summary>Reads a result file: an array of detections.</summary>
    /// <exception cref="FormatException">The file is not in COCO's format; the message names file, line and element.</exception>
    public static IReadOnlyList<CocoDetection> ReadDetections(string path)
    {
        var detections = Read<List<CocoDetection>>(path, "detections (an array of image_id, category_id, bbox, score)");
        CheckBoxes(path, detections.Select(detection => detection?.Box), "");
        return detections;
    }

    /// <summary>Writes a result file, beside and then renamed.</summary>
    public static void WriteDetections(string path, IEnumerable<CocoDetection> detections)
    {
        string full = Path.GetFullPath(path), beside = full + ".part";
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        using (FileStream stream = File.Create(beside)) JsonSerializer.Serialize(stream, detections, Options);
        File.Move(beside, full, overwrite: true);
    }

    private static T Read<T>(string path, string what)
    {
        try
        {
            using FileStream stream = File.OpenRead(path);
            return JsonSerializer.Deserialize<T>(stream, Options) ?? throw new FormatException($"{path}: this is not a file of COCO {what}, it holds only null.");
        }
        catch (JsonException error)
        {
            string place = error.LineNumber is long line ? $"({line + 1})" : "";
            string at = error.Path is { Length: > 0 } element ? $" at {element}" : "";
            throw new FormatException($"{path}{place}: this is not a file of COCO {what}{at}: {FirstSentence(error.Message)}", error);
        }
    }

    private static void CheckBoxes(string path, IEnumerable<double[]?> boxes, string list)
    {
        int index = 0;
        foreach (double[]? box in boxes)
        {
            if (box?.Length != 4)
                throw new FormatException($"{path}: the box of $.{list}[{index}] has {box?.Length ?? 0} numbers; a box is x, y, width, height.".Replace("$.[", "$[", StringComparison.Ordinal));
            index++;
        }
    }

    private static void CheckUnique(string path, string list, IEnumerable<long?> ids)
    {
        var seen = new HashSet<long>();
        foreach (long? id in ids)
        {
            if (id is null) throw new FormatException($"{path}: an element of {list} is null.");
            if (!seen.Add(id.Value)) throw new FormatException($"{path}: {list} has the id {id} twice.");
        }
    }

    private static string FirstSentence(string message)
    {
        int end = message.IndexOf(" Path:", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }
}
