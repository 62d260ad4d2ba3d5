using System.Globalization;
using Microsoft.ML.Distillation.Reports.Plots;
using static Microsoft.ML.Distillation.Reports.Figures;

namespace Microsoft.ML.Distillation.Reports.Sections;

/// <summary>How training went: validation, learning rate, and for each model the terms of its loss and their shares.</summary>
internal static class TrainingSection
{
    /// <summary>Writes the section, where a model's training is known.</summary>
    public static void Write(HtmlWriter html, ReportContent content)
    {
        (ReportedModel Model, TrainingRecord Record)[] trained =
            [.. content.Models.Where(model => model.Training?.Losses.Length > 0).Select(model => (model, model.Training!))
                .OrderByDescending(pair => pair.model == content.Main)];
        if (trained.Length == 0) return;
        using IDisposable section = Section.Open(html, "training", "Training", "Point at a plot to read its values.");
        using IDisposable grid = html.Tag("div", ("class", "plots"));
        Validation(html, trained);
        LearningRate(html, trained);
        // A term has the same colour in every plot.
        string[] terms = [.. trained.SelectMany(pair => pair.Record.Terms).Distinct()];
        string Color(string term) => $"t{Array.IndexOf(terms, term) % 10}";
        foreach ((ReportedModel model, TrainingRecord record) in trained)
        {
            Terms(html, model, record, Color);
            Shares(html, model, record, Color);
        }
    }

    private static void Validation(HtmlWriter html, (ReportedModel Model, TrainingRecord Record)[] trained)
    {
        (ReportedModel Model, TrainingRecord Record)[] validated = [.. trained.Where(pair => pair.Record.Validations.Length > 0)];
        if (validated.Length == 0) return;
        Axis x = Steps(validated.Max(pair => pair.Record.Validations[^1].Step));
        var y = Axis.LinearTo(0, 100 * validated.Max(pair => pair.Record.Validations.Max(point => point.AveragePrecision)),
            PlotFrame.Bottom, PlotFrame.Top);
        using IDisposable frame = PlotFrame.Open(html, "Validation AP", x, "step", y, null,
            [.. validated.Select(pair => (pair.Model.Name + pair.Model.OfFirstSeed, pair.Model.Color))], yLabel: Axis.PercentLabel);
        LinePlot.Draw(html, x, y, [.. validated.Select(pair => new Series(
            pair.Model.Name, pair.Model.Color,
            [.. pair.Record.Validations.Select(point => ((double)point.Step, 100 * point.AveragePrecision))]))]);
        LinePlot.Bands(html, x, [.. validated.SelectMany(pair => pair.Record.Validations.Select(point => (pair.Model, Point: point)))
            .GroupBy(entry => entry.Point.Step).OrderBy(group => group.Key)
            .Select(group => ((double)group.Key, $"step {group.Key}, epoch {group.First().Point.Epoch}\n"
                + string.Join('\n', group.Select(entry
                    => $"{entry.Model.Name}: AP {Percent(entry.Point.AveragePrecision)}, AP50 "
                    + $"{Percent(entry.Point.AveragePrecision50)}"))))]);
    }

    private static void LearningRate(HtmlWriter html, (ReportedModel Model, TrainingRecord Record)[] trained)
    {
        Axis x = Steps(trained.Max(pair => pair.Record.Losses[^1].Step));
        var y = Axis.LinearTo(0, trained.Max(pair => pair.Record.Losses.Max(point => point.LearningRate)), PlotFrame.Bottom, PlotFrame.Top);
        using IDisposable frame = PlotFrame
            .Open(html, "Learning rate", x, "step", y, null, [.. trained.Select(pair => (pair.Model.Name, pair.Model.Color))]);
        LinePlot.Draw(html, x, y, [.. trained.Reverse().Select(pair => new Series(
            pair.Model.Name, pair.Model.Color, [.. pair.Record.Losses.Select(point => ((double)point.Step, point.LearningRate))]))]);
        LinePlot.Bands(html, x, [.. trained[0].Record.Losses
            .Select(point => ((double)point.Step, $"step {point.Step}: {Short(point.LearningRate)}"))]);
    }

