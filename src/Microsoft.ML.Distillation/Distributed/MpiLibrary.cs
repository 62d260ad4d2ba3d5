using System.Runtime.InteropServices;

namespace Microsoft.ML.Distillation.Distributed;

/// <summary>
/// The MPI of this machine: a few of its functions, and the values that the two conventions of handles give to the standard's names.
/// </summary>
/// <remarks>
/// Handles have the size of a pointer here. Open MPI's are addresses; those of MPICH and its like are ints, which a function finds in the
/// lower half of a register or stack place that is wide enough for a pointer, on every platform that .NET runs on.
/// </remarks>
internal sealed class MpiLibrary
{
    /// <summary>All that a process may call from several threads; a library may grant less, which will do.</summary>
    private const int ThreadsMultiple = 3;

    // MPI is one for a process: it begins once and ends once, whoever asks for it.
    private static readonly Lock Opening = new();
    private static MpiLibrary? _opened;

    private readonly string _path;

    private MpiLibrary(nint library, string path)
    {
        _path = path;
        if (NativeLibrary.TryGetExport(library, "ompi_mpi_comm_world", out nint world))
        {
            World = world;
            (Float, Double, Byte, Int) = (Address("ompi_mpi_float"), Address("ompi_mpi_double"), Address("ompi_mpi_byte"),
                Address("ompi_mpi_int"));
            Sum = Address("ompi_mpi_op_sum");
            (InPlace, StatusIgnore) = (1, 0);
        }
        else
        {
            (World, Float, Double, Byte, Int, Sum) = (0x44000000, 0x4c00040a, 0x4c00080b, 0x4c00010d, 0x4c000405, 0x58000003);
            (InPlace, StatusIgnore) = (-1, 1);
        }

        CommRank = Function<AskCommunicator>("MPI_Comm_rank");
        CommSize = Function<AskCommunicator>("MPI_Comm_size");
        CommIdup = Function<StartDuplicate>("MPI_Comm_idup");
        CommFree = Function<Free>("MPI_Comm_free");
        Iallreduce = Function<StartAllReduce>("MPI_Iallreduce");
        Ibcast = Function<StartBroadcast>("MPI_Ibcast");
        Isend = Function<StartMessage>("MPI_Isend");
        Irecv = Function<StartMessage>("MPI_Irecv");
        Test = Function<TestRequest>("MPI_Test");

        nint Address(string name) => NativeLibrary.GetExport(library, name);

        T Function<T>(string name) where T : Delegate => Marshal.GetDelegateForFunctionPointer<T>(Address(name));

        Begin(Function<Ask>("MPI_Initialized"), Function<InitThread>("MPI_Init_thread"));
        var abort = Function<AbortJob>("MPI_Abort");
        var finalise = Function<Finalise>("MPI_Finalize");
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            if (End == JobEnd.Abort) _ = abort(World, 1);
            else if (End == JobEnd.Together) _ = finalise();
        };
    }

    public delegate int AskCommunicator(nint communicator, out int answer);

    public delegate int StartDuplicate(nint communicator, nint copy, ref nint request);

    public delegate int Free(ref nint communicator);

    public delegate int StartAllReduce(nint from, nint to, int count, nint type, nint operation, nint communicator, ref nint request);

    public delegate int StartBroadcast(nint values, int count, nint type, int root, nint communicator, ref nint request);

    public delegate int StartMessage(nint values, int count, nint type, int other, int tag, nint communicator, ref nint request);

    public delegate int TestRequest(ref nint request, out int done, nint status);

    private delegate int Ask(out int answer);

    private delegate int InitThread(nint argumentCount, nint arguments, int wanted, out int granted);

    private delegate int AbortJob(nint communicator, int code);

    private delegate int Finalise();

    public nint World { get; }

    public nint Float { get; }

    public nint Double { get; }

    public nint Byte { get; }

    public nint Int { get; }

    public nint Sum { get; }

    public nint InPlace { get; }

    public nint StatusIgnore { get; }

    public AskCommunicator CommRank { get; }

    public AskCommunicator CommSize { get; }

    public StartDuplicate CommIdup { get; }

    public Free CommFree { get; }

    public StartAllReduce Iallreduce { get; }

    public StartBroadcast Ibcast { get; }

    public StartMessage Isend { get; }

    public StartMessage Irecv { get; }

    public TestRequest Test { get; }

    /// <summary>What the end of this process is for the others.</summary>
    public JobEnd End { get; set; }

    /// <summary>Loads the MPI of the launcher, and begins it.</summary>
    /// <param name="job">The job as its launcher tells of it.</param>
    /// <param name="wanted">The library's file or name; <see langword="null"/> for the usual ones.</param>
    /// <exception cref="InvalidOperationException">There is none, or not the launcher's; the message says what to install.</exception>
    public static MpiLibrary Open(LaunchedJob job, string? wanted)
    {
        lock (Opening)
        {
            if (_opened is not null) return _opened;
            if (job.Family == MpiFamily.None && wanted is null)
                throw new InvalidOperationException(
                    $"Slurm started {job.Size} tasks without MPI: give srun the kind of its MPI (mpi=pmix or mpi=pmi2).");
            string[] names = wanted is not null ? [wanted] : Names(job.Family);
            foreach (string name in names)
            {
                if (!NativeLibrary.TryLoad(name, typeof(MpiLibrary).Assembly, null, out nint library)) continue;
                var opened = new MpiLibrary(library, name);
                opened.Check(job);
                return _opened = opened;
            }

            throw new InvalidOperationException(
                $"{Launcher(job.Family)} started {job.Size} processes, but there is no MPI library for them to talk by: none of "
                + $"{string.Join(", ", names)} loads. Install {Advice(job.Family)}, or name the file in "
                + $"{nameof(DistributedOptions)}.{nameof(DistributedOptions.MpiLibrary)}.");
        }
    }

    private static string[] Names(MpiFamily family)
    {
        string[] open = OperatingSystem.IsMacOS() ? ["libmpi.40.dylib", "libmpi.dylib"] : ["libmpi.so.40", "libmpi.so"];
        string[] mpich = OperatingSystem.IsWindows() ? ["msmpi.dll", "impi.dll"]
            : OperatingSystem.IsMacOS() ? ["libmpich.12.dylib", "libmpi.12.dylib"]
            // Debian's MPICH, MPICH as built and Intel MPI, Cray MPICH.
            : ["libmpich.so.12", "libmpi.so.12", "libmpi_cray.so.12"];
        return family switch { MpiFamily.OpenMpi => open, MpiFamily.Mpich => mpich, _ => [.. open, .. mpich] };
    }

    private static string Launcher(MpiFamily family) => family switch
    {
        MpiFamily.OpenMpi => "The launcher of Open MPI",
        MpiFamily.Mpich => "The launcher of MPICH, Intel MPI or MS-MPI",
        _ => "The launcher",
    };

    private static string Advice(MpiFamily family) => family switch
    {
        MpiFamily.OpenMpi => "Open MPI (Debian: openmpi-bin)",
        MpiFamily.Mpich => OperatingSystem.IsWindows() ? "MS-MPI" : "MPICH (Debian: mpich) or Intel MPI",
        _ => "the cluster's MPI",
    };

    private static void Begin(Ask initialised, InitThread init)
    {
        _ = initialised(out int already);
        if (already == 0) _ = init(0, 0, ThreadsMultiple, out _);
    }

    /// <summary>A library other than the launcher's sees one process where there are several.</summary>
    private void Check(LaunchedJob job)
    {
        _ = CommSize(World, out int size);
        if (size == job.Size) return;
        End = JobEnd.OfItself;
        throw new InvalidOperationException(
            $"{Launcher(job.Family)} started {job.Size} processes, of which the MPI library {_path} sees {size}: it is another MPI than "
            + $"the launcher's. Install {Advice(job.Family)}, or start with that library's own mpirun.");
    }
}
