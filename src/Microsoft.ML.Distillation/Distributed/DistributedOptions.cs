namespace Microsoft.ML.Distillation;

/// <summary>Where batch normalisation takes its statistics from when several processes train together.</summary>
public enum BatchStatistics
{
    /// <summary>
    /// The images of all processes: training does what one process would do with all of them. Costs two small messages a layer and step.
    /// </summary>
    AllRanks,

    /// <summary>
    /// The images of each process. No messages, and another result for another number of processes; too few images a process make noisy
    /// statistics. The running statistics are averaged over the processes after each epoch.
    /// </summary>
    EachRank,
}

/// <summary>
/// Training by several processes, each on its part of every batch: the ranks of a job that <c>mpirun</c>, <c>srun</c> or the MPI operator
/// of Kubernetes started (<see cref="LaunchedJob"/>), with the same program and the same options. The gradients are summed by the MPI of
/// the machine, which must be the launcher's: Open MPI, or MPICH, Intel MPI or MS-MPI. Each process returns the same model; the caller
/// saves that of rank 0. Started by no launcher, a process trains alone.
/// </summary>
public sealed record DistributedOptions
{
    /// <summary>Where batch normalisation takes its statistics from.</summary>
    public BatchStatistics BatchStatistics { get; init; } = BatchStatistics.AllRanks;

    /// <summary>
    /// How long a process waits for another, above 0, before it asks who is missing; after twice this time it gives up and names those that
    /// gave no answer. It must be longer than what rank 0 does alone: writing checkpoints, and all that the caller does between trainings.
    /// </summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The file of the MPI library, or its name. <see langword="null"/>: the usual ones of the launcher's kind.</summary>
    public string? MpiLibrary { get; init; }

    /// <summary>Checks the options.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range; the message names it.</exception>
    internal void Validate()
    {
        if (!Enum.IsDefined(BatchStatistics))
            throw new ArgumentOutOfRangeException(nameof(BatchStatistics), BatchStatistics, $"There is no {BatchStatistics}.");
        if (Timeout <= TimeSpan.Zero || Timeout > TimeSpan.FromDays(20))
        {
            throw new ArgumentOutOfRangeException(nameof(Timeout), Timeout,
                $"The option {nameof(DistributedOptions)}.{nameof(Timeout)} must be above 0, and 20 days at most.");
        }
    }
}
