using System.Text.Json;
using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation.Reports;

/// <summary>The figures of a report for other programs: fractions, and null for what is not known.</summary>
internal static class ReportJson
{
    private static readonly JsonSerializerOptions Indented
        = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>The file's content.</summary>
    public static byte[] ToBytes(ReportContent content) => JsonSerializer.SerializeToUtf8Bytes(new
    {
        content.Title,
        content.Made,
        HtmlReport.Version,
        content.Command,
        Images = content.Images.Count,
        Timings = content.Timings.Select(timing => new
        {
            timing.Model,
            timing.Device,
            System = timing.Platform,
            timing.Bytes,
            timing.Milliseconds,
            timing.Milliseconds95,
        }),
        Models = content.Models.Select(model => new
        {
            model.Name,
            Role = model.Role.ToString(),
            Ap = Known(model.AveragePrecision),
            Ap50 = Known(model.AveragePrecision50),
            Ap75 = Known(model.AveragePrecision75),
            ApSmall = Known(model.Metrics?.Coco.AveragePrecisionSmall),
            ApMedium = Known(model.Metrics?.Coco.AveragePrecisionMedium),
            ApLarge = Known(model.Metrics?.Coco.AveragePrecisionLarge),
            model.Parameters,
            model.Bytes,
            Milliseconds = Known(model.Milliseconds),
            BestScore = Best(model.Metrics?.Scores),
            Classes = model.Metrics?.Classes.Select(c => new
            {
                c.Name,
                c.Objects,
                Ap = Known(c.AveragePrecision),
                Ap50 = Known(c.AveragePrecision50),
                BestScore = Best(c.Scores),
            }),
            Seeds = model.Seeds.Select(seed => new { seed.Seed, Ap = Known(seed.AveragePrecision), Ap50 = Known(seed.AveragePrecision50) }),
        }),
    }, Indented);

    private static object? Best(ScoreAdvice? advice) => advice is null || double.IsNaN(advice.Best.Score) ? null : new
    {
        advice.Best.Score,
        Precision = Known(advice.Best.Precision),
        Recall = Known(advice.Best.Recall),
        F1 = Known(advice.Best.F1),
        advice.Best.Found,
        advice.Best.FalseAlarms,
        advice.Best.Missed,
    };

    private static double? Known(double? value) => value is { } number && double.IsFinite(number) ? number : null;
}

/// <summary>The files of a report.</summary>
internal static class ReportFiles
{
    /// <summary>Writes the page, and beside it its figures as json.</summary>
    public static void Write(string path, ReportContent content)
    {
        AtomicFile.Write(path, HtmlReport.ToBytes(content));
        string figures = Path.ChangeExtension(path, ".json");
        if (figures != path) AtomicFile.Write(figures, ReportJson.ToBytes(content));
    }
}
