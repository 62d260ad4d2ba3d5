using System.Runtime.InteropServices;
using Microsoft.ML.Distillation.Distributed;

namespace Microsoft.ML.Distillation.Tests.Distributed;

/// <summary>Ranks that are threads of this process, for what needs no training.</summary>
internal sealed class ThreadRanks(int count) : IDisposable
{
    private readonly Barrier _barrier = new(count);
    private readonly byte[][] _given = new byte[count][];

    /// <summary>Does something in each rank at once; gives what each found.</summary>
    public static T[] Run<T>(int count, Func<RankGroup, T> work)
    {
        using var all = new ThreadRanks(count);
        var found = new T[count];
        var errors = new Exception?[count];
        Thread[] threads = [.. Enumerable.Range(0, count).Select(rank => new Thread(() =>
        {
            try
            {
                found[rank] = work(new RankGroup(new Communicator(all, rank, count)));
            }
            catch (Exception error)
            {
                errors[rank] = error;
                all._barrier.RemoveParticipant();
            }
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        if (errors.FirstOrDefault(error => error is not null) is { } first) throw first;
        return found;
    }

    public void Dispose() => _barrier.Dispose();

    private byte[][] Exchange(int rank, Span<byte> own)
    {
        _given[rank] = own.ToArray();
        _barrier.SignalAndWait();
        byte[][] all = [.. _given];
        _barrier.SignalAndWait();
        return all;
    }

    private sealed class Communicator(ThreadRanks all, int rank, int count) : ICommunicator
    {
        public int Rank => rank;

        public int Size => count;

        public void Sum(Span<float> values)
        {
            byte[][] given = all.Exchange(rank, MemoryMarshal.AsBytes(values));
            values.Clear();
            foreach (byte[] one in given)
            {
                ReadOnlySpan<float> theirs = MemoryMarshal.Cast<byte, float>(one);
                for (int i = 0; i < values.Length; i++) values[i] += theirs[i];
            }
        }

        public void Sum(Span<double> values)
        {
            byte[][] given = all.Exchange(rank, MemoryMarshal.AsBytes(values));
            values.Clear();
            foreach (byte[] one in given)
            {
                ReadOnlySpan<double> theirs = MemoryMarshal.Cast<byte, double>(one);
                for (int i = 0; i < values.Length; i++) values[i] += theirs[i];
            }
        }

        public void Broadcast(Span<byte> values, int root) => all.Exchange(rank, values)[root].CopyTo(values);

        public string Describe(int other) => $"rank {other} of {count}";

        public void Break(JobEnd end)
        {
        }

        public void Dispose()
        {
        }
    }
}
