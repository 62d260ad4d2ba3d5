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
