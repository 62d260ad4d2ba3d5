using System.Globalization;
using System.Text.Json.Nodes;

namespace Microsoft.ML.Distillation.Tool.Display;

/// <summary>One class's figures of a metric.</summary>
/// <param name="Name">The class.</param>
/// <param name="Figures">The figures.</param>
/// <param name="Curves">Precision against recall under the name of what differs between the curves: an IoU threshold or a
/// difficulty.</param>
/// <param name="Printed">How many of the figures are printed; the others are for the file.</param>
internal sealed record ClassFigures(
    string Name, IReadOnlyList<(string Name, double Value)> Figures, IReadOnlyList<(string Name, PrecisionRecallCurve Curve)> Curves,
    int Printed = int.MaxValue);

/// <summary>The figures of one kind of metric, under the names that the field gives them.</summary>
/// <param name="Metric">coco, voc07, voc12, kitti or ilsvrc.</param>
/// <param name="Overall">The figures over all classes; not a number where there is nothing to measure.</param>
/// <param name="Classes">The figures of each class.</param>
internal sealed record MetricFigures(string Metric, IReadOnlyList<(string Name, double Value)> Overall, IReadOnlyList<ClassFigures> Classes)
{
    /// <summary>The names of the metrics.</summary>
    public static string[] Metrics { get; } = ["coco", "voc07", "voc12", "kitti", "ilsvrc"];

    /// <summary>The curves over all classes, where the metric has any.</summary>
    public IReadOnlyList<(string Name, PrecisionRecallCurve Curve)> Curves { get; init; } = [];

    /// <summary>Takes the figures of a metric.</summary>
    /// <exception cref="InvalidDataException">The metric measures none of the classes.</exception>
    public static MetricFigures Of(string metric, DetectionMetrics metrics) => metric switch
    {
        "voc07" => Voc(metric, metrics.Voc07),
        "voc12" => Voc(metric, metrics.Voc12),
        "kitti" => Kitti(metric, metrics.Kitti ?? throw new InvalidDataException(
            $"KITTI measures Car, Pedestrian and Cyclist, and the classes are {string.Join(", ", metrics.Classes.Select(c => c.Name))}.")),
        "ilsvrc" => new(
            metric,
            [("mAP", metrics.Ilsvrc.MeanAveragePrecision)],
            [.. metrics.Ilsvrc.Classes.Select(c => new ClassFigures(c.Name, [("AP", c.AveragePrecision)], [("by size", c.Curve)]))]),
        _ => Coco(metric, metrics.Coco),
    };

    /// <summary>Writes one figure a line, in per cent; a dash where there is nothing to measure.</summary>
    public void Write(TextWriter output)
    {
        int width = Math.Max(5, Overall.Max(figure => figure.Name.Length));
        foreach ((string name, double value) in Overall) output.WriteLine($"{name.PadRight(width)} {Format(value)}");
        int column = Classes.Select(c => c.Name.Length).DefaultIfEmpty(0).Max() + 1;
        foreach (ClassFigures c in Classes)
            output.WriteLine($"  {(c.Name + ':').PadRight(column)} {string.Join("  ", c.Figures.Take(c.Printed)
                .Select(figure => $"{figure.Name} {Format(figure.Value)}"))}");
    }

    private static MetricFigures Coco(string metric, CocoMetrics coco) => new(
        metric, Named(coco), [.. coco.Classes.Select(c => new ClassFigures(c.Name, Named(c), ByIou(c.Curves), Printed: 2))])
    {
        Curves = ByIou(coco.Curves),
    };

    private static (string, double)[] Named(CocoFigures coco) => [.. CocoFigures.Names.Zip(coco.Figures)];

    private static (string, PrecisionRecallCurve)[] ByIou(IReadOnlyList<PrecisionRecallCurve> curves)
        => [.. curves.Select((curve, t) => ((0.5 + 0.05 * t).ToString("0.00", CultureInfo.InvariantCulture), curve))];

    private static MetricFigures Voc(string metric, VocMetrics voc) => new(
        metric,
        [("mAP", voc.MeanAveragePrecision)],
        [.. voc.Classes.Select(c => new ClassFigures(c.Name, [("AP", c.AveragePrecision)], [("0.50", c.Curve)]))]);

    private static MetricFigures Kitti(string metric, KittiMetrics kitti)
    {
        (string Name, KittiLevelMetrics Level)[] levels = [("easy", kitti.Easy), ("moderate", kitti.Moderate), ("hard", kitti.Hard)];
        return new(
            metric,
            [.. levels.Select(l => ($"{l.Name} R40", l.Level.AveragePrecision40)),
                .. levels.Select(l => ($"{l.Name} R11", l.Level.AveragePrecision11))],
            [.. kitti.Easy.Classes.Select((c, i) => new ClassFigures(
                c.Name,
                [.. levels.Select(l => ($"{l.Name} R40", l.Level.Classes[i].AveragePrecision40)),
                    .. levels.Select(l => ($"{l.Name} R11", l.Level.Classes[i].AveragePrecision11))],
                [.. levels.Select(l => (l.Name, l.Level.Classes[i].Curve))]))]);
    }

    private static string Format(double value)
        => double.IsNaN(value) ? "     –" : (100 * value).ToString("0.0", CultureInfo.InvariantCulture).PadLeft(5) + " %";
}

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
                + $"{(double.IsNaN(kind.AveragePrecisionGain) ? "–" : $"{100 * kind.AveragePrecisionGain:+0.0;-0.0;0.0} points")}"));

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
