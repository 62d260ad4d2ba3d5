using System.Globalization;
using System.Text.Json.Nodes;

namespace Microsoft.ML.Distillation.Tool.Display;

/// <summary>What a detector gets wrong: kinds of errors with their costs, and which classes are taken for which.</summary>
internal sealed record ErrorFigures(DetectionErrors Errors, ConfusionMatrix Confusion)
{
    private (string Name, DetectionErrorKind Kind)[] Kinds =>
    [
        ("classification", Errors.Classification), ("localisation", Errors.Localisation), ("both", Errors.Both),
        ("duplicate", Errors.Duplicate), ("background", Errors.Background), ("missed", Errors.Missed),
    ];

    /// <summary>Writes two tables: a line a kind with its count and what AP50 would gain without it; a line a class with what it was taken
    /// for.</summary>
    public void Write(TextWriter output)
    {
        output.WriteLine();
        output.WriteLine("errors (count, and what AP50 would gain without them)");
        foreach ((string name, DetectionErrorKind kind) in Kinds)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  {name,-14} {kind.Count,7}  "
                + $"{(double.IsNaN(kind.AveragePrecisionGain) ? -1 : kind.AveragePrecisionGain):+0.000000;-0.000000;0.000000}"));

        output.WriteLine();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"confusion (rows: objects, columns: detections of score {Confusion.ScoreThreshold:0.##} or more at IoU "
                + $"{Confusion.IouThreshold:0.##} or more)"));
        string[] names = [.. Confusion.ClassNames, "(nothing)"];
        int width = Math.Max(7, names.Max(name => name.Length));
        output.WriteLine($"  {"",-12} {string.Join(' ', names.Select(name => name.PadLeft(width)))}".TrimEnd());
        for (int row = 0; row < Confusion.Counts.Count; row++)
        {
            string name = row == Confusion.Background ? "(nothing)" : Confusion.ClassNames[row];
            output.WriteLine($"  {name,-12} {string.Join(' ', Confusion.Counts[row]
                .Select(count => count.ToString(CultureInfo.InvariantCulture).PadLeft(width)))}");
        }
    }

    /// <summary>Adds both to a JSON object.</summary>
    public void AddTo(JsonObject json)
    {
        json["errors"] = new JsonObject(Kinds.Select(k => KeyValuePair.Create(k.Name, (JsonNode?)new JsonObject
        {
            ["count"] = k.Kind.Count,
            ["ap50Gain"] = double.IsNaN(k.Kind.AveragePrecisionGain) ? -1 : k.Kind.AveragePrecisionGain,
        })));
        json["confusion"] = new JsonObject
        {
            ["classes"] = new JsonArray([.. Confusion.ClassNames.Select(name => (JsonNode)name)]),
            ["scoreThreshold"] = Confusion.ScoreThreshold,
            ["iouThreshold"] = Confusion.IouThreshold,
            ["counts"] = new JsonArray([.. Confusion.Counts
                .Select(row => (JsonNode)new JsonArray([.. row.Select(count => (JsonNode)count)]))]),
        };
    }
}
