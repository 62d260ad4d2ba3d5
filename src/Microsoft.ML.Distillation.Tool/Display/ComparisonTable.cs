using System.Globalization;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Display;

/// <summary>Models side by side.</summary>
internal static class ComparisonTable
{
    private static readonly string[] Head = ["model", "AP", "AP50", "parameters", "MB", "ms/image"];

    /// <summary>Writes the table: AP and AP50 in percent, size of the file, time for an image on this machine's CPU.</summary>
    public static void Write(TextWriter output, IReadOnlyList<ModelReport> reports)
    {
        string[][] rows = [Head, .. reports.Select(Row)];
        int[] widths = [.. Head.Select((_, column) => rows.Max(row => row[column].Length))];
        foreach (string[] row in rows)
        {
            output.WriteLine(string.Join("  ", row.Select((cell, column) => column == 0 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]))));
            if (row == Head) output.WriteLine(string.Join("  ", widths.Select(width => new string('-', width))));
        }
    }

    private static string[] Row(ModelReport report) =>
    [
        report.Name,
        Percent(report.Metrics.AveragePrecision),
        Percent(report.Metrics.AveragePrecision50),
        report.Parameters.ToString("N0", CultureInfo.InvariantCulture),
        (report.Bytes / 1e6).ToString("0.00", CultureInfo.InvariantCulture),
        report.Milliseconds.ToString("0.0", CultureInfo.InvariantCulture),
    ];

    private static string Percent(double share) => double.IsNaN(share) ? "-" : (100 * share).ToString("0.0", CultureInfo.InvariantCulture);
}
