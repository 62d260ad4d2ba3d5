using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Reports.Plots;
using static Microsoft.ML.Distillation.Reports.Figures;

namespace Microsoft.ML.Distillation.Reports.Sections;

/// <summary>From which score on detections are best taken for objects, and what that means in counts.</summary>
internal static class ScoreSection
{
    /// <summary>Writes the section, where a model was measured on objects.</summary>
    public static void Write(HtmlWriter html, ReportContent content)
    {
        ReportedModel[] models = [.. content.Models.Where(model => model.Metrics?.Scores.Points.Count > 0)];
        if (models.Length == 0) return;
        ReportedModel main = models.Contains(content.Main) ? content.Main : models[^1];
        using IDisposable section = Section.Open(html, "score", "Which score?", Sentence(main));
        Axis x = Axis.Linear(0, 1, PlotFrame.Left, PlotFrame.Right), y = Axis.Linear(0, 1, PlotFrame.Bottom, PlotFrame.Top);
        using (html.Tag("div", ("class", "plots")))
        using (PlotFrame.Open(html, "F1 against score", x, "score", y, "of all classes, at IoU .50",
            [.. models.Select(model => (model.Name, model.Color))]))
        {
            LinePlot.Draw(html, x, y, [.. models.Select(model => new Series(model.Name, model.Color,
                [.. model.Metrics!.Scores.Points.Select(point => (point.Score, double.IsNaN(point.F1) ? 0 : point.F1))]))]);
        }

        Table(html, main);
    }

    private static string Sentence(ReportedModel main)
    {
        ScoreAdvice advice = main.Metrics!.Scores;
        string what = double.IsNaN(advice.Best.Score)
            ? $"{main.Name} finds none of the {Count(advice.Objects)} {Counted.Noun(advice.Objects, "object")}, at any score."
            : $"{main.Name} does best from a score of {Short(advice.Best.Score)} on: of {Count(advice.Objects)} "
                + $"{Counted.Noun(advice.Objects, "object")} {Count(advice.Best.Found)} found, {Count(advice.Best.FalseAlarms)} "
                + $"{Counted.Noun(advice.Best.FalseAlarms, "false alarm")}.";
        return $"{what} The best is the highest F1, the harmonic mean of precision and recall.";
    }

    private static void Table(HtmlWriter html, ReportedModel main)
    {
        using IDisposable scroll = html.Tag("div", ("class", "scroll"));
        using IDisposable table = html.Tag("table");
        using (html.Tag("thead"))
        using (html.Tag("tr"))
        {
            foreach (string head in (string[])["Class", "Score", "Objects", "Found", "False alarms", "Precision", "Recall", "F1"])
                html.Leaf("th", head);
        }

        using IDisposable body = html.Tag("tbody");
        Row(html, "all", main.Metrics!.Scores);
        foreach (DetectionClassMetrics c in main.Metrics.Classes.Where(c => c.Scores.Objects > 0).OrderByDescending(c => c.Scores.Objects))
            Row(html, c.Name, c.Scores);
    }

    private static void Row(HtmlWriter html, string name, ScoreAdvice advice)
    {
        ScorePoint best = advice.Best;
        using IDisposable row = html.Tag("tr");
        html.Leaf("th", name, ("scope", "row"));
        foreach (string cell in (string[])[Short(best.Score), Count(advice.Objects), Count(best.Found), Count(best.FalseAlarms),
            Percent(best.Precision), Percent(best.Recall), Percent(best.F1)]) html.Leaf("td", cell);
    }
}
