using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Distributed;

// Of R ranks each has the same number of images of a batch, and its loss L_r is such that the loss of the batch is the mean of them:
//
//     L = 1/R Σ_r L_r        ∂L/∂θ = 1/R Σ_r ∂L_r/∂θ
//
// A mean over as many things in each rank is of that kind as it stands. A sum that is divided by a number n is of that kind when it is
// divided by the mean over the ranks of n (Normaliser). What statistics of the whole batch enter are means over the ranks (Mean), whose
// gradient is again a mean: with y = 1/R Σ_s x_s, and g_s = R ∂L/∂y_s what rank s holds for the gradient of its y, R ∂L/∂x = 1/R Σ_s g_s.

/// <summary>
/// The processes that train together, each on its part of every batch. Every call is made by all of them, in the same order; alone, a
/// process gets back what it gives. The rule by which their losses are one loss stands at the top of the file.
/// </summary>
internal sealed class RankGroup : IDisposable
{
    private readonly ICommunicator _communicator;
    private bool _agreed = true;
    private bool _isOver;
    private Exception? _onTheWayBack;

    /// <param name="communicator">What they talk by. It belongs to this from now on.</param>
    /// <param name="statistics">Where batch normalisation takes its statistics from.</param>
    public RankGroup(ICommunicator communicator, BatchStatistics statistics = BatchStatistics.AllRanks)
    {
        _communicator = communicator;
        SharesStatistics = AreSeveral && statistics == BatchStatistics.AllRanks;
    }

    /// <summary>A process of its own.</summary>
    public static RankGroup Alone { get; } = new(new OneProcess());

    /// <summary>The number of this process, from 0.</summary>
    public int Rank => _communicator.Rank;

    /// <summary>R, the number of processes.</summary>
    public int Count => _communicator.Size;

    /// <summary>The number of this process among those of its machine, from 0.</summary>
    public int LocalRank => AreSeveral ? LaunchedJob.FromEnvironment()?.LocalRank ?? 0 : 0;

    /// <summary>The number of processes on this machine.</summary>
    public int LocalCount => AreSeveral ? LaunchedJob.FromEnvironment()?.LocalSize ?? 1 : 1;

    /// <summary>Whether there are others.</summary>
    public bool AreSeveral => Count > 1;

    /// <summary>Whether this is the process that writes files and speaks for all.</summary>
    public bool IsFirst => Rank == 0;

    /// <summary>Whether batch normalisation takes its statistics from the images of all.</summary>
    public bool SharesStatistics { get; }

    /// <summary>Joins the processes that the launcher started; the process stays alone where there is none, or no options.</summary>
    /// <exception cref="InvalidOperationException">There is no MPI, or it is not the launcher's.</exception>
    public static RankGroup Join(DistributedOptions? options)
    {
        if (options is null || LaunchedJob.FromEnvironment() is not { } job) return new RankGroup(new OneProcess());
        return new RankGroup(new MpiCommunicator(MpiLibrary.Open(job, options.MpiLibrary), options.Timeout), options.BatchStatistics);
    }

    /// <summary>What this rank divides its sums by, where the batch's are divided by the sum of all ranks' numbers.</summary>
    /// <param name="numbers">This rank's numbers.</param>
    /// <returns>For each number the sum over the ranks, at least 1, divided by R.</returns>
    public double[] Normalisers(params ReadOnlySpan<double> numbers)
        => Array.ConvertAll(Sums(numbers), sum => Math.Max(1, sum) / Count);

    /// <inheritdoc cref="Normalisers"/>
    public double Normaliser(double number) => Normalisers(number)[0];

    /// <summary>The same of a number that is a tensor, without gradient.</summary>
    public Tensor Normaliser(Tensor number)
    {
        using Scalar least = 1.0 / Count;
        return Mean(number).clamp_min(least);
    }

    /// <summary>The sum over the ranks of each number.</summary>
    public double[] Sums(params ReadOnlySpan<double> numbers)
    {
        double[] sums = numbers.ToArray();
        _communicator.Sum(sums);
        return sums;
    }

    /// <summary>Whether it is so for any of the ranks.</summary>
    public bool Any(bool own) => AreSeveral ? Sums(own ? 1 : 0)[0] > 0 : own;

    /// <summary>What ends the work of a process alone: with others, nothing does but what <see cref="Any"/> tells all of.</summary>
    public CancellationToken OfOne(CancellationToken cancellation) => AreSeveral ? CancellationToken.None : cancellation;

    /// <summary>The mean over the ranks of a tensor of one shape in all; its gradient is that of all of them.</summary>
    /// <param name="own">Float, on any device.</param>
    public Tensor Mean(Tensor own) => AreSeveral ? RankMean.apply(own, this) : own;

    /// <summary>
    /// Takes a step of the way back. An error there would pass through native code, which ends the process: it is kept for the next call
    /// of <see cref="Average"/>.
    /// </summary>
    /// <param name="likewise">What stands in for the gradients after an error.</param>
    /// <param name="step">Gives the gradients.</param>
    public List<Tensor> Guard(List<Tensor> likewise, Func<List<Tensor>> step)
    {
        try
        {
            return step();
        }
        catch (Exception error)
        {
            _onTheWayBack ??= error;
            return likewise;
        }
    }

