namespace TorchSharp;

// Views, copies and the joining and taking apart of tensors.
public static partial class torch
{
    public partial class Tensor
    {
        public Tensor view(params long[] shape) => Ops.Call("view", this, shape);
        public Tensor reshape(params long[] shape) => Ops.Call("reshape", this, shape);
        public Tensor flatten(long start_dim = 0, long end_dim = -1) => Ops.Call("flatten.using_ints", this, start_dim, end_dim);
        public Tensor flatten(IList<string?> dims, string out_dim) => throw Substitute.Lacks("names of dimensions");
        public Tensor squeeze(long? dim = null) => dim is long given ? Ops.Call("squeeze.dim", this, given) : Ops.Call("squeeze", this);
        public Tensor unsqueeze(long dim) => Ops.Call("unsqueeze", this, dim);
        public Tensor t() => Ops.Call("t", this);
        public Tensor transpose(long dim0, long dim1) => Ops.Call("transpose.int", this, dim0, dim1);
        public Tensor permute(params long[] permutation) => Ops.Call("permute", this, permutation);
        public Tensor permute(IEnumerable<long> permutation) => permute(permutation.ToArray());
        public Tensor flip(params long[] dims) => Ops.Call("flip", this, dims);
        public Tensor repeat(params long[] sizes) => Ops.Call("repeat", this, sizes);

        public Tensor expand(params long[] sizes) => expand(sizes, false);
        public Tensor expand(long[] sizes, bool isImplicit = false) => Ops.Call("expand", this, sizes, isImplicit);
        public Tensor expand(Size sizes, bool isImplicit = false) => expand(sizes.Shape, isImplicit);
        public Tensor expand(ReadOnlySpan<long> sizes, bool isImplicit = false) => expand(sizes.ToArray(), isImplicit);

        public Tensor as_strided(long[] size, long[] strides, long storageOffset = 0) => Ops.Call("as_strided", this, size, strides, storageOffset);
        public Tensor narrow(long dim, long start, long length) => Ops.Call("narrow", this, dim, start, length);
        public Tensor select(long dim, long index) => Ops.Call("select.int", this, dim, index);
        public Tensor slice(long dim, long start, long finish, long step) => Ops.Call("slice.Tensor", this, dim, start, finish, step);

        public Tensor[] split(long size, int dim = 0) => Ops.List("split.Tensor", this, size, dim);
        public Tensor[] split(long[] sizes, long dim = 0) => Ops.List("split_with_sizes", this, sizes, dim);
        public Tensor[] split(ReadOnlySpan<long> sizes, long dim = 0) => split(sizes.ToArray(), dim);
        public Tensor[] split(params long[] sizes) => split(sizes, 0L);

        public Tensor gather(long dim, Tensor index) => Ops.Call("gather", this, dim, index);
        public Tensor scatter(long dim, Tensor index, Tensor src) => Ops.Call("scatter.src", this, dim, index, src);
        public Tensor scatter_(long dim, Tensor index, Tensor src) => Ops.InPlace("scatter_.src", this, dim, index, src);
        public Tensor scatter_add(long dim, Tensor index, Tensor src) => Ops.Call("scatter_add", this, dim, index, src);
        public Tensor index_select(long dim, Tensor index) => Ops.Call("index_select", this, dim, index);

        public Tensor clone() => Ops.Call("clone", this);
        public Tensor contiguous() => Ops.Call("contiguous", this);
    }

    public static Tensor cat(IList<Tensor> tensors, long dim = 0) => cat(tensors.ToArray(), dim);

    public static Tensor cat(ReadOnlySpan<Tensor> tensors, long dim = 0) => cat(tensors.ToArray(), dim);

    public static Tensor cat(Tensor[] tensors, long dim = 0)
        => tensors.Length > 0 ? Ops.Call("cat", tensors, dim) : throw new ArgumentException(nameof(tensors));

    public static Tensor stack(IEnumerable<Tensor> tensors, long dim = 0) => Ops.Call("stack", tensors.ToArray(), dim);

    public static Tensor einsum(string equation, params Tensor[] tensors) => Ops.Call("einsum", equation, tensors);

    public static Tensor cdist(Tensor x1, Tensor x2, double p = 2, compute_mode compute_mode = compute_mode.use_mm_for_euclid_dist_if_necessary)
        => Ops.Call("cdist", x1, x2, p, (long)compute_mode);
}
