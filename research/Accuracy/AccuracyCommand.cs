using System.CommandLine;
using Microsoft.ML.Distillation.Tool;
using Microsoft.ML.Distillation.Tool.Commands;

namespace Microsoft.ML.Distillation.Research;

/// <summary><c>./build.sh accuracy</c>: runs a list of trainings and says what a teacher is worth.</summary>
internal sealed class AccuracyCommand : RootCommand
{
    /// <summary>The first argument with which this program is the command <c>ml-distill</c>, for its trainings.</summary>
    public const string ToolVerb = "ml-distill";

    public AccuracyCommand()
        : base("Runs the trainings of a list, each in a process of one thread, writes each result to a file as it comes, and goes on where "
            + "it was interrupted. Ends with a table of what each lesson changes.")
    {
        Option<string> list = SharedOptions.RequiredPath(
            "--list", "The trainings: research/accuracy.txt says how they are written.", "FILE");
        Option<string> data = SharedOptions.RequiredPath("--data", "The folder that {data} stands for.", "DIR");
        Option<string?> models = SharedOptions.Path("--models", "The folder that {models} stands for.", "DIR");
        Option<string> work = SharedOptions.RequiredPath("--work", "The folder for models, checkpoints and logs.", "DIR");
        Option<string> file = SharedOptions.RequiredPath("--results", "The file that results are added to.", "FILE");
        Option<string?> only = SharedOptions.Text("--only", "Only the trainings whose name begins with one of these, and what they need.",
            "NAME,…");
        Option<int?> parallel = SharedOptions.Count("--parallel", "How many at once. [default: the number of processors]");
        Option<bool> summary = new("--summary") { Description = "Train nothing: write the table of the results that there are." };
        foreach (Option option in (Option[])[list, data, models, work, file, only, parallel, summary]) Options.Add(option);
        SetAction(parsed =>
        {
            TextWriter output = TextWriter.Synchronized(parsed.InvocationConfiguration.Output);
            string folder = parsed.GetRequiredValue(work);
            OutputCheck.Folder("--work", folder);
            Directory.CreateDirectory(folder);
            ExperimentList all = ExperimentList.Read(parsed.GetRequiredValue(list), new Dictionary<string, string>
            {
                ["data"] = parsed.GetRequiredValue(data),
                ["models"] = parsed.GetValue(models) ?? "{models}",
                ["nuget"] = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
                    ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages"),
                ["parts"] = Path.Combine(folder, "parts"),
            });
            string[] wanted = parsed.GetValue(only)?.Split(',') ?? [""];
            Experiment[] runs = [.. all.Runs.Where(run => wanted.Any(name => run.Key.StartsWith(name, StringComparison.Ordinal)))];
            if (runs.Length == 0) throw new UsageException($"--only: the list has no training {string.Join(", ", wanted)}.");
            var results = new ExperimentResults(parsed.GetRequiredValue(file));
            using var interruption = new Interruption(parsed.InvocationConfiguration.Error, "the same command goes on from here");
            bool complete = parsed.GetValue(summary) || new ExperimentRunner(all, folder, results, output)
                .Run(runs, parsed.GetValue(parallel) ?? Environment.ProcessorCount, interruption.Token);
            ExperimentSummary.Write(output, all, results.All);
            return interruption.Requested ? Application.Interrupted : complete ? Application.Success : Application.Failure;
        });
    }
}
