using static Microsoft.ML.Distillation.Reports.Figures;
using static Microsoft.ML.Distillation.Reports.HtmlWriter;

namespace Microsoft.ML.Distillation.Reports.Sections;

/// <summary>What a person who decides reads first: one sentence, three figures, one table.</summary>
internal static class VerdictSection
{
    /// <summary>Writes the section.</summary>
    public static void Write(HtmlWriter html, ReportContent content)
    {
        using IDisposable section = html.Tag("section", ("id", "verdict"), ("class", "verdict"));
        (string sentence, string detail) = Sentence(content);
        html.Leaf("p", sentence, ("class", "headline"));
        html.Leaf("p", detail, ("class", "lede"));
        Cards(html, content);
        Table(html, content);
        Seeds(html, content);
    }

    /// <summary>The verdict in one sentence, and what is to be known beside it.</summary>
    internal static (string Sentence, string Detail) Sentence(ReportContent content)
    {
        ReportedModel main = content.Main;
        string ap = Percent(main.AveragePrecision);
        string measured = content.Images.Count > 0 ? $" on {Count(content.Images.Count)} test images" : "";
        if (!double.IsFinite(main.AveragePrecision)) return ($"{main.Name}: trained, not yet measured on test images", Course(main));
        string share = content.Find(DetectorRole.Teacher) is { } teacher && teacher.AveragePrecision > 0 && teacher != main
            ? $" It keeps {Percent(main.AveragePrecision / teacher.AveragePrecision)} of its teacher's AP{Cost(main, teacher)}."
            : "";
        share += Quantised(main, content.Find(DetectorRole.Quantised));
        if (content.Find(DetectorRole.Alone) is not { } alone || main.Role != DetectorRole.Distilled)
            return ($"{main.Name} reaches AP {ap}{measured}", $"AP50 {Percent(main.AveragePrecision50)}.{share}");

        PairedDifference gain = Difference(main, alone);
        string points = Hundredths(Math.Abs(gain.Mean));
        if (gain.Count > 1)
        {
            string figure = $"{Points(gain.Mean)} ±\u00A0{Hundredths(gain.HalfWidth)} points of AP over {gain.Count} seeds";
            string verdict = !gain.IsSure ? $"No clear difference: {figure}" : gain.Mean > 0 ? $"Distillation helps: {figure}"
                : $"Distillation hurts: {figure}";
            return (verdict, $"AP {ap} against {Percent(alone.AveragePrecision)} of the same student trained alone{measured}; ± is the "
                + $"95\u00A0% interval of the paired difference.{share}");
        }

        string sentence = gain.Mean >= 0 ? $"Distilled, the student gains {points} points of AP"
            : $"Distilled, the student loses {points} points of AP";
        return (sentence, $"AP {ap} against {Percent(alone.AveragePrecision)} of the same student trained alone{measured}.{share}"
            + " This is one run: how much of the difference is chance is not known. Repeat it with several seeds before you decide.");
    }

    private static string Quantised(ReportedModel main, ReportedModel? quantised)
    {
        if (quantised is null || quantised == main || !double.IsFinite(quantised.AveragePrecision)) return "";
        string difference = $"{Points(quantised.AveragePrecision - main.AveragePrecision)} points";
        return $" Quantised, it has AP {Percent(quantised.AveragePrecision)} ({difference}){Cost(quantised, main)}.";
    }

    private static string Cost(ReportedModel main, ReportedModel teacher)
    {
        string[] parts =
        [
            .. main.Bytes > 0 && teacher.Bytes > 0
                ? (string[])[$"in a file {Times((double)teacher.Bytes.Value / main.Bytes.Value)} smaller"] : [],
            .. main.Milliseconds > 0 && teacher.Milliseconds > 0 ? (string[])[Speed(teacher.Milliseconds.Value / main.Milliseconds.Value)]
                : [],
        ];
        return parts.Length == 0 ? "" : ", " + string.Join(" and ", parts);
    }

    private static string Speed(double factor) => factor is > 0.95 and < 1.05 ? "about as fast" : $"{Times(factor)} as fast";

    private static string Course(ReportedModel model)
        => model.Training?.Validations is { Length: > 0 } validations
            ? $"The best validation AP was {Percent(validations.Max(point => point.AveragePrecision))}."
            : "Give it annotated test images to see what it can do.";

    private static void Cards(HtmlWriter html, ReportContent content)
    {
        ReportedModel main = content.Main;
        ReportedModel? teacher = content.Find(DetectorRole.Teacher), alone = content.Find(DetectorRole.Alone);
        using IDisposable cards = html.Tag("div", ("class", "cards"));
        string gain = alone is not null && alone != main ? $"{Points(main.AveragePrecision - alone.AveragePrecision)} against alone"
            : $"AP50 {Percent(main.AveragePrecision50)}";
        Card(html, "AP", Percent(main.AveragePrecision), gain);
        Card(html, "MB", Megabytes(main.Bytes),
            Against(teacher?.Bytes, main.Bytes, "smaller than the teacher", $"{Count(main.Parameters)} parameters"));
        Card(html, "ms per image", Short(main.Milliseconds),
            Against(teacher?.Milliseconds, main.Milliseconds, "as fast as the teacher", "on this machine's CPU"));
    }

    private static string Against(double? theirs, double? ours, string what, string otherwise)
        => theirs > 0 && ours > 0 && theirs != ours ? $"{Times(theirs.Value / ours.Value)} {what}" : otherwise;

