using System.Globalization;
using System.Text.RegularExpressions;

namespace Microsoft.ML.Distillation.Research;

/// <summary>A training to run, and what it is called.</summary>
/// <param name="Name">As <c>DATA/NETWORK/LESSON</c>, for example bccd/fast/distilled.</param>
/// <param name="Arguments">The command and its options, without those of the data; teachers as <c>{NAME@SEED}</c>.</param>
internal sealed partial record Experiment(string Name, int Seed, IReadOnlyList<string> Arguments)
{
    /// <summary>What tells it from all others.</summary>
    public string Key => string.Create(CultureInfo.InvariantCulture, $"{Name}@{Seed}");

    /// <summary>The data set that it trains on.</summary>
    public string Data => Name.Split('/')[0];

    /// <summary>The keys of the experiments whose models it needs.</summary>
    public IEnumerable<string> Needs
        => Arguments.SelectMany(argument => ModelOf().Matches(argument)).Select(match => match.Groups["key"].Value);

    /// <summary>The arguments with the models' files in place of their keys.</summary>
    /// <param name="fileOf">The file of a key.</param>
    public IEnumerable<string> ArgumentsWith(Func<string, string> fileOf)
        => Arguments.Select(argument => ModelOf().Replace(argument, match => fileOf(match.Groups["key"].Value)));

    [GeneratedRegex(@"\{(?<key>[^{}]+@\d+)\}", RegexOptions.ExplicitCapture)]
    private static partial Regex ModelOf();
}

/// <summary>
/// The trainings of a file. Its lines: <c>data NAME OPTIONS</c> (what a training on the data is given), <c>measure NAME WHAT OPTIONS</c>
/// (what a model of it is measured on, once a line), <c>part NAME FOLDER SHARE</c> (a folder in Pascal VOC's layout of which so much of
/// the train part is the train part, and what is left the part rest), <c>run NAME @SEEDS COMMAND OPTIONS</c>. <c>{data}</c>,
/// <c>{models}</c>, <c>{nuget}</c> and <c>{parts}</c> stand for folders, <c>{NAME@SEED}</c> for the model of another training.
/// </summary>
internal sealed record ExperimentList(
    IReadOnlyList<Experiment> Runs, ILookup<string, IReadOnlyList<string>> Data,
    ILookup<string, (string What, IReadOnlyList<string> Options)> Measures, IReadOnlyList<LabelPart> Parts)
{
    /// <summary>Reads a list.</summary>
    /// <param name="folders">What <c>{data}</c> and its like stand for.</param>
    /// <exception cref="FormatException">A line is wrong; the message names it.</exception>
    public static ExperimentList Read(string path, IReadOnlyDictionary<string, string> folders)
    {
        var (runs, parts) = (new List<Experiment>(), new List<LabelPart>());
        var (data, measures) = (new List<(string, IReadOnlyList<string>)>(), new List<(string, (string, IReadOnlyList<string>))>());
        int number = 0;
        foreach (string line in File.ReadLines(path))
        {
            number++;
            string[] words = line.Split('#')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0) continue;
            string[] filled = Array.ConvertAll(words, Fill);
            switch (filled)
            {
                case ["data", var name, .. var options]: data.Add((name, options)); break;
                case ["measure", var name, var what, .. var options]: measures.Add((name, (what, options))); break;
                case ["part", var name, var folder, var share]
                    when double.TryParse(share, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value is > 0 and < 1:
                    parts.Add(new LabelPart(name, folder, value));
                    break;
                case ["run", var name, ['@', .. var seeds], ("train" or "distill") and var command, .. var options]:
                    foreach (string seed in seeds.Split(','))
                        runs.Add(new Experiment(name, int.Parse(seed, CultureInfo.InvariantCulture), [command, .. options]));
                    break;
                default:
                    throw new FormatException($"{path}({number}): data, measure, part or run is expected, not '{line.Trim()}'.");
            }
        }

        var list = new ExperimentList(
            runs, data.ToLookup(entry => entry.Item1, entry => entry.Item2), measures.ToLookup(entry => entry.Item1, entry => entry.Item2),
            parts);
        list.Check(path);
        return list;

        string Fill(string word) => folders.Aggregate(word, (text, folder) => text.Replace($"{{{folder.Key}}}", folder.Value));
    }

    /// <summary>An experiment and those whose models it needs, first things first.</summary>
    public IEnumerable<Experiment> WithNeeds(IEnumerable<Experiment> wanted)
        => wanted.SelectMany(run => WithNeeds(Runs.Where(other => run.Needs.Contains(other.Key))).Append(run)).DistinctBy(run => run.Key);

    private void Check(string path)
    {
        string[] keys = [.. Runs.Select(run => run.Key)];
        if (keys.GroupBy(key => key).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new FormatException($"{path}: there are two runs {twice.Key}.");
        foreach (Experiment run in Runs)
        {
            if (!Data.Contains(run.Data)) throw new FormatException($"{path}: run {run.Key} is of data that no line defines.");
            // In the order of the list, so that none waits for itself.
            if (run.Needs.FirstOrDefault(key => !keys.TakeWhile(other => other != run.Key).Contains(key)) is { } lost)
                throw new FormatException($"{path}: run {run.Key} needs {lost}, which no line before it makes.");
        }
    }
}

/// <summary>A share of a data set's labels: a folder in Pascal VOC's layout that points to another and has lists of its own.</summary>
/// <param name="Folder">The whole data set, in Pascal VOC's layout.</param>
/// <param name="Share">The share of its train part that stays; what is left is the part <c>rest</c>.</param>
internal sealed record LabelPart(string Name, string Folder, double Share)
{
    /// <summary>Makes the folder, unless it is there.</summary>
    /// <param name="parts">Where the folders are.</param>
    public void Make(string parts)
    {
        string target = Path.Combine(parts, Name), lists = Path.Combine(target, "ImageSets", "Main");
        if (File.Exists(Path.Combine(lists, "train.txt"))) return;
        Directory.CreateDirectory(lists);
        foreach (string folder in (string[])["Annotations", "JPEGImages"])
        {
            string link = Path.Combine(target, folder);
            if (!Directory.Exists(link)) Directory.CreateSymbolicLink(link, Path.GetFullPath(Path.Combine(Folder, folder)));
        }

        string own = Path.Combine(Folder, "ImageSets", "Main");
        foreach (string list in Directory.GetFiles(own, "*.txt").Where(list => Path.GetFileName(list) != "train.txt"))
            File.Copy(list, Path.Combine(lists, Path.GetFileName(list)), overwrite: true);
        string[] all = [.. File.ReadLines(Path.Combine(own, "train.txt")).Where(line => line.Length > 0)];
        // Spread evenly over the list.
        bool[] stays = [.. Enumerable.Range(0, all.Length).Select(i => Math.Floor((i + 1) * Share) > Math.Floor(i * Share))];
        File.WriteAllLines(Path.Combine(lists, "rest.txt"), all.Where((_, i) => !stays[i]));
        File.WriteAllLines(Path.Combine(lists, "train.txt"), all.Where((_, i) => stays[i]));
    }
}
