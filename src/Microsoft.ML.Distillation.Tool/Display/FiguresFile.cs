using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation.Tool.Display;

/// <summary>
/// Figures as JSON: <c>metric</c>, <c>images</c>, <c>figures</c>, <c>precision</c>, and for each of <c>classes</c> its <c>objects</c>,
/// <c>detections</c>, <c>figures</c> and <c>precision</c>. <c>precision</c> has a list for each IoU threshold or difficulty, and stands
/// beside the <c>recalls</c> that it is read at: once for all where the metric fixes them, else in each class.
/// </summary>
internal static class FiguresFile
{
    /// <summary>Writes the file, beside its place and then renamed.</summary>
    /// <param name="figures">What was chosen of the metrics.</param>
    /// <param name="errors">Errors and confusions to write too.</param>
    public static void Write(string path, MetricFigures figures, DetectionMetrics metrics, ErrorFigures? errors)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("metric", figures.Metric);
            json.WriteNumber("images", metrics.Images);
            WriteFigures(json, figures.Overall);
            WriteScores(json, metrics.Scores);
            IReadOnlyList<double>? common = CommonRecalls(figures);
            if (common is not null) WriteList(json, "recalls", common);
            WriteCurves(json, figures.Curves);
            json.WriteStartArray("classes");
            for (int i = 0; i < figures.Classes.Count; i++)
            {
                ClassFigures c = figures.Classes[i];
                // Two classes of a file may have one name; KITTI measures some of the classes only, of different names.
                DetectionClassMetrics counts = metrics.Classes[i].Name == c.Name ? metrics.Classes[i]
                    : metrics.Classes.First(counted => counted.Name == c.Name);
                json.WriteStartObject();
                json.WriteString("name", c.Name);
                json.WriteNumber("objects", counts.Objects);
                json.WriteNumber("detections", counts.Detections);
                WriteFigures(json, c.Figures);
                WriteScores(json, counts.Scores);
                if (common is null && c.Curves.Count > 0) WriteList(json, "recalls", c.Curves[0].Curve.Recall);
                WriteCurves(json, c.Curves);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            WriteErrors(json, errors);
            json.WriteEndObject();
        }

        AtomicFile.Write(path, stream.GetBuffer().AsSpan(0, (int)stream.Length));
    }

    /// <summary>The figure, or -1 where there is nothing to measure, as COCO's own tool has it.</summary>
    public static double OrMinusOne(double value) => double.IsNaN(value) ? -1 : value;

    /// <summary>The recalls that all the curves are read at: COCO's 101 and KITTI's 41; null for metrics whose curves have points of their
    /// own.</summary>
    private static IReadOnlyList<double>? CommonRecalls(MetricFigures figures)
        => figures.Metric is "coco" or "kitti"
            ? figures.Classes.SelectMany(c => c.Curves).Select(curve => curve.Curve.Recall).FirstOrDefault(recalls => recalls.Count > 0)
            : null;

    private static void WriteFigures(Utf8JsonWriter json, IReadOnlyList<(string Name, double Value)> figures)
    {
        json.WriteStartObject("figures");
        foreach ((string name, double value) in figures) json.WriteNumber(name, OrMinusOne(value));
        json.WriteEndObject();
    }

    /// <summary>The score with the best F1 and what follows from it; nothing where there is no object or none is found.</summary>
    private static void WriteScores(Utf8JsonWriter json, ScoreAdvice advice)
    {
        if (double.IsNaN(advice.Best.Score)) return;
        json.WriteStartObject("bestScore");
        json.WriteNumber("score", advice.Best.Score);
        json.WriteNumber("precision", advice.Best.Precision);
        json.WriteNumber("recall", advice.Best.Recall);
        json.WriteNumber("f1", advice.Best.F1);
        json.WriteNumber("found", advice.Best.Found);
        json.WriteNumber("falseAlarms", advice.Best.FalseAlarms);
        json.WriteNumber("missed", advice.Best.Missed);
        json.WriteEndObject();
    }

    private static void WriteCurves(Utf8JsonWriter json, IReadOnlyList<(string Name, PrecisionRecallCurve Curve)> curves)
    {
        if (curves.Count == 0) return;
        json.WriteStartObject("precision");
        foreach ((string name, PrecisionRecallCurve curve) in curves) WriteList(json, name, curve.Precision);
        json.WriteEndObject();
    }

    /// <summary>A list on one line, with six decimals: a file of eighty classes has eighty thousand of these numbers.</summary>
    private static void WriteList(Utf8JsonWriter json, string name, IReadOnlyList<double> numbers)
    {
        json.WritePropertyName(name);
        json.WriteRawValue($"[{string.Join(',', numbers.Select(number => number.ToString("0.######", CultureInfo.InvariantCulture)))}]");
    }

    private static void WriteErrors(Utf8JsonWriter json, ErrorFigures? errors)
    {
        if (errors is null) return;
        var members = new JsonObject();
        errors.AddTo(members);
        foreach ((string name, JsonNode? value) in members)
        {
            json.WritePropertyName(name);
            value!.WriteTo(json);
        }
    }
}
