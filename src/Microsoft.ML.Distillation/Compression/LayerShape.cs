namespace Microsoft.ML.Distillation.Compression;

/// <summary>What a layer's costs depend on. A fully connected layer is a 1×1 convolution at one position.</summary>
/// <param name="Name">Its name in the detector's state dict.</param>
/// <param name="From">The channels that it sees.</param>
/// <param name="To">The channels that it makes.</param>
/// <param name="Groups">The parts that do not see one another; only a layer of one group can be taken apart.</param>
/// <param name="InPositions">The cells of the map that it sees.</param>
/// <param name="OutPositions">The cells of the map that it makes.</param>
internal sealed record LayerShape(string Name, int From, int To, int Kernel = 1, int Groups = 1, long InPositions = 1, long OutPositions = 1)
{
    /// <summary>The number of ranks that define its parts: one for two parts, two for three.</summary>
    public int RankCount => Kernel == 1 ? 1 : 2;

    /// <summary>The largest ranks, at which nothing is lost.</summary>
    public int[] FullRanks => RankCount == 1 ? [Math.Min(From, To)] : [From, To];

    /// <summary>The multiplications of the whole layer.</summary>
    public double Flops => (double)OutPositions * Kernel * Kernel * From * To / Groups;

    /// <summary>The weights of the whole layer, without biases.</summary>
    public long Weights => (long)Kernel * Kernel * From * To / Groups;

    /// <summary>The weights of its parts.</summary>
    public long WeightsAt(IReadOnlyList<int> ranks) => (long)(this with { InPositions = 1, OutPositions = 1 }).FlopsAt(ranks);

    /// <summary>The multiplications of its parts.</summary>
    public double FlopsAt(IReadOnlyList<int> ranks) => RankCount == 1
        ? (double)OutPositions * ranks[0] * (From + To)
        : (double)InPositions * From * ranks[0] + (double)OutPositions * ranks[1] * ((double)Kernel * Kernel * ranks[0] + To);
}
