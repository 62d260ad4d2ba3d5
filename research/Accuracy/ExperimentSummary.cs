using System.Globalization;

namespace Microsoft.ML.Distillation.Research;

/// <summary>
/// What the results come to: for each network of each data set its teacher, itself alone, and what each lesson changes; then a line for
/// each lesson that has a teacher, which ends with the share of the gap that it recovered.
/// </summary>
internal static class ExperimentSummary
{
    /// <summary>The lesson that others are held to.</summary>
    public const string Alone = "alone";

    /// <summary>Writes a table for each measure.</summary>
    public static void Write(TextWriter output, ExperimentList list, IReadOnlyDictionary<string, ExperimentResult> results)
    {
        var recovered = new List<string>();
        string[] measures = [.. list.Measures.SelectMany(measure => measure).Select(measure => measure.What).Distinct()];
        foreach (string measure in measures)
        {
            output.WriteLine($"\nAP on {measure} in %, mean ± half of the 95 % interval of the paired difference\n");
            output.WriteLine("| data, network | lesson | seeds | AP | AP50 | against alone | of the gap |\n|-|-|-|-|-|-|-|");
            foreach (IGrouping<string, Experiment> network in list.Runs.GroupBy(run => run.Name[..run.Name.LastIndexOf('/')]))
            {
                foreach (IGrouping<string, Experiment> lesson in network.GroupBy(run => run.Name))
                    WriteRow(output, network, lesson, measure, results, recovered);
            }
        }

        if (recovered.Count > 0) output.WriteLine();
        foreach (string line in recovered) output.WriteLine(line);
    }

    private static void WriteRow(
        TextWriter output, IEnumerable<Experiment> network, IGrouping<string, Experiment> lesson, string measure,
        IReadOnlyDictionary<string, ExperimentResult> results, List<string> lines)
    {
        Dictionary<int, (double Ap, double Ap50)> own = Figures(lesson);
        if (own.Count == 0) return;
        string[] names = lesson.Key.Split('/');
        string alone = $"{lesson.Key[..lesson.Key.LastIndexOf('/')]}/{Alone}", difference = "", recovered = "";
        Dictionary<int, (double Ap, double Ap50)> others = Figures(network.Where(run => run.Name == alone));
        int[] pairs = [.. own.Keys.Intersect(others.Keys).Order()];
        if (lesson.Key != alone && pairs.Length > 0)
        {
            var paired = PairedDifference.Of([.. pairs.Select(seed => own[seed].Ap)], [.. pairs.Select(seed => others[seed].Ap)]);
            difference = string.Create(CultureInfo.InvariantCulture,
                $"{paired.Mean:+0.0;−0.0}{(paired.Count > 1 ? $" ± {paired.HalfWidth:0.0}" : "")}");
            string? teacher = lesson.SelectMany(run => run.Needs).FirstOrDefault();
            if (teacher is not null && results.TryGetValue(teacher, out ExperimentResult? taught)
                && taught.Figures.TryGetValue(measure, out (double Ap, double Ap50) best))
            {
                double itself = pairs.Average(seed => others[seed].Ap), gap = best.Ap - itself;
                recovered = gap > 0 ? string.Create(CultureInfo.InvariantCulture, $"recovered {100 * paired.Mean / gap:0} %") : "no gap";
                lines.Add(string.Create(CultureInfo.InvariantCulture,
                    $"{string.Join(", ", names)} on {measure}: AP {itself + paired.Mean:0.0} %, alone {itself:0.0} %, "
                        + $"teacher {best.Ap:0.0} %: {recovered}"));
            }
        }

        (double ap, double ap50) = (own.Values.Average(figure => figure.Ap), own.Values.Average(figure => figure.Ap50));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {string.Join(", ", names[..^1])} | {names[^1]} | {own.Count} | {ap:0.0} | {ap50:0.0} | {difference} | {recovered} |"));

        Dictionary<int, (double, double)> Figures(IEnumerable<Experiment> runs) => runs
            .Where(run => results.TryGetValue(run.Key, out ExperimentResult? result) && result.Figures.ContainsKey(measure))
            .ToDictionary(run => run.Seed, run => results[run.Key].Figures[measure]);
    }
}