    /// <summary>Puts the mean over the ranks in the place of a tensor's values, without gradient.</summary>
    /// <param name="values">Single or double precision, contiguous, of one shape in all ranks.</param>
    public void Average(Tensor values)
    {
        if (!AreSeveral) return;
        if (_onTheWayBack is { } error) ExceptionDispatchInfo.Throw(error);
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        using Scalar share = 1.0 / Count;
        Tensor there = values.device_type == DeviceType.CPU ? values : values.cpu();
        if (there.dtype == ScalarType.Float64) _communicator.Sum(MemoryMarshal.Cast<byte, double>(there.bytes));
        else _communicator.Sum(MemoryMarshal.Cast<byte, float>(there.bytes));
        GC.KeepAlive(there);
        if (!ReferenceEquals(there, values)) values.copy_(there);
        values.mul_(share);
    }

    /// <summary>Gives all ranks the values that a tensor has in rank 0.</summary>
    /// <param name="values">Of one shape and type in all ranks.</param>
    public void Broadcast(Tensor values)
    {
        if (!AreSeveral) return;
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        Tensor there = values.cpu().contiguous();
        _communicator.Broadcast(there.bytes, 0);
        GC.KeepAlive(there);
        values.copy_(there);
    }

    /// <summary>Gives all ranks the value of rank 0.</summary>
    public T Broadcast<T>(T value) => !AreSeveral ? value
        : JsonSerializer.Deserialize<T>(Broadcast(IsFirst ? JsonSerializer.SerializeToUtf8Bytes(value) : [], 0))!;

    /// <summary>What each rank gives, in the order of the ranks.</summary>
    public IReadOnlyList<byte[]> Gather(byte[] own)
        => [.. Enumerable.Range(0, Count).Select(root => Broadcast(root == Rank ? own : [], root))];

    /// <summary>
    /// Begins what may fail in one rank and not in another, as reading files may. <see cref="Agree"/> ends it where all went well, and
    /// <see cref="Fail"/> where it did not.
    /// </summary>
    public void BeginAlone() => _agreed = false;

    /// <summary>Ends what <see cref="BeginAlone"/> began.</summary>
    /// <exception cref="InvalidOperationException">It went wrong in another rank; the message names it, and quotes its error.</exception>
    /// <exception cref="OperationCanceledException">Another rank was cancelled.</exception>
    public void Agree()
    {
        if (!AreSeveral) return;
        _agreed = true;
        if (FirstError(own: null) is not { } error) return;
        _isOver = true;
        throw error;
    }

    /// <summary>Says that an exception ends the work of this rank, so that the others do not wait for it.</summary>
    /// <param name="error">The exception.</param>
    /// <param name="isShared">Whether all ranks have come upon the same, as far as they go in step.</param>
    /// <returns>The exception to throw, which names the rank where the others do not know of it.</returns>
    public Exception Fail(Exception error, bool isShared)
    {
        if (!AreSeveral) return error;
        if (isShared || _isOver || !_agreed)
        {
            // Before they agree no rank knows of the others.
            if (!_agreed && !_isOver) _ = FirstError(error);
            _isOver = true;
            _communicator.Break(JobEnd.OfItself);
            return error;
        }

        _communicator.Break(JobEnd.Abort);
        return error is TimeoutException ? error
            : new InvalidOperationException($"{_communicator.Describe(Rank)}: {error.Message}", error);
    }

    /// <inheritdoc/>
    public void Dispose() => _communicator.Dispose();

    /// <summary>The error of the first rank that has one.</summary>
    private Exception? FirstError(Exception? own)
    {
        const int Failed = 1, Cancelled = 2;
        double[] ends = new double[Count];
        ends[Rank] = own switch { null => 0, OperationCanceledException => Cancelled, _ => Failed };
        ends = Sums(ends);
        int first = Array.FindIndex(ends, end => end > 0);
        if (first < 0) return null;
        string said = $"{_communicator.Describe(first)}: "
            + Encoding.UTF8.GetString(Broadcast(Encoding.UTF8.GetBytes(own?.Message ?? ""), first));
        return ends[first] == Cancelled ? new OperationCanceledException(said) : new InvalidOperationException(said);
    }

    private byte[] Broadcast(byte[] value, int root)
    {
        double[] length = Sums(root == Rank ? value.Length : 0);
        byte[] all = root == Rank ? value : new byte[(int)length[0]];
        if (all.Length > 0) _communicator.Broadcast(all, root);
        return all;
    }

    /// <summary>The mean over the ranks as a step of the graph from which gradients come.</summary>
    private sealed class RankMean : autograd.SingleTensorFunction<RankMean>
    {
        public override string Name => nameof(RankMean);

        public override Tensor forward(autograd.AutogradContext context, params object[] arguments)
        {
            var ranks = (RankGroup)arguments[1];
            context.save_data(nameof(RankGroup), ranks);
            return Of(((Tensor)arguments[0]).detach(), ranks);
        }

        public override List<Tensor> backward(autograd.AutogradContext context, Tensor gradient)
        {
            var ranks = (RankGroup)context.get_data(nameof(RankGroup));
            // Of what is no tensor there is no gradient.
            return ranks.Guard([gradient], () => [Of(gradient, ranks), null!]);
        }

        private static Tensor Of(Tensor own, RankGroup ranks)
        {
            Tensor mean = own.contiguous().clone();
            ranks.Average(mean);
            return mean;
        }
    }
}
