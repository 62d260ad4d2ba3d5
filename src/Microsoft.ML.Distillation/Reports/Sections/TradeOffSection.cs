using Microsoft.ML.Distillation.Reports.Plots;
using static Microsoft.ML.Distillation.Reports.Figures;

namespace Microsoft.ML.Distillation.Reports.Sections;

/// <summary>Accuracy against what it costs: time and size.</summary>
internal static class TradeOffSection
{
    /// <summary>Writes the section, where there are models to compare.</summary>
    public static void Write(HtmlWriter html, ReportContent content)
    {
        ReportedModel[] models = [.. content.Models.Where(model => double.IsFinite(model.AveragePrecision) && model.Milliseconds > 0 && model.Bytes > 0)];
        if (models.Length < 2) return;
        using IDisposable section = Section.Open(html, "trade-off", "Accuracy and cost", "Upwards is more accurate, to the left is cheaper. Both axes of cost are logarithmic.");
        using IDisposable grid = html.Tag("div", ("class", "plots"));
        Plot(html, models, "AP against time", "ms per image", model => model.Milliseconds!.Value);
        Plot(html, models, "AP against size", "MB", model => model.Bytes!.Value / 1e6);
    }

    private static void Plot(HtmlWriter html, ReportedModel[] models, string title, string unit, Func<ReportedModel, double> cost)
    {
        var x = Axis.Logarithmic(models.Min(cost), models.Max(cost), PlotFrame.Left, PlotFrame.Right);
        double low = 100 * models.Min(model => model.AveragePrecision - Spread(model)), high = 100 * models.Max(model => model.AveragePrecision + Spread(model));
        double room = Math.Max(2, (high - low) * 0.25);
        var y = Axis.Linear(Math.Max(0, low - room), high + room, PlotFrame.Bottom, PlotFrame.Top);
        using IDisposable frame = PlotFrame.Open(html, title, x, unit, y, "AP on the test images, in per cent");
        ScatterPlot.Draw(html, x, y, [.. models.Select(model => new ScatterPoint(
            model.Name, model.Color, cost(model), 100 * model.AveragePrecision,
            $"{model.Name}: AP {Percent(model.AveragePrecision)}, {Short(model.Milliseconds)} ms, {Megabytes(model.Bytes)} MB", 100 * Spread(model)))]);
    }

    /// <summary>How far a model's AP spreads over its seeds: one standard deviation.</summary>
    private static double Spread(ReportedModel model)
    {
        if (model.Seeds.Count < 2) return 0;
        double mean = model.AveragePrecision;
        return Math.Sqrt(model.Seeds.Sum(seed => Math.Pow(seed.AveragePrecision - mean, 2)) / (model.Seeds.Count - 1));
    }
}
