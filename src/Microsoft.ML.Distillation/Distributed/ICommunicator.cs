namespace Microsoft.ML.Distillation.Distributed;

/// <summary>
/// What processes that train together say to each other. Every call but the properties is made by all of them, in the same order.
/// </summary>
internal interface ICommunicator : IDisposable
{
    /// <summary>The number of this process, from 0.</summary>
    int Rank { get; }

    /// <summary>The number of processes.</summary>
    int Size { get; }

    /// <summary>Puts in the place of each value the sum of those that the processes have there.</summary>
    /// <param name="values">As many in each process.</param>
    void Sum(Span<float> values);

    /// <inheritdoc cref="Sum(Span{float})"/>
    void Sum(Span<double> values);

    /// <summary>Gives all processes what one of them has.</summary>
    /// <param name="values">As many in each process.</param>
    /// <param name="root">The one whose values the others take over.</param>
    void Broadcast(Span<byte> values, int root);

    /// <summary>A process as one can find it: its rank, and its machine where that is known.</summary>
    string Describe(int rank);

    /// <summary>Says that this process will not take part to the end.</summary>
    /// <param name="end">What its own end is to be for the others.</param>
    void Break(JobEnd end);
}

/// <summary>What the end of a process is for the others of its job.</summary>
internal enum JobEnd
{
    /// <summary>It waits for theirs.</summary>
    Together,

    /// <summary>Nothing: they know, and end as well.</summary>
    OfItself,

    /// <summary>Theirs: they may wait for it.</summary>
    Abort,
}

/// <summary>One process, which says nothing to nobody.</summary>
internal sealed class OneProcess : ICommunicator
{
    public int Rank => 0;

    public int Size => 1;

    public void Sum(Span<float> values)
    {
    }

    public void Sum(Span<double> values)
    {
    }

    public void Broadcast(Span<byte> values, int root)
    {
    }

    public string Describe(int rank) => "this process";

    public void Break(JobEnd end)
    {
    }

    public void Dispose()
    {
    }
}
