using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Reports.Plots;
using static Microsoft.ML.Distillation.Reports.Figures;
using static Microsoft.ML.Distillation.Reports.HtmlWriter;

namespace Microsoft.ML.Distillation.Reports.Sections;

/// <summary>AP of each class: a row a class, a dot a model.</summary>
internal static class ClassSection
{
    private const double RowHeight = 26, Left = 120, Right = 462, Top = 26, ViewWidth = 480;

    /// <summary>Writes the section, where models were measured.</summary>
    public static void Write(HtmlWriter html, ReportContent content)
    {
        ReportedModel[] models = [.. content.Models.Where(model => model.Metrics is not null)];
        if (models.Length == 0) return;
        DetectionClassMetrics[] classes = [.. models.SelectMany(model => model.Metrics!.Classes).Where(c => c.Objects > 0)
            .GroupBy(c => c.Name).Select(group => group.First()).OrderByDescending(c => c.Objects)];
        if (classes.Length == 0) return;
        using IDisposable section = Section
            .Open(html, "classes", "Each class", "AP; the most frequent class of the test images first.");
        PlotFrame.Legend(html, [.. models.Select(model => (model.Name, model.Color))]);
        Dots(html, models, classes);
        using IDisposable details = html.Tag("details");
        html.Leaf("summary", "As a table");
        Table(html, models, classes);
    }

    private static void Dots(HtmlWriter html, ReportedModel[] models, DetectionClassMetrics[] classes)
    {
        double bottom = Top + RowHeight * classes.Length;
        double highest = models.SelectMany(model => classes.Select(c => Of(model, c.Name)?.AveragePrecision ?? 0)).Where(double.IsFinite)
            .DefaultIfEmpty(0).Max();
        var x = Axis.LinearTo(0, 100 * highest, Left, Right);
        using IDisposable figure = html.Tag("figure", ("class", "plot wide"));
        using IDisposable svg = html.Tag("svg", ("viewBox", $"0 0 {N(ViewWidth)} {N(bottom + 8)}"), ("role", "img"),
            ("aria-label", "AP of each class"));
        foreach (double tick in x.Ticks)
        {
            html.Leaf("line", null, ("class", "grid"), ("x1", N(x.At(tick))), ("x2", N(x.At(tick))), ("y1", N(Top)), ("y2", N(bottom)));
            html.Leaf("text", Axis.PercentLabel(tick), ("class", "tick middle"), ("x", N(x.At(tick))), ("y", N(Top - 8)));
        }

        for (int i = 0; i < classes.Length; i++)
        {
            double y = Top + RowHeight * (i + 0.5);
            html.Leaf("text", Shortened(classes[i].Name), ("class", "label end"), ("x", N(Left - 12)), ("y", N(y + 4)));
            (ReportedModel Model, double Ap)[] values =
                [.. models.Select(model => (model, Of(model, classes[i].Name)?.AveragePrecision ?? double.NaN))
                    .Where(pair => double.IsFinite(pair.Item2))];
            if (values.Length == 0) continue;
            html.Leaf("line", null, ("class", "range"), ("x1", N(x.At(100 * values.Min(v => v.Ap)))),
                ("x2", N(x.At(100 * values.Max(v => v.Ap)))), ("y1", N(y)), ("y2", N(y)));
            foreach ((ReportedModel model, double ap) in values)
            {
                using IDisposable point = html.Tag("g", ("class", $"point {model.Color}"));
                html.Leaf("title", $"{classes[i].Name}, {model.Name}: AP {Percent(ap)} "
                    + $"({Count(classes[i].Objects)} {Counted.Noun(classes[i].Objects, "object")})");
                html.Leaf("circle", null, ("cx", N(x.At(100 * ap))), ("cy", N(y)), ("r", "6"));
            }
        }
    }

    private static void Table(HtmlWriter html, ReportedModel[] models, DetectionClassMetrics[] classes)
    {
        using IDisposable scroll = html.Tag("div", ("class", "scroll"));
        using IDisposable table = html.Tag("table");
        using (html.Tag("thead"))
        using (html.Tag("tr"))
        {
            foreach (string head in (string[])["Class", "Objects", .. models.Select(model => $"{model.Name}: AP / AP50")]) html
                .Leaf("th", head);
        }

        using IDisposable body = html.Tag("tbody");
        foreach (DetectionClassMetrics c in classes)
        {
            using IDisposable row = html.Tag("tr");
            html.Leaf("th", c.Name, ("scope", "row"));
            html.Leaf("td", Count(c.Objects));
            foreach (ReportedModel model in models)
            {
                DetectionClassMetrics? own = Of(model, c.Name);
                html.Leaf("td", $"{Percent(own?.AveragePrecision)} / {Percent(own?.AveragePrecision50)}");
            }
        }
    }

    private static DetectionClassMetrics? Of(ReportedModel model, string name)
        => model.Metrics!.Classes.FirstOrDefault(c => c.Name == name);

    private static string Shortened(string name) => name.Length <= 15 ? name : name[..14] + "…";
}