    private static void Card(HtmlWriter html, string unit, string figure, string note)
    {
        using IDisposable card = html.Tag("div", ("class", "card"));
        using (html.Tag("div", ("class", "figure")))
        {
            html.Leaf("b", figure);
            html.Leaf("span", unit);
        }

        html.Leaf("div", note, ("class", "note"));
    }

    private static void Table(HtmlWriter html, ReportContent content)
    {
        ReportedModel? alone = content.Find(DetectorRole.Alone);
        double best = content.Models.Select(model => model.AveragePrecision).Where(double.IsFinite).DefaultIfEmpty(1).Max();
        using IDisposable scroll = html.Tag("div", ("class", "scroll"));
        using IDisposable table = html.Tag("table", ("class", "models"));
        using (html.Tag("thead"))
        using (html.Tag("tr"))
        {
            foreach (string head in (string[])["Model", "AP", "", .. alone is null ? (string[])[]
                : ["Gain"], "AP50", "AP75", "small", "medium", "large", "Parameters", "MB", "ms"]) html.Leaf("th", head);
        }

        using IDisposable body = html.Tag("tbody");
        foreach (ReportedModel model in content.Models)
        {
            using IDisposable row = html.Tag("tr", ("class", model == content.Main ? "main" : null));
            using (html.Tag("th", ("scope", "row"))) html.Leaf("span", model.Name, ("class", $"key {model.Color}"));
            double ap = model.AveragePrecision;
            html.Leaf("td", Percent(ap));
            using (html.Tag("td", ("class", "bar-cell")))
                html.Leaf("span", null, ("class", $"bar {model.Color}"),
                    ("style", $"width:{N(best > 0 && double.IsFinite(ap) ? 100 * ap / best : 0)}%"));
            if (alone is not null) html.Leaf("td", Gain(model, alone));
            html.Leaf("td", Percent(model.AveragePrecision50));
            html.Leaf("td", Percent(model.AveragePrecision75));
            html.Leaf("td", Percent(model.Metrics?.Coco.AveragePrecisionSmall));
            html.Leaf("td", Percent(model.Metrics?.Coco.AveragePrecisionMedium));
            html.Leaf("td", Percent(model.Metrics?.Coco.AveragePrecisionLarge));
            html.Leaf("td", Count(model.Parameters));
            html.Leaf("td", Megabytes(model.Bytes));
            html.Leaf("td", Short(model.Milliseconds));
        }
    }

    /// <summary>The difference in AP over the seeds that both have; of the single runs where there are none.</summary>
    private static PairedDifference Difference(ReportedModel model, ReportedModel other)
    {
        var pairs = model.Seeds.Join(other.Seeds, own => own.Seed, their => their.Seed,
            (own, their) => (Own: own.AveragePrecision, Their: their.AveragePrecision)).ToArray();
        return pairs.Length == 0
            ? PairedDifference.Of([model.AveragePrecision], [other.AveragePrecision])
            : PairedDifference.Of([.. pairs.Select(pair => pair.Own)], [.. pairs.Select(pair => pair.Their)]);
    }

    private static string Gain(ReportedModel model, ReportedModel alone)
    {
        if (model == alone || model.Role == DetectorRole.Teacher) return "";
        PairedDifference gain = Difference(model, alone);
        return gain.Count > 1 ? $"{Points(gain.Mean)} ±\u00A0{Hundredths(gain.HalfWidth)}" : Points(gain.Mean);
    }

    private static void Seeds(HtmlWriter html, ReportContent content)
    {
        ReportedModel[] models = [.. content.Models.Where(model => model.Seeds.Count > 1)];
        if (models.Length == 0) return;
        using IDisposable details = html.Tag("details");
        html.Leaf("summary", "Every seed");
        using IDisposable scroll = html.Tag("div", ("class", "scroll"));
        using IDisposable table = html.Tag("table");
        using (html.Tag("thead"))
        using (html.Tag("tr"))
        {
            html.Leaf("th", "Seed");
            foreach (ReportedModel model in models) html.Leaf("th", $"{model.Name}: AP / AP50 / AP75");
        }

        using IDisposable body = html.Tag("tbody");
        foreach (int seed in models.SelectMany(model => model.Seeds.Select(run => run.Seed)).Distinct().Order())
        {
            using IDisposable row = html.Tag("tr");
            html.Leaf("th", $"{seed}", ("scope", "row"));
            foreach (ReportedModel model in models)
            {
                SeedFigures? run = model.Seeds.FirstOrDefault(figures => figures.Seed == seed);
                html.Leaf("td", run is null ? "–"
                    : $"{Percent(run.AveragePrecision)} / {Percent(run.AveragePrecision50)} / {Percent(run.AveragePrecision75)}");
            }
        }
    }
}

/// <summary>Opens sections.</summary>
internal static class Section
{
    /// <summary>A section with its heading and, perhaps, a line that says how to read it.</summary>
    public static IDisposable Open(HtmlWriter html, string id, string heading, string? lede = null)
    {
        IDisposable section = html.Tag("section", ("id", id));
        html.Leaf("h2", heading);
        if (lede is not null) html.Leaf("p", lede, ("class", "lede"));
        return section;
    }

    /// <summary>A table of two columns.</summary>
    public static void Pairs(HtmlWriter html, string caption, IEnumerable<(string Name, string Value)> pairs)
    {
        using IDisposable scroll = html.Tag("div", ("class", "scroll"));
        using IDisposable table = html.Tag("table", ("class", "pairs"));
        html.Leaf("caption", caption);
        using IDisposable body = html.Tag("tbody");
        foreach ((string name, string value) in pairs)
        {
            using IDisposable row = html.Tag("tr");
            html.Leaf("th", name, ("scope", "row"));
            html.Leaf("td", value);
        }
    }
}
