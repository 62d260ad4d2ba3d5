using System.Globalization;
using System.Text;

namespace Microsoft.ML.Distillation.Research;

/// <summary>A table as a page: in the paper's layout, and then every row with all its figures.</summary>
internal static class PaperReport
{
    /// <summary>Writes <c>table-N.md</c> and <c>table-N.json</c>.</summary>
    public static void Write(string folder, PaperTable table, PaperResults results)
    {
        PaperSummary[] cells = [.. table.Cells.Select(cell => PaperSummary.Of(cell, results)).OfType<PaperSummary>()];
        PaperSummary[] given = [.. table.Cells.SelectMany(cell => cell.Row.Needs).Distinct()
            .Select(row => PaperSummary.OfGiven(row, results)).OfType<PaperSummary>()];
        string path = Path.Combine(folder, $"table-{table.Number}");
        PaperResults.Write($"{path}.json", new { table = table.Number, table.Title, results.Settings, cells, given });
        PaperResults.Write($"{path}.md", Encoding.UTF8.GetBytes(Markdown(table, cells, given, results.Settings)));
    }

    /// <summary>The page.</summary>
    public static string Markdown(
        PaperTable table, IReadOnlyList<PaperSummary> cells, IReadOnlyList<PaperSummary> given,
        IReadOnlyDictionary<string, string> settings)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# Table {table.Number}: {table.Title}\n\n");
        text.Append(CultureInfo.InvariantCulture,
            $"{string.Join("; ", settings.Select(setting => $"{setting.Key} {setting.Value}"))}.\n\n");
        text.Append("AP50 is PASCAL VOC 2007's, AP is COCO's, in per cent: mean ± standard deviation over seeds. Differences are to the "
            + "row named, ");
        text.Append("in pairs of the same seed: mean ± half of the 95 % confidence interval.\n\n");
        if (given.Count > 0) text.Append(
            "A given model teaches, and compressed networks start from it, in a row's name; the row of that name is trained like the "
            + "others.\n\n");

        string[] columns = [.. table.Cells.Select(cell => cell.Column).Distinct()];
        Line(text, ["", .. columns]);
        Line(text, ["-", .. columns.Select(_ => "-")]);
        foreach (string line in table.Cells.Select(cell => cell.Line).Distinct())
        {
            Figures($"{line}, AP50", cell => Text(cell.Ap50));
            Figures($"{line}, AP", cell => Text(cell.Ap));
            if (table.MeasuresTraining)
            {
                Figures($"{line}, AP50 in training", cell => Text(cell.TrainingAp50));
                Figures($"{line}, AP in training", cell => Text(cell.TrainingAp));
            }

            Published?[] published = [.. columns
                .Select(column => table.Cells.FirstOrDefault(cell => cell.Line == line && cell.Column == column)?.Published)];
            foreach ((string name, Func<Published, double?> of) in Published.Figures)
            {
                double?[] values = [.. published.Select(figures => figures is null ? null : of(figures))];
                if (values.Any(value => value is not null)) Line(text, [$"the paper's, {name}", .. values.Select(Text)]);
            }

            void Figures(string name, Func<PaperSummary, string> figure)
                => Line(text, [name, .. columns
                    .Select(column => cells.FirstOrDefault(cell => cell.Line == line && cell.Column == column) is { } cell ? figure(cell)
                    : "")]);
        }

        text.Append('\n');
        Line(text, ["row", "teacher", "parameters", "ms/image", "seeds", "AP50", "AP", "against", "ΔAP50", "ΔAP", "reconstruction error"]);
        Line(text, [.. Enumerable.Repeat("-", 11)]);
        foreach (PaperSummary cell in cells.Concat(given))
        {
            Line(text,
            [
                cell.Row, cell.Teacher ?? "–", cell.Parameters.ToString("N0", CultureInfo.InvariantCulture),
                cell.Milliseconds.ToString("0.0", CultureInfo.InvariantCulture),
                cell.Seeds.ToString(CultureInfo.InvariantCulture), Text(cell.Ap50), Text(cell.Ap), cell.Against
                    ?? "", Text(cell.GainAp50), Text(cell.GainAp),
                cell.ReconstructionError is double error ? error.ToString("0.000", CultureInfo.InvariantCulture) : "",
            ]);
        }

        return text.ToString();
    }

    private static void Line(StringBuilder text, IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");

    private static string Text(double? value) => value is double number ? number.ToString("0.0", CultureInfo.InvariantCulture) : "";

    private static string Text(Spread? spread) => spread is null ? "" : With(Text(spread.Mean), spread.Deviation);

    private static string Text(Gain? gain) => gain is null ? ""
        : With(gain.Mean.ToString("+0.0;-0.0;0.0", CultureInfo.InvariantCulture), gain.HalfWidth);

    private static string With(string mean, double? width) => width is null ? mean : $"{mean} ± {Text(width)}";
}
