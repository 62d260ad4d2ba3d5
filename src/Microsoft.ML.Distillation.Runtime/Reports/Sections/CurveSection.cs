using Microsoft.ML.Distillation.Reports.Plots;
using static Microsoft.ML.Distillation.Reports.Figures;

namespace Microsoft.ML.Distillation.Reports.Sections;

/// <summary>Precision against recall, models side by side.</summary>
internal static class CurveSection
{
    private const int MostClasses = 12;
    private const int At50 = 0;
    private const int At75 = 5;

    /// <summary>Writes the section, where models were measured.</summary>
    public static void Write(HtmlWriter html, ReportContent content)
    {
        ReportedModel[] models = [.. content.Models.Where(model => model.Metrics?.Coco.Curves.Count > 0)];
        if (models.Length == 0) return;
        using IDisposable section = Section.Open(
            html, "curves", "Precision and recall",
            "How many of its detections are right (upwards) when so many of the objects are to be found (across).");
        using (html.Tag("div", ("class", "plots")))
        {
            Plot(html, "All classes, IoU .50", models, model => model.Metrics!.Coco.Curves[At50]);
            Plot(html, "All classes, IoU .75", models, model => model.Metrics!.Coco.Curves[At75]);
        }

        string[] classes = [.. models[0].Metrics!.Coco.Classes.Where(c => c.Curves.Count > 0).Select(c => c.Name)];
        if (classes.Length is < 2 or > MostClasses) return;
        using IDisposable details = html.Tag("details");
        html.Leaf("summary", $"Each of the {classes.Length} classes, IoU .50");
        using IDisposable grid = html.Tag("div", ("class", "plots small"));
        foreach (string name in classes)
            Plot(html, name, [.. models.Where(model => CurveOf(model, name) is not null)], model => CurveOf(model, name)!);
    }

    private static PrecisionRecallCurve? CurveOf(ReportedModel model, string name)
        => model.Metrics!.Coco.Classes.FirstOrDefault(c => c.Name == name && c.Curves.Count > 0)?.Curves[At50];

    private static void Plot(HtmlWriter html, string title, ReportedModel[] models, Func<ReportedModel, PrecisionRecallCurve> curve)
    {
        Axis x = Axis.Linear(0, 1, PlotFrame.Left, PlotFrame.Right), y = Axis.Linear(0, 1, PlotFrame.Bottom, PlotFrame.Top);
        using IDisposable frame = PlotFrame
            .Open(html, title, x, "recall", y, "precision", [.. models.Select(model => (model.Name, model.Color))]);
        LinePlot.Draw(html, x, y, [.. models.Select(model => new Series(model.Name, model.Color, Reached(curve(model))))]);
        LinePlot.Bands(html, x, [.. Enumerable.Range(0, 21)
            .Select(i => (i / 20.0, $"recall {i * 5} %\n" + string.Join('\n', models.Select(model =>
            $"{model.Name}: precision {Percent(At(curve(model), i / 20.0))}"))))]);
    }

    /// <summary>The curve as far as it goes: where recall ends it falls to 0.</summary>
    private static (double, double)[] Reached(PrecisionRecallCurve curve)
    {
        (double Recall, double Precision)[] points = [.. curve.Recall.Zip(curve.Precision)];
        int end = Array.FindLastIndex(points, point => point.Precision > 0);
        return end < 0 ? [(0, 0)] : [.. points[..(end + 1)], (points[end].Recall, 0)];
    }

    private static double At(PrecisionRecallCurve curve, double recall)
    {
        for (int i = 0; i < curve.Recall.Count; i++)
        {
            if (curve.Recall[i] >= recall - 1e-9) return curve.Precision[i];
        }

        return 0;
    }
}
