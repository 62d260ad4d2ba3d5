using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Compression;

/// <summary>How the energy (sum of squares) of a matrix spreads over its directions, largest first.</summary>
internal sealed class Spectrum
{
    private readonly double[] _sums;

    private Spectrum(double[] sums) => _sums = sums;

    /// <summary>The spectrum of the rows of a matrix [n,m]: the eigenvalues of A·Aᵀ.</summary>
    public static Spectrum Of(Tensor rows)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor values = Orthogonal.Directions(rows).Energies.cumsum(0);
        return new Spectrum([.. values.data<double>()]);
    }

    /// <summary>The fewest directions that hold a share of the energy, at least one.</summary>
    public int RankFor(double share)
    {
        double wanted = share * _sums[^1];
        int rank = Array.FindIndex(_sums, s => s >= wanted) + 1;
        return rank == 0 ? _sums.Length : rank;
    }
}
