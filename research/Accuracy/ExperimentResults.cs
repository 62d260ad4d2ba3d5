using System.Globalization;

namespace Microsoft.ML.Distillation.Research;

/// <summary>What came of a training: the average precisions in per cent, by what it was measured on.</summary>
/// <param name="Figures">For each measure AP and AP50.</param>
/// <param name="ProcessorSeconds">The processor time of the training, in all.</param>
internal sealed record ExperimentResult(string Key, IReadOnlyDictionary<string, (double Ap, double Ap50)> Figures, double ProcessorSeconds);

/// <summary>A file of results, a line each, to which several processes may add.</summary>
internal sealed class ExperimentResults(string path)
{
    private readonly Lock _lock = new();

    /// <summary>All results; of one that is there twice the later.</summary>
    public IReadOnlyDictionary<string, ExperimentResult> All
    {
        get
        {
            if (!File.Exists(path)) return new Dictionary<string, ExperimentResult>();
            return File.ReadLines(path).Select(Parse).OfType<ExperimentResult>().GroupBy(result => result.Key)
                .ToDictionary(same => same.Key, same => same.Last());
        }
    }

    /// <summary>Adds a result.</summary>
    public void Add(ExperimentResult result)
    {
        string figures = string.Join('\t', result.Figures.Select(figure => string.Create(
            CultureInfo.InvariantCulture, $"{figure.Key} {figure.Value.Ap:0.0} {figure.Value.Ap50:0.0}")));
        string line = string.Create(CultureInfo.InvariantCulture, $"{result.Key}\t{result.ProcessorSeconds:0} s\t{figures}\n");
        lock (_lock) File.AppendAllText(path, line);
    }

    private static ExperimentResult? Parse(string line)
    {
        string[] cells = line.Split('\t');
        if (cells.Length < 2 || !cells[1].EndsWith(" s", StringComparison.Ordinal)) return null;
        return new ExperimentResult(
            cells[0],
            cells[2..].Select(cell => cell.Split(' ')).ToDictionary(words => words[0], words => (Number(words[1]), Number(words[2]))),
            Number(cells[1][..^2]));
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
