using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Microsoft.ML.Distillation.Distributed;

/// <summary>
/// The ranks of an MPI job. Every call waits with an eye on the clock: who waits too long calls the roll, and learns who is missing.
/// </summary>
internal sealed class MpiCommunicator : ICommunicator
{
    /// <summary>A tag that a program which uses MPI itself will hardly use.</summary>
    private const int RollTag = 20176;
    private const int HostBytes = 64;

    /// <summary>How long a wait keeps the processor: about what a message takes whose sender is there already.</summary>
    private static readonly TimeSpan Eager = TimeSpan.FromMicroseconds(100);

    /// <summary>How long a wait for a large message, which goes on only while somebody asks for it, keeps asking.</summary>
    private static readonly TimeSpan Attentive = TimeSpan.FromSeconds(1);

    /// <summary>From how many bytes on a message is large.</summary>
    private const int Large = 1 << 16;

    private readonly MpiLibrary _mpi;
    private readonly TimeSpan _timeout;
    private readonly string[] _hosts;
    // Pinned: MPI writes here while nobody waits.
    private readonly nint[] _communicator = GC.AllocateArray<nint>(1, pinned: true);
    private readonly int[] _roll;

    /// <param name="mpi">MPI, begun.</param>
    /// <param name="timeout">How long to wait for another process before asking who is missing.</param>
    public MpiCommunicator(MpiLibrary mpi, TimeSpan timeout)
    {
        (_mpi, _timeout) = (mpi, timeout);
        _ = mpi.CommRank(mpi.World, out int rank);
        _ = mpi.CommSize(mpi.World, out int size);
        (Rank, Size, _hosts) = (rank, size, new string[size]);
        _roll = GC.AllocateArray<int>(size, pinned: true);
        Array.Fill(_hosts, "machine not known");
        // Of its own, so that nothing that the program says by MPI itself comes in between.
        nint request = 0;
        _ = mpi.CommIdup(mpi.World, Marshal.UnsafeAddrOfPinnedArrayElement(_communicator, 0), ref request);
        Wait(ref request, 0);
        for (int i = 0; i < size; i++)
        {
            byte[] host = new byte[HostBytes];
            if (i == rank) Encoding.UTF8.GetBytes(Environment.MachineName).AsSpan().TryCopyTo(host);
            Broadcast(host, i);
            _hosts[i] = Encoding.UTF8.GetString(host).TrimEnd('\0');
        }
    }

    public int Rank { get; }

    public int Size { get; }

    public void Sum(Span<float> values) => Sum(MemoryMarshal.AsBytes(values), values.Length, _mpi.Float);

    public void Sum(Span<double> values) => Sum(MemoryMarshal.AsBytes(values), values.Length, _mpi.Double);

    public unsafe void Broadcast(Span<byte> values, int root)
    {
        fixed (byte* first = values)
        {
            nint request = 0;
            _ = _mpi.Ibcast((nint)first, values.Length, _mpi.Byte, root, _communicator[0], ref request);
            Wait(ref request, values.Length);
        }
    }

    public string Describe(int rank) => $"rank {rank} of {Size} (on {_hosts[rank]})";

    public void Break(JobEnd end) => _mpi.End = end;

    public void Dispose()
    {
        if (_communicator[0] != 0 && _mpi.End == JobEnd.Together) _ = _mpi.CommFree(ref _communicator[0]);
        _communicator[0] = 0;
    }

    private unsafe void Sum(Span<byte> values, int count, nint type)
    {
        fixed (byte* first = values)
        {
            nint request = 0;
            _ = _mpi.Iallreduce(_mpi.InPlace, (nint)first, count, type, _mpi.Sum, _communicator[0], ref request);
            Wait(ref request, values.Length);
        }
    }

    private void Wait(ref nint request, int bytes)
    {
        long started = Stopwatch.GetTimestamp();
        while (!IsDone(ref request))
        {
            TimeSpan waited = Stopwatch.GetElapsedTime(started);
            if (waited > _timeout) throw Missing(waited);
            if (waited > Eager) Pause(bytes > Large && waited < Attentive);
        }
    }

    private bool IsDone(ref nint request)
    {
        _ = _mpi.Test(ref request, out int done, _mpi.StatusIgnore);
        return done != 0;
    }

    /// <summary>Leaves the processor to others, who may be the very ones that are waited for.</summary>
    private static void Pause(bool briefly)
    {
        if (briefly) Thread.Yield();
        else if (OperatingSystem.IsWindows()) Thread.Sleep(1);
        else _ = Sleep(20);
    }

    [DllImport("libc", EntryPoint = "usleep")]
    private static extern int Sleep(uint microseconds);

    /// <summary>
    /// Calls the roll: who waits in vain tells the others, and whoever has said nothing for as long again is the one that all wait for.
    /// </summary>
    private TimeoutException Missing(TimeSpan waited)
    {
        Break(JobEnd.Abort);
        var requests = new (nint Heard, nint Said)[Size];
        bool[] present = new bool[Size];
        present[Rank] = true;
        for (int other = 0; other < Size; other++)
        {
            if (other == Rank) continue;
            nint theirs = Marshal.UnsafeAddrOfPinnedArrayElement(_roll, other), own = Marshal.UnsafeAddrOfPinnedArrayElement(_roll, Rank);
            _ = _mpi.Irecv(theirs, 1, _mpi.Int, other, RollTag, _mpi.World, ref requests[other].Heard);
            _ = _mpi.Isend(own, 1, _mpi.Int, other, RollTag, _mpi.World, ref requests[other].Said);
        }

        long started = Stopwatch.GetTimestamp();
        while (present.Contains(false) && Stopwatch.GetElapsedTime(started) < waited)
        {
            for (int other = 0; other < Size; other++)
            {
                if (other == Rank) continue;
                // A request that is done is null, and a null one is done.
                _ = IsDone(ref requests[other].Said);
                present[other] = IsDone(ref requests[other].Heard);
            }

            Thread.Sleep(1);
        }

        string[] missing = [.. Enumerable.Range(0, Size).Where(rank => !present[rank]).Select(Describe)];
        string who = missing.Length == 0 ? "All ranks wait, each for something else: they do not run the same program on the same data"
            : $"{string.Join(", ", missing)} gave no answer";
        return new TimeoutException($"{who}: waited {waited.TotalSeconds:0} s, and as long again for an answer "
            + $"({nameof(DistributedOptions)}.{nameof(DistributedOptions.Timeout)}).");
    }
}
