using System.CommandLine;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary>The options of training by several processes, as <c>mpirun</c> and <c>srun</c> start them.</summary>
internal sealed class RankOptionSet
{
    private readonly Option<bool> _localBatchNorm = new("--local-batch-norm")
    {
        Description = "Of several processes each takes the statistics of batch normalisation from its own images: no messages for "
            + "them, and another result.",
    };

    private readonly Option<double?> _timeout = SharedOptions.Number("--mpi-timeout",
        "The seconds that a process waits for another before it asks who is missing; after as long again it ends. [default: 600]", 0.1,
        1e6);

    private readonly Option<string?> _library = SharedOptions
        .Path("--mpi-library", "The MPI library of the launcher, where it has an unusual name.", "FILE");

    /// <summary>Whether each process is to train for itself. One option for all commands: it is asked for before they run.</summary>
    public static Option<bool> NoMpi { get; } = new("--no-mpi")
    {
        Description = "Train in this process alone, although mpirun or srun started several.",
    };

    /// <summary>The job of which a command line is a part; null where it does its work alone.</summary>
    public static LaunchedJob? JobOf(ParseResult parsed)
        => parsed.CommandResult.Command.Options.Contains(NoMpi) && !parsed.GetValue(NoMpi) ? LaunchedJob.FromEnvironment() : null;

    /// <summary>Whether this process writes what comes of the work.</summary>
    public static bool Writes(ParseResult parsed) => JobOf(parsed) is null or { IsFirst: true };

    /// <summary>Adds these to a command's options.</summary>
    public void AddTo(IList<Option> options)
    {
        foreach (Option option in (Option[])[NoMpi, _localBatchNorm, _timeout, _library]) options.Add(option);
    }

    /// <summary>How to train with the other processes; null for alone.</summary>
    public DistributedOptions? Read(ParseResult parsed) => parsed.GetValue(NoMpi) ? null : new DistributedOptions
    {
        BatchStatistics = parsed.GetValue(_localBatchNorm) ? BatchStatistics.EachRank : BatchStatistics.AllRanks,
        Timeout = parsed.GetValue(_timeout) is { } seconds ? TimeSpan.FromSeconds(seconds) : new DistributedOptions().Timeout,
        MpiLibrary = parsed.GetValue(_library),
    };
}
