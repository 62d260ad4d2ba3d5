using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Compression;

/// <summary>The directions in which the columns of a matrix are largest, the left half of its singular value decomposition.</summary>
internal static class Orthogonal
{
    /// <summary>Up to this many rows the decomposition is exact; beyond, a few directions of many are found by sampling.</summary>
    private const int LargestExact = 1024;

    private const int Oversampling = 16;
    private const int PowerSteps = 2;

    /// <summary>All directions [n,n] as columns, and their energies [n] (squared singular values), largest first, in double precision.</summary>
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
