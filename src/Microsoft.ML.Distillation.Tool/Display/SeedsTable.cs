using System.Globalization;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Display;

/// <summary>The same students over several seeds, and by how much the first of them beats the others.</summary>
internal static class SeedsTable
{
    /// <summary>Writes the table: AP in percent for each seed and student, then the paired differences with their confidence intervals.</summary>
    /// <param name="firstSeed">The seed of the first run; the others follow.</param>
    /// <param name="results">For each seed the students, in the same order.</param>
    public static void Write(TextWriter output, int firstSeed, IReadOnlyList<IReadOnlyList<ModelReport>> results)
    {
        string[] names = [.. results[0].Select(report => report.Name)];
        output.WriteLine();
        output.WriteLine($"AP by seed    {string.Join("  ", names)}");
        for (int i = 0; i < results.Count; i++)
            output.WriteLine($"{firstSeed + i,10}    {string.Join("  ", names.Select((name, j) => Number(100 * Ap(results[i][j])).PadLeft(name.Length)))}");
        output.WriteLine($"{"mean",10}    {string.Join("  ", names.Select((name, j) => Number(100 * results.Average(row => Ap(row[j]))).PadLeft(name.Length)))}");
        for (int j = 1; j < names.Length; j++)
        {
            int other = j;
            PairedDifference gain = PairedDifference.Of([.. results.Select(row => 100 * Ap(row[0]))], [.. results.Select(row => 100 * Ap(row[other]))]);
            string verdict = !gain.IsSure ? "within the noise" : gain.Mean > 0 ? "beyond the noise" : "worse beyond the noise";
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{names[0]} - {names[j]}: {gain.Mean:+0.0;-0.0;0.0} ± {gain.HalfWidth:0.0} AP (95 % of {gain.Count} pairs; {verdict})"));
        }
    }

    private static double Ap(ModelReport report) => report.Metrics.AveragePrecision;

    private static string Number(double value) => value.ToString("0.0", CultureInfo.InvariantCulture);
}
