using System.Globalization;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Display;

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
            string? text = Of(results[0][0].Name, results[0][j].Name, [.. results.Select(row => (row[0].Metrics.AveragePrecision, row[control].Metrics.AveragePrecision))]);
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
        return string.Create(CultureInfo.InvariantCulture, $"warning: the {student} has AP {100 * own:0.0}, the {control} {100 * other:0.0}{mean}: the teacher cost {100 * (other - own):0.0} AP.");
    }
}
