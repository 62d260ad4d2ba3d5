using System.CommandLine;
using Microsoft.ML.Distillation.Tool.Commands;

namespace Microsoft.ML.Distillation.Tool.Runs;

/// <summary>The options of the folder in which a training keeps what there is to know of it.</summary>
internal sealed class RunOptionSet
{
    /// <summary>The value of <c>--run</c> for no folder.</summary>
    public const string None = "none";

    /// <summary>The run to go on with. One option for all commands: it is looked for before they run.</summary>
    public static Option<string?> Resume { get; } = SharedOptions.Path(
        "--resume", "Go on with the training of this run folder, with its settings, from its last checkpoint.", "DIR");

    /// <summary>The settings to read. Likewise.</summary>
    public static Option<string?> Config { get; } = SharedOptions.Path(
        "--config", "Take options from a settings.yaml, as a run folder has it; what the command line says wins.", "FILE");

    private readonly Option<string?> _run = SharedOptions.Path(
        "--run", "The folder for settings, figures of each epoch, TensorBoard events, best and last model, checkpoint, report and log; "
            + "'none' for none. [default: the next free of runs/COMMAND-1, -2, …]", "DIR");

    /// <summary>Adds these to a command's options.</summary>
    public void AddTo(IList<Option> options)
    {
        foreach (Option option in (Option[])[_run, Resume, Config]) options.Add(option);
    }

    /// <summary>Whether the command writes no run folder.</summary>
    public bool HasNone(ParseResult parsed) => parsed.GetValue(_run) == None && parsed.GetValue(Resume) is null;

    /// <summary>
    /// Takes the run's folder for this process; from now on what the command says is in its log too. It is made when the run begins.
    /// </summary>
    /// <returns>The folder; <see langword="null"/> where none is wanted, or where another process of the job has it.</returns>
    /// <exception cref="UsageException">The folder holds another run, or cannot be made.</exception>
    public RunFolder? Open(ParseResult parsed)
    {
        if (HasNone(parsed) || !RankOptionSet.Writes(parsed)) return null;
        string command = parsed.CommandResult.Command.Name;
        (TextWriter output, TextWriter error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        RunFolder folder;
        try
        {
            folder = parsed.GetValue(Resume) is { } old ? RunFolder.Existing(old)
                : parsed.GetValue(_run) is { } asked ? RunFolder.New(asked) : RunFolder.Next("runs", command);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException && parsed.GetValue(_run) is null
            && parsed.GetValue(Resume) is null)
        {
            error.WriteLine($"warning: no run folder is kept: {problem.Message} --run DIR names a place.");
            return null;
        }

        parsed.InvocationConfiguration.Output = folder.Logged(output);
        parsed.InvocationConfiguration.Error = folder.Logged(error);
        return folder;
    }

    /// <summary>A message of the library in the words of <c>--resume</c>, where that was given.</summary>
    public static string Explained(ParseResult parsed, string message)
    {
        const string Advice = "Set these as they were to continue that run, or give another folder of --checkpoints, or delete the file.";
        return !parsed.CommandResult.Command.Options.Contains(Resume) || parsed.GetValue(Resume) is not { } run ? message
            : message.Replace(Advice, $"--resume goes on with a run as it was begun: leave out what is given anew. '--config "
                + $"{Path.Combine(run, "settings.yaml")}' in its place begins another run, whose settings the command line may "
                + "change.", StringComparison.Ordinal);
    }
}
