using System.Globalization;

namespace Microsoft.ML.Distillation;

/// <summary>
/// The processes among which this one was started by a cluster's launcher: <c>mpirun</c>, <c>mpiexec</c>, <c>srun</c>, or the MPI operator
/// of Kubernetes. What the launcher says is in the environment, so it is known without MPI.
/// </summary>
/// <param name="Rank">The number of this process, from 0. Rank 0 alone reports progress and writes checkpoints.</param>
/// <param name="Size">The number of processes, 1 or more.</param>
public sealed record LaunchedJob(int Rank, int Size)
{
    /// <summary>The number of this process among those of its machine, from 0.</summary>
    public int LocalRank { get; init; }

    /// <summary>The number of processes on this machine; 1 where the launcher does not say.</summary>
    public int LocalSize { get; init; } = 1;

    /// <summary>The MPI whose launcher it was.</summary>
    internal MpiFamily Family { get; init; }

    /// <summary>Whether this is the process that writes files and speaks for all.</summary>
    public bool IsFirst => Rank == 0;

    /// <summary>The job that this process belongs to; <see langword="null"/> where no launcher started it, or it alone.</summary>
    public static LaunchedJob? FromEnvironment() => From(Environment.GetEnvironmentVariable);

    /// <summary>The job that an environment tells of.</summary>
    /// <param name="variable">Gives a variable's value, or null.</param>
    internal static LaunchedJob? From(Func<string, string?> variable)
    {
        // Open MPI and its runtime; Hydra (MPICH, Intel MPI), MS-MPI's smpd and Slurm's PMI-2; Slurm's PMIx, of which the size is Slurm's.
        LaunchedJob? job = Job(MpiFamily.OpenMpi, "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE")
            ?? Job(MpiFamily.Mpich, "PMI_RANK", "PMI_SIZE")
            ?? Job(MpiFamily.Any, "PMIX_RANK", "SLURM_NTASKS")
            ?? Job(MpiFamily.None, "SLURM_PROCID", "SLURM_STEP_NUM_TASKS");
        return job is { Size: > 1 } ? job : null;

        LaunchedJob? Job(MpiFamily family, string rank, string size) => Number(rank) is { } own && Number(size) is { } all
            ? new LaunchedJob(own, all)
            {
                Family = family,
                LocalRank = Number("OMPI_COMM_WORLD_LOCAL_RANK") ?? Number("MPI_LOCALRANKID") ?? Number("SLURM_LOCALID") ?? 0,
                LocalSize = Number("OMPI_COMM_WORLD_LOCAL_SIZE") ?? Number("MPI_LOCALNRANKS") ?? LeadingNumber("SLURM_TASKS_PER_NODE") ?? 1,
            }
            : null;

        int? Number(string name) => int.TryParse(variable(name), CultureInfo.InvariantCulture, out int value) ? value : null;

        // Slurm writes 4(x2) for two machines of four each.
        int? LeadingNumber(string name)
            => int.TryParse(string.Concat((variable(name) ?? "").TakeWhile(char.IsAsciiDigit)), CultureInfo.InvariantCulture, out int value)
                ? value : null;
    }
}

/// <summary>The kinds of MPI that differ in library and handles.</summary>
internal enum MpiFamily
{
    /// <summary>A launcher that brings no MPI.</summary>
    None,

    /// <summary>One that serves either.</summary>
    Any,

    /// <summary>Open MPI: handles are the addresses of symbols that its library exports.</summary>
    OpenMpi,

    /// <summary>MPICH, and with its handles, which are numbers, Intel MPI, Cray MPICH and MS-MPI.</summary>
    Mpich,
}
