using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Compression;

/// <summary>
/// Chooses ranks for a share of the multiplications of some layers. One number, from 0 to 1, decides about all layers alike: the
/// share of the energy of their weights that they keep or, where nothing is known of the weights, the share of their channels.
/// The largest number that keeps the budget is taken. A layer whose parts would cost more than the whole stays whole.
/// </summary>
internal static class RankSearch
{
    private const int Halvings = 40;

    /// <summary>Up to so many channels are all kept: red, green and blue most of all.</summary>
    private const int AlwaysFull = 4;

    /// <summary>The ranks by the layers' names; layers that stay whole are missing.</summary>
    /// <param name="given">Ranks that are not to be chosen.</param>
    /// <param name="spectra">For each layer the spectra of its rank dimensions, or null where nothing is known.</param>
    /// <exception cref="ArgumentException">Even the smallest ranks cost more.</exception>
    public static Dictionary<string, IReadOnlyList<int>> Choose(
        IReadOnlyList<LayerShape> layers,
        double share,
        IReadOnlyDictionary<string, IReadOnlyList<int>> given,
        IReadOnlyDictionary<string, Spectrum[]>? spectra)
    {
        double budget = share * layers.Sum(l => l.Flops);
        if (Cost(0) > budget)
        {
            double left = Cost(0) / layers.Sum(l => l.Flops);
            throw new ArgumentException(string.Create(
                CultureInfo.InvariantCulture,
                $"{nameof(CompressionOptions)}: {share:0.###} of the multiplications cannot be reached; {left:0.###} remain even at "
                + $"rank 1."));
        }

        double low = 0, high = 1;
        if (Cost(1) <= budget) low = 1;
        for (int i = 0; i < Halvings && low < 1; i++)
        {
            double middle = (low + high) / 2;
            if (Cost(middle) <= budget) low = middle;
            else high = middle;
        }

        var chosen = new Dictionary<string, IReadOnlyList<int>>();
        foreach (LayerShape layer in layers)
        {
            if (RanksAt(layer, low) is { } ranks) chosen[layer.Name] = ranks;
        }

        return chosen;

        double Cost(double kept) => layers.Sum(l => RanksAt(l, kept) is { } ranks ? l.FlopsAt(ranks) : l.Flops);

        IReadOnlyList<int>? RanksAt(LayerShape layer, double kept)
        {
            if (given.TryGetValue(layer.Name, out IReadOnlyList<int>? fixedRanks)) return fixedRanks;
            if (layer.Groups > 1) return null;
            int[] full = layer.FullRanks;
            int[] ranks = [.. full.Select((n, i) => n <= AlwaysFull ? n
                : spectra is null ? Math.Max(1, (int)Math.Ceiling(kept * n)) : spectra[layer.Name][i].RankFor(kept))];
            return layer.FlopsAt(ranks) < layer.Flops ? ranks : null;
        }
    }
}

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
