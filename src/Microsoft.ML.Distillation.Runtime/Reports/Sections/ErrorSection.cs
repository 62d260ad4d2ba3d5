using static Microsoft.ML.Distillation.Reports.Figures;
using static Microsoft.ML.Distillation.Reports.HtmlWriter;

namespace Microsoft.ML.Distillation.Reports.Sections;

/// <summary>What goes wrong: kinds of errors with what they cost, and which classes are taken for which.</summary>
internal static class ErrorSection
{
    private const int MostClasses = 20;

    private static readonly (string Name, string Meaning, Func<DetectionErrors, DetectionErrorKind> Of)[] Kinds =
    [
        ("Place", "the right class, not well enough in place", errors => errors.Localisation),
        ("Class", "the right place with the wrong class", errors => errors.Classification),
        ("Both", "neither place nor class", errors => errors.Both),
        ("Duplicate", "an object found once more", errors => errors.Duplicate),
        ("Background", "nothing there", errors => errors.Background),
        ("Missed", "an object that nothing points at", errors => errors.Missed),
    ];

    /// <summary>Writes the section, where models were measured.</summary>
    public static void Write(HtmlWriter html, ReportContent content)
    {
        ReportedModel[] models = [.. content.Models.Where(model => model.Metrics is not null)];
        if (models.Length == 0) return;
        using IDisposable section = Section.Open(
            html, "errors", "What goes wrong",
            "What AP50 would gain if just this kind of error were put right, in points, and how many there are at any score.");
        Breakdown(html, models);
        ReportedModel main = content.Main.Metrics is null ? models[^1] : content.Main;
        WorstMistakes(html, content, main);
        if (main.Metrics!.Confusion.ClassNames.Count <= MostClasses) Confusion(html, main.Name + main.OfFirstSeed, main.Metrics.Confusion);
    }

    private static void Breakdown(HtmlWriter html, ReportedModel[] models)
    {
        double most = models.Max(model => Kinds.Max(kind => Finite(kind.Of(model.Metrics!.Errors).AveragePrecisionGain)));
        using IDisposable scroll = html.Tag("div", ("class", "scroll"));
        using IDisposable table = html.Tag("table", ("class", "errors"));
        using (html.Tag("thead"))
        using (html.Tag("tr"))
        {
            html.Leaf("th", "Error");
            foreach (ReportedModel model in models)
            {
                using IDisposable head = html.Tag("th");
                html.Leaf("span", model.Name, ("class", $"key {model.Color}"));
            }
        }

        using IDisposable body = html.Tag("tbody");
        foreach ((string name, string meaning, Func<DetectionErrors, DetectionErrorKind> of) in Kinds)
        {
            using IDisposable row = html.Tag("tr");
            using (html.Tag("th", ("scope", "row")))
            {
                html.Text(name);
                html.Leaf("small", meaning);
            }

            foreach (ReportedModel model in models)
            {
                DetectionErrorKind kind = of(model.Metrics!.Errors);
                using IDisposable cell = html.Tag("td", ("class", "bar-cell"));
                html.Leaf("span", null, ("class", $"bar {model.Color}"),
                    ("style", $"width:{N(most > 0 ? 45 * Finite(kind.AveragePrecisionGain) / most : 0)}%"));
                html.Leaf("span", Points(kind.AveragePrecisionGain), ("class", "value"));
                html.Leaf("small", Count(kind.Count));
            }
        }
    }

    /// <summary>The classes with most mistakes, and where to look at them.</summary>
    private static void WorstMistakes(HtmlWriter html, ReportContent content, ReportedModel model)
    {
        if (content.Images.Count == 0 || model.Found.Count != content.Images.Count) return;
        (string Image, ReportedBox Box, bool IsMissed)[] mistakes = [.. content.Images.SelectMany((image, i) => JudgedImage
            .Of(image.Truth, model.Found[i]).Boxes.Where(entry => entry.Class is "b-wrong" or "b-missed")
            .Select(entry => (image.Name, entry.Box, entry.Class == "b-missed")))];
        if (mistakes.Length == 0) return;
        html.Leaf("h3", $"Worst mistakes of {model.Name}{model.OfFirstSeed} by class");
        html.Leaf("p", $"Detections of score {Short(PictureChoice.LeastScore)} or more, at IoU .50; most mistakes first"
            + $"{(model.Metrics!.Classes.Count > MostClasses ? $", {MostClasses} classes at most" : "")}.", ("class", "note"));
        using IDisposable scroll = html.Tag("div", ("class", "scroll"));
        using IDisposable table = html.Tag("table", ("class", "worst"));
        using (html.Tag("thead"))
        using (html.Tag("tr"))
        {
            foreach (string head in (string[])["Class", "Objects", "Missed", "Wrong", "Surest wrong one", "Image with most"])
                html.Leaf("th", head);
        }

        using IDisposable body = html.Tag("tbody");
        foreach (var ofClass in mistakes.GroupBy(mistake => mistake.Box.Label).OrderByDescending(group => group.Count()).Take(MostClasses))
        {
            using IDisposable row = html.Tag("tr");
            html.Leaf("th", ofClass.Key, ("scope", "row"));
            html.Leaf("td", Count(content.Images.Sum(image => image.Truth.Count(box => !box.Ignored && box.Label == ofClass.Key))));
            html.Leaf("td", Count(ofClass.Count(mistake => mistake.IsMissed)));
            (string Image, ReportedBox Box, bool IsMissed)[] wrong = [.. ofClass.Where(mistake => !mistake.IsMissed)];
            html.Leaf("td", Count(wrong.Length));
            html.Leaf("td", wrong.Length == 0 ? "–" : $"{Short(wrong.Max(mistake => mistake.Box.Score))} in "
                + wrong.MaxBy(mistake => mistake.Box.Score).Image);
            var image = ofClass.GroupBy(mistake => mistake.Image).MaxBy(group => group.Count())!;
            html.Leaf("td", $"{image.Key} ({image.Count()})");
        }
    }

    private static void Confusion(HtmlWriter html, string name, ConfusionMatrix matrix)
    {
        string[] names = [.. matrix.ClassNames, "nothing"];
        html.Leaf("h3", $"What {name} takes for what");
        html.Leaf("p", $"Rows are objects, columns are detections of score {Short(matrix.ScoreThreshold)} or more at IoU "
            + $"{Short(matrix.IouThreshold)} or more.", ("class", "note"));
        using IDisposable scroll = html.Tag("div", ("class", "scroll"));
        using IDisposable table = html.Tag("table", ("class", "confusion"));
        using (html.Tag("thead"))
        using (html.Tag("tr"))
        {
            html.Leaf("th", "");
            foreach (string column in names) html.Leaf("th", column);
        }

        using IDisposable body = html.Tag("tbody");
        for (int row = 0; row < names.Length; row++)
        {
            using IDisposable line = html.Tag("tr");
            html.Leaf("th", names[row], ("scope", "row"));
            double sum = Math.Max(1, matrix.Counts[row].Sum());
            for (int column = 0; column < names.Length; column++)
            {
                int count = matrix.Counts[row][column];
                html.Leaf("td", count == 0 ? "·" : Count(count), ("class", row == column ? "right" : "wrong"),
                    ("style", $"--share:{N(count / sum)}"),
                    ("title", $"{names[row]} taken for {names[column]}: {count}"));
            }
        }
    }

    private static double Finite(double value) => double.IsFinite(value) ? value : 0;
}
