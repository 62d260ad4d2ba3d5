using System.Globalization;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Display;

/// <summary>Models side by side.</summary>
internal static class ComparisonTable
{
    private static readonly string[] Head = ["model", "AP", "AP50", "parameters", "MB", "ms/image"];

    /// <summary>Writes the table: AP and AP50, size of the file, time for an image on this machine's CPU.</summary>
    public static void Write(TextWriter output, IReadOnlyList<ModelReport> reports)
    {
        string[][] rows = [Head, .. reports.Select(Row)];
        int[] widths = [.. Head.Select((_, column) => rows.Max(row => row[column].Length))];
        foreach (string[] row in rows)
        {
            output.WriteLine(string.Join("  ",
                row.Select((cell, column) => column == 0 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]))));
            if (row == Head) output.WriteLine(string.Join("  ", widths.Select(width => new string('-', width))));
        }
    }

    private static string[] Row(ModelReport report) =>
    [
        report.Name,
        Percent(report.Metrics.AveragePrecision),
        Percent(report.Metrics.AveragePrecision50),
        report.Parameters?.ToString("N0", CultureInfo.InvariantCulture) ?? "-",
        (report.Bytes / 1e6).ToString("0.00", CultureInfo.InvariantCulture),
        report.Milliseconds.ToString("0.0", CultureInfo.InvariantCulture),
    ];

    private static string Percent(double share)
        => double.IsNaN(share) ? "-" : (100 * share).ToString("0.0 '%'", CultureInfo.InvariantCulture);
}

/// <summary>The same students over several seeds, and by how much the first of them beats the others.</summary>
internal static class SeedsTable
{
    /// <summary>Writes the table: AP for each seed and student, then the paired differences with their confidence
    /// intervals.</summary>
    /// <param name="firstSeed">The seed of the first run; the others follow.</param>
    /// <param name="results">For each seed the students, in the same order.</param>
    public static void Write(TextWriter output, int firstSeed, IReadOnlyList<IReadOnlyList<ModelReport>> results)
    {
        string[] names = [.. results[0].Select(report => report.Name)];
        output.WriteLine();
        output.WriteLine($"AP by seed       {string.Join("  ", names)}");
        for (int i = 0; i < results.Count; i++)
            output.WriteLine($"{firstSeed + i,15}  "
                + $"{string.Join("  ", names
            .Select((name, j) => Percent(Ap(results[i][j])).PadLeft(name.Length)))}");
        string means = string.Join("  ",
            names.Select((name, j) => Percent(results.Average(row => Ap(row[j]))).PadLeft(name.Length)));
        output.WriteLine($"{"mean",15}  {means}");
        for (int j = 1; j < names.Length; j++)
        {
            int other = j;
            PairedDifference gain = PairedDifference
                .Of([.. results.Select(row => 100 * Ap(row[0]))], [.. results.Select(row => 100 * Ap(row[other]))]);
            string verdict = !gain.IsSure ? "within the noise" : gain.Mean > 0 ? "beyond the noise" : "worse beyond the noise";
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{names[0]} - {names[j]}: {gain.Mean:+0.0;-0.0;0.0} ± {gain.HalfWidth:0.0} points of AP "
                + $"(95 % of {gain.Count} pairs; {verdict})"));
        }
    }

    private static double Ap(ModelReport report) => report.Metrics.AveragePrecision;

    private static string Percent(double share) => (100 * share).ToString("0.0 '%'", CultureInfo.InvariantCulture);
}

/// <summary>Says so where a student under its teacher came out worse than without one.</summary>
internal static class ControlWarning
{
    // What the tables, with their one decimal of a percent, show as a difference.
    private const double Visible = 0.0005;

    /// <summary>Writes a line for each control that beats the student.</summary>
    /// <param name="results">For each seed the students in the same order, the one under the teacher first.</param>
    public static void Write(TextWriter error, IReadOnlyList<IReadOnlyList<ModelReport>> results)
    {
        if (results.Count == 0) return;
        for (int j = 1; j < results[0].Count; j++)
        {
            int control = j;
            string? text = Of(results[0][0].Name, results[0][j].Name,
                [.. results.Select(row => (row[0].Metrics.AveragePrecision, row[control].Metrics.AveragePrecision))]);
            if (text is not null) error.WriteLine(text);
        }
    }

    /// <summary>The warning; <see langword="null"/> where the student is as good as its control.</summary>
    /// <param name="figures">For each seed the AP of the two.</param>
    public static string? Of(string student, string control, IReadOnlyList<(double Student, double Control)> figures)
    {
        double own = figures.Average(pair => pair.Student), other = figures.Average(pair => pair.Control);
        if (!(other - own >= Visible)) return null;
        string mean = figures.Count == 1 ? "" : $", in the mean of {figures.Count} seeds";
        return string.Create(CultureInfo.InvariantCulture,
            $"warning: the {student} has AP {100 * own:0.0} %, the {control} {100 * other:0.0} %{mean}: the teacher cost "
            + $"{100 * (other - own):0.0} points of AP.");
    }
}
