namespace TorchSharp;

// Sums, means, extremes and the like, over a tensor or along dimensions.
public static partial class torch
{
    public partial class Tensor
    {
        public Tensor sum(ScalarType? type = null) => Ops.Call("sum", this, Argument.Type(type));
        public Tensor sum(ReadOnlySpan<long> dim, bool keepdim = false, ScalarType? type = null) => sum(dim.ToArray(), keepdim, type);
        public Tensor sum(long[] dim, bool keepdim = false, ScalarType? type = null) => Ops.Call("sum.dim_IntList", this, dim, keepdim, Argument.Type(type));
        public Tensor sum(long dim, bool keepdim = false, ScalarType? type = null) => sum(new[] { dim }, keepdim, type);
        public Tensor sum(long dim0, long dim1, bool keepdim = false, ScalarType? type = null) => sum(new[] { dim0, dim1 }, keepdim, type);
        public Tensor sum(long dim0, long dim1, long dim2, bool keepdim = false, ScalarType? type = null) => sum(new[] { dim0, dim1, dim2 }, keepdim, type);

        public Tensor mean() => Ops.Call("mean", this);
        public Tensor mean(long[] dimensions, bool keepdim = false, ScalarType? type = null) => Ops.Call("mean.dim", this, dimensions, keepdim, Argument.Type(type));

        public Tensor prod(ScalarType? type = null) => Ops.Call("prod", this, Argument.Type(type));
        public Tensor prod(long dim, bool keepdim = false, ScalarType? type = null) => Ops.Call("prod.dim_int", this, dim, keepdim, Argument.Type(type));
        public Tensor cumsum(long dim, ScalarType? type = null) => Ops.Call("cumsum", this, dim, Argument.Type(type));

        public Tensor std(bool unbiased = true) => Ops.Call("std", this, unbiased);
        public Tensor std(long dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => std(new[] { dim }, unbiased, keepdim, type);
        public Tensor std(ReadOnlySpan<long> dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => std(dimensions.ToArray(), unbiased, keepdim, type);
        public Tensor std((long, long) dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => std(new[] { dim.Item1, dim.Item2 }, unbiased, keepdim, type);
        public Tensor std((long, long, long) dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => std(new[] { dim.Item1, dim.Item2, dim.Item3 }, unbiased, keepdim, type);
        public Tensor std(long[] dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null)
            => type is null ? Ops.Call("std.dim", this, dimensions, unbiased, keepdim) : throw Substitute.Lacks("std with a type");

        public Tensor norm(float p = 2) => Ops.Call("norm.Scalar", this, (Scalar)p);
        public Tensor norm(int dim, bool keepdim = false, float p = 2) => Ops.Call("norm.ScalarOpt_dim", this, (Scalar)p, new long[] { dim }, keepdim);

        public Tensor max() => Ops.Call("max", this);
        public Tensor max(Tensor other) => Ops.Call("max.other", this, other);
        public (Tensor values, Tensor indexes) max(long dim, bool keepdim = false) => Ops.Pair("max.dim", this, dim, keepdim);
        public Tensor min() => Ops.Call("min", this);
        public Tensor min(Tensor other) => Ops.Call("min.other", this, other);
        public (Tensor values, Tensor indexes) min(long dim, bool keepdim = false) => Ops.Pair("min.dim", this, dim, keepdim);
        public (Tensor min, Tensor max) aminmax(long? dim = null, bool keepdim = false) => Ops.Pair("aminmax", this, dim, keepdim);

        public Tensor amax(params long[] dims) => amax(dims, false);
        public Tensor amax(ReadOnlySpan<long> dims, bool keepdim = false, Tensor? @out = null) => amax(dims.ToArray(), keepdim, @out);
        public Tensor amax(long[] dims, bool keepdim = false, Tensor? @out = null) => Extremes("amax", dims, keepdim, @out);
        public Tensor amin(params long[] dims) => amin(dims, false);
        public Tensor amin(ReadOnlySpan<long> dims, bool keepdim = false, Tensor? @out = null) => amin(dims.ToArray(), keepdim, @out);
        public Tensor amin(long[] dims, bool keepdim = false, Tensor? @out = null) => Extremes("amin", dims, keepdim, @out);

        public (Tensor values, Tensor indexes) topk(int k, int dim = -1, bool largest = true, bool sorted = true)
            => Ops.Pair("topk", this, k, dim, largest, sorted);

        private Tensor Extremes(string name, long[] dims, bool keepdim, Tensor? @out)
            => @out is null ? Ops.Call(name, this, dims, keepdim) : throw Substitute.Lacks(name + " into a given tensor");
    }
}
