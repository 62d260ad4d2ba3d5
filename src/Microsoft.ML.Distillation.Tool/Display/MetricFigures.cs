using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Microsoft.ML.Distillation.Tool.Display;

/// <summary>The figures of one kind of metric, under the names that the field gives them.</summary>
/// <param name="Metric">coco, voc07, voc12, kitti or ilsvrc.</param>
/// <param name="Overall">The figures over all classes; not a number where there is nothing to measure.</param>
/// <param name="Classes">The figures of each class.</param>
internal sealed record MetricFigures(
    string Metric,
    IReadOnlyList<(string Name, double Value)> Overall,
    IReadOnlyList<(string Class, IReadOnlyList<(string Name, double Value)> Figures)> Classes)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>The names of the metrics.</summary>
    public static string[] Metrics { get; } = ["coco", "voc07", "voc12", "kitti", "ilsvrc"];

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
            [.. metrics.Ilsvrc.Classes.Select(c => (c.Name, (IReadOnlyList<(string, double)>)[("AP", c.AveragePrecision)]))]),
        _ => Coco(metric, metrics.Coco),
    };

    /// <summary>Writes one figure a line, with six decimals; -1 where there is nothing to measure, as COCO's own tool does.</summary>
    public void Write(TextWriter output)
    {
        int width = Math.Max(5, Overall.Max(figure => figure.Name.Length));
        foreach ((string name, double value) in Overall) output.WriteLine($"{name.PadRight(width)} {Format(value)}");
        foreach ((string className, IReadOnlyList<(string Name, double Value)> figures) in Classes)
            output.WriteLine($"  {className}: {string.Join("  ", figures.Select(figure => $"{figure.Name} {Format(figure.Value)}"))}");
    }

    /// <summary>Writes the figures as JSON, beside and then renamed.</summary>
    /// <param name="images">The number of images.</param>
    /// <param name="errors">Errors and confusions to write too.</param>
    public void WriteJson(string path, int images, ErrorFigures? errors)
    {
        var json = new JsonObject
        {
            ["metric"] = Metric,
            ["images"] = images,
            ["figures"] = Object(Overall),
            ["classes"] = new JsonArray([.. Classes.Select(c => (JsonNode)new JsonObject { ["name"] = c.Class, ["figures"] = Object(c.Figures) })]),
        };
        errors?.AddTo(json);
        Onnx.AtomicFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(json, Indented));
    }

    private static MetricFigures Coco(string metric, CocoMetrics coco) => new(
        metric,
        [
            ("AP", coco.AveragePrecision), ("AP50", coco.AveragePrecision50), ("AP75", coco.AveragePrecision75),
            ("APs", coco.AveragePrecisionSmall), ("APm", coco.AveragePrecisionMedium), ("APl", coco.AveragePrecisionLarge),
            ("AR1", coco.AverageRecall1), ("AR10", coco.AverageRecall10), ("AR100", coco.AverageRecall100),
            ("ARs", coco.AverageRecallSmall), ("ARm", coco.AverageRecallMedium), ("ARl", coco.AverageRecallLarge),
        ],
        [.. coco.Classes.Select(c => (c.Name, (IReadOnlyList<(string, double)>)[("AP", c.AveragePrecision), ("AP50", c.AveragePrecision50)]))]);

    private static MetricFigures Voc(string metric, VocMetrics voc) => new(
        metric,
        [("mAP", voc.MeanAveragePrecision)],
        [.. voc.Classes.Select(c => (c.Name, (IReadOnlyList<(string, double)>)[("AP", c.AveragePrecision)]))]);

    private static MetricFigures Kitti(string metric, KittiMetrics kitti)
    {
        (string Name, KittiLevelMetrics Level)[] levels = [("easy", kitti.Easy), ("moderate", kitti.Moderate), ("hard", kitti.Hard)];
        return new(
            metric,
            [.. levels.Select(l => ($"{l.Name} R40", l.Level.AveragePrecision40)), .. levels.Select(l => ($"{l.Name} R11", l.Level.AveragePrecision11))],
            [.. kitti.Easy.Classes.Select((c, i) => (c.Name, (IReadOnlyList<(string, double)>)
                [.. levels.Select(l => ($"{l.Name} R40", l.Level.Classes[i].AveragePrecision40)), .. levels.Select(l => ($"{l.Name} R11", l.Level.Classes[i].AveragePrecision11))]))]);
    }

    private static JsonObject Object(IReadOnlyList<(string Name, double Value)> figures)
        => new(figures.Select(figure => KeyValuePair.Create(figure.Name, (JsonNode?)JsonValue.Create(OrMinusOne(figure.Value)))));

    private static string Format(double value) => OrMinusOne(value).ToString("0.000000", CultureInfo.InvariantCulture);

    private static double OrMinusOne(double value) => double.IsNaN(value) ? -1 : value;
}
