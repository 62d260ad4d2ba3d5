using Microsoft.ML.Distillation.Reports.Plots;
using static Microsoft.ML.Distillation.Reports.Figures;

namespace Microsoft.ML.Distillation.Reports.Sections;

/// <summary>Accuracy against what it costs, all models in one plot.</summary>
internal static class TradeOffSection
{
    // With even steps models that cost less than this share of the dearest would lie on the axis.
    private const double LeastShareInEvenSteps = 0.04;

    // What each is called and how it is known; the first that is known of most models is taken.
    private static readonly (string Name, string Unit, Func<ReportedModel, double?> Of)[] Costs =
    [
        ("time", "ms per image on this machine's CPU", model => model.Milliseconds),
        ("size", "million parameters", model => model.Parameters / 1e6),
        ("size", "MB", model => model.Bytes / 1e6),
    ];

    /// <summary>Writes the section, where there are models to compare.</summary>
    public static void Write(HtmlWriter html, ReportContent content)
    {
        ReportedModel[] measured = [.. content.Models.Where(model => double.IsFinite(model.AveragePrecision))];
        (string name, string unit, Func<ReportedModel, double?> cost) = Costs.MaxBy(cost => measured.Count(model => cost.Of(model) > 0));
        ReportedModel[] models = [.. measured.Where(model => cost(model) > 0)];
        if (models.Length < 2) return;
        double least = models.Min(model => cost(model)!.Value), most = models.Max(model => cost(model)!.Value);
        bool isEven = least >= most * LeastShareInEvenSteps;
        Axis x = isEven ? Axis.LinearTo(0, most * 1.02, PlotFrame.Left, PlotFrame.Right)
            : Axis.Logarithmic(least, most, PlotFrame.Left, PlotFrame.Right);
        double high = 100 * models.Max(model => model.AveragePrecision + Spread(model));
        var y = Axis.LinearTo(0, Math.Max(1, high), PlotFrame.Bottom, PlotFrame.Top);
        string absent = string.Join(", ", content.Models.Except(models).Select(model => model.Name));
        using IDisposable section = Section.Open(html, "trade-off", "Accuracy and cost",
            "Upwards is more accurate, to the left is cheaper."
            + (isEven ? " Both axes begin at 0." : " AP begins at 0; the axis of cost is logarithmic: equal steps are equal factors.")
            + (models.Any(model => Spread(model) > 0) ? " A line through a point is one standard deviation over the seeds." : "")
            + (absent.Length > 0 ? $" Not measured: {absent}." : ""));
        using IDisposable grid = html.Tag("div", ("class", "plots one"));
        using IDisposable frame = PlotFrame.Open(
            html, $"AP against {name}", x, isEven ? unit : $"{unit} (logarithmic)", y, "AP on the test images",
            yLabel: Axis.PercentLabel);
        ScatterPlot.Draw(html, x, y, [.. models.Select(model => new ScatterPoint(
            model.Name, model.Color, cost(model)!.Value, 100 * model.AveragePrecision,
            $"{model.Name}: AP {Percent(model.AveragePrecision)}, {Short(model.Milliseconds)} ms, {Megabytes(model.Bytes)} MB",
            100 * Spread(model)))]);
    }

    /// <summary>How far a model's AP spreads over its seeds: one standard deviation.</summary>
    private static double Spread(ReportedModel model)
    {
        if (model.Seeds.Count < 2) return 0;
        double mean = model.AveragePrecision;
        return Math.Sqrt(model.Seeds.Sum(seed => Math.Pow(seed.AveragePrecision - mean, 2)) / (model.Seeds.Count - 1));
    }
}
