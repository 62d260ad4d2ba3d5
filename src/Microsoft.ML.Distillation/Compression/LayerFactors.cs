using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Compression;

/// <summary>
/// The parts that a layer is taken apart into: W ≈ Expand · Core · Reduce, where Core may be left out.
/// </summary>
/// <param name="Reduce">[r,From] or [r,From,1,1].</param>
/// <param name="Core">[s,r,k,k], or null for layers without extent.</param>
/// <param name="Expand">[To,s] or [To,s,1,1].</param>
/// <param name="Error">‖W − Ŵ‖ / ‖W‖ in the Frobenius norm.</param>
internal sealed record LayerFactors(Tensor Reduce, Tensor? Core, Tensor Expand, double Error)
{
    /// <summary>
    /// The best parts of given ranks: for k×k convolutions by higher-order singular value decomposition in the two channel
    /// dimensions (De Lathauwer et al. 2000; Kim et al. 2016), for matrices and 1×1 convolutions by singular value
    /// decomposition.
    /// </summary>
    /// <param name="weight">[To,From], or [To,From,k,k] of one group.</param>
    /// <param name="ranks">Two for k×k convolutions, one otherwise.</param>
    public static LayerFactors Of(Tensor weight, IReadOnlyList<int> ranks)
    {
        using DisposeScope scope = NewDisposeScope();
        long to = weight.shape[0], from = weight.shape[1];
        bool hasExtent = weight.dim() == 4 && weight.shape[2] * weight.shape[3] > 1;
        Tensor exact = weight.detach().to(ScalarType.Float64, CPU).reshape(to, from, -1);
        if (!hasExtent)
        {
            // W ≈ U·(Uᵀ·W). The smaller side is the quicker one: for W with fewer columns the transpose is taken apart.
            Tensor matrix = exact.squeeze(2);
            bool wide = to <= from;
            Tensor basis = Orthogonal.Basis(wide ? matrix : matrix.t(), ranks[0]);
            Tensor reduce = wide ? basis.t().mm(matrix) : basis.t();
            Tensor expand = wide ? basis : matrix.mm(basis);
            return new LayerFactors(
                Like(reduce, weight), null, Like(expand, weight), Lost(exact, wide ? reduce : expand));
        }

        Tensor inner = Orthogonal.Basis(exact.transpose(0, 1).reshape(from, -1), ranks[0]);
        Tensor outer = Orthogonal.Basis(exact.reshape(to, -1), ranks[1]);
        Tensor core = einsum("oit,or,is->rst", exact, outer, inner);
        return new LayerFactors(
            Like(inner.t(), weight),
            core.reshape(ranks[1], ranks[0], weight.shape[2], weight.shape[3]).to(weight.dtype).MoveToOuterDisposeScope(),
            Like(outer, weight),
            Lost(exact, core));
    }

    private static Tensor Like(Tensor matrix, Tensor weight)
    {
        Tensor result = matrix.to(weight.dtype);
        if (weight.dim() == 4) result = result.unsqueeze(2).unsqueeze(3);
        return result.contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>The bases are orthonormal, so what the kept part lacks in length is what is lost.</summary>
    private static double Lost(Tensor whole, Tensor kept)
    {
        double all = whole.square().sum().item<double>(), left = kept.square().sum().item<double>();
        return all == 0 ? 0 : Math.Sqrt(Math.Max(0, 1 - left / all));
    }
}

/// <summary>What a layer's costs depend on. A fully connected layer is a 1×1 convolution at one position.</summary>
/// <param name="Name">Its name in the detector's state dict.</param>
/// <param name="From">The channels that it sees.</param>
/// <param name="To">The channels that it makes.</param>
/// <param name="Groups">The parts that do not see one another; only a layer of one group can be taken apart.</param>
/// <param name="InPositions">The cells of the map that it sees.</param>
/// <param name="OutPositions">The cells of the map that it makes.</param>
internal sealed record LayerShape(string Name, int From, int To, int Kernel = 1, int Groups = 1, long InPositions = 1,
    long OutPositions = 1)
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

/// <summary>The directions in which the columns of a matrix are largest, the left half of its singular value decomposition.</summary>
internal static class Orthogonal
{
    /// <summary>Up to this many rows the decomposition is exact; beyond, a few directions of many are found by sampling.</summary>
    private const int LargestExact = 1024;

    private const int Oversampling = 16;
    private const int PowerSteps = 2;

    /// <summary>All directions [n,n] as columns, and their energies [n] (squared singular values), largest first, in double
    /// precision.</summary>
    /// <param name="rows">[n,m].</param>
    public static (Tensor Basis, Tensor Energies) Directions(Tensor rows)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor a = rows.detach().to(ScalarType.Float64, CPU);
        (Tensor energies, Tensor basis) = linalg.eigh(a.mm(a.t()));
        return (basis.flip(1).MoveToOuterDisposeScope(), energies.flip(0).relu_().MoveToOuterDisposeScope());
    }

    /// <summary>
    /// The first directions [n,rank] as columns, in double precision. For a few directions of a large matrix: the range finder with
    /// power steps of Halko, Martinsson and Tropp ("Finding Structure with Randomness", 2011), from fixed random numbers.
    /// </summary>
    /// <param name="rows">[n,m].</param>
    public static Tensor Basis(Tensor rows, int rank)
    {
        using DisposeScope scope = NewDisposeScope();
        int sampled = rank + Oversampling;
        if (rows.shape[0] <= LargestExact || 2 * sampled > Math.Min(rows.shape[0], rows.shape[1]))
            return Directions(rows).Basis.narrow(1, 0, rank).MoveToOuterDisposeScope();

        Tensor a = rows.detach().to(ScalarType.Float32, CPU);
        using var generator = new Generator(1);
        Tensor q = linalg.qr(a.mm(randn([a.shape[1], sampled], generator: generator))).Q;
        for (int i = 0; i < PowerSteps; i++) q = linalg.qr(a.mm(linalg.qr(a.t().mm(q)).Q)).Q;
        Tensor inner = Directions(q.t().mm(a)).Basis.narrow(1, 0, rank);
        return q.to(ScalarType.Float64).mm(inner).MoveToOuterDisposeScope();
    }
}