    private static void Terms(HtmlWriter html, ReportedModel model, TrainingRecord record, Func<string, string> color)
    {
        Axis x = Steps(record.Losses[^1].Step);
        // A first step far above the rest would flatten all others.
        double[] highest = [.. record.Losses.Select(point => point.Losses.Max()).Order()];
        double top = Math.Min(highest[^1], 1.6 * highest[(int)(0.97 * (highest.Length - 1))]);
        var y = Axis.LinearTo(0, top, PlotFrame.Bottom, PlotFrame.Top);
        using IDisposable frame = PlotFrame
            .Open(html, $"Loss: {model.Name}{model.OfFirstSeed}", x, "step", y, "each term with its weight", Legend(record, color));
        LinePlot.Draw(html, x, y, [.. record.Terms.Select((term, t) => new Series(
            term, color(term), [.. record.Losses.Select(point => ((double)point.Step, Math.Min(point.Losses[t], top)))]))]);
        LinePlot.Bands(html, x, [.. record.Losses
            .Select(point => ((double)point.Step, Text(record, point, value => value.ToString("0.0000", CultureInfo.InvariantCulture))))]);
    }

    private static void Shares(HtmlWriter html, ReportedModel model, TrainingRecord record, Func<string, string> color)
    {
        LossPoint[] points = [.. record.Losses.Where(point => point.Losses.Sum() > 0)];
        if (points.Length == 0) return;
        Axis x = Steps(points[^1].Step);
        var y = Axis.Linear(0, 100, PlotFrame.Bottom, PlotFrame.Top);
        using IDisposable frame = PlotFrame.Open(html, $"Shares of the loss: {model.Name}{model.OfFirstSeed}", x, "step", y,
            "of the total", Legend(record, color), yLabel: Axis.PercentLabel);
        AreaPlot.Draw(html, x, y, [.. points.Select(point => (double)point.Step)], [.. record.Terms.Select((term, t) =>
            (color(term), (IReadOnlyList<double>)[.. points
                .Select(point => 100 * Math.Max(0, point.Losses[t]) / point.Losses.Sum(value => Math.Max(0, value)))]))]);
        LinePlot.Bands(html, x, [.. points
            .Select(point => ((double)point.Step, Text(record, point, value => Percent(value / point.Losses.Sum()))))]);
    }

    private static Axis Steps(int last) => Axis.Linear(0, last, PlotFrame.Left, PlotFrame.Right);

    private static (string, string)[] Legend(TrainingRecord record, Func<string, string> color)
        => [.. record.Terms.Select(term => (term, color(term)))];

    private static string Text(TrainingRecord record, LossPoint point, Func<double, string> value)
        => $"to step {point.Step}\n" + string.Join('\n', record.Terms.Select((term, t) => $"{term}: {value(point.Losses[t])}"));
}

/// <summary>What is needed to do it again: the command, every setting with the seed, versions.</summary>
internal static class SettingsSection
{
    private const int LongText = 100;

    /// <summary>Writes the section, where anything is known.</summary>
    public static void Write(HtmlWriter html, ReportContent content)
    {
        ReportedModel[] trained = [.. content.Models.Where(model => model.Training is not null)];
        if (trained.Length == 0 && content.Command is null) return;
        using IDisposable section = Section.Open(html, "settings", "To do it again");
        if (content.Command is not null)
        {
            using IDisposable pre = html.Tag("pre");
            html.Leaf("code", content.Command);
        }

        if (trained.Length == 0) return;
        Settings(html, trained);
        Section.Pairs(html, "Versions", (trained.FirstOrDefault(model => model == content.Main) ?? trained[0]).Training!.Versions
            .Select(pair => (pair.Key, pair.Value)));
    }

    private static void Settings(HtmlWriter html, ReportedModel[] models)
    {
        using IDisposable scroll = html.Tag("div", ("class", "scroll"));
        using IDisposable table = html.Tag("table", ("class", "settings"));
        html.Leaf("caption", "Settings, also those that the data decided");
        using (html.Tag("thead"))
        using (html.Tag("tr"))
        {
            html.Leaf("th", "");
            foreach (ReportedModel model in models)
            {
                using IDisposable head = html.Tag("th");
                html.Leaf("span", model.Name, ("class", $"key {model.Color}"));
            }
        }

        using IDisposable body = html.Tag("tbody");
        // Whole descriptions of networks come last: what one looks for is short.
        bool IsLong(string name) => models.Any(model => model.Training!.Settings.GetValueOrDefault(name, "").Length > LongText);
        foreach (string name in models.SelectMany(model => model.Training!.Settings.Keys).Distinct().OrderBy(IsLong))
        {
            string? text = IsLong(name) ? "long" : null;
            string[] values = [.. models.Select(model => model.Training!.Settings.GetValueOrDefault(name, "–"))];
            using IDisposable row = html.Tag("tr");
            html.Leaf("th", name, ("scope", "row"));
            if (values.Distinct().Count() == 1)
            {
                html.Leaf("td", values[0], ("colspan", $"{values.Length}"), ("class", text));
                continue;
            }

            foreach (string value in values) html.Leaf("td", value, ("class", text ?? "differs"));
        }
    }
}
