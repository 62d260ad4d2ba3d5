namespace TorchSharp;

// Comparisons and logic.
public static partial class torch
{
    public partial class Tensor
    {
        public Tensor eq(Tensor target) => Ops.Call("eq.Tensor", this, target);
        public Tensor eq(Scalar target) => Ops.Call("eq.Scalar", this, target);
        public Tensor ge(Tensor target) => Ops.Call("ge.Tensor", this, target);
        public Tensor ge(Scalar target) => Ops.Call("ge.Scalar", this, target);
        public Tensor gt(Tensor target) => Ops.Call("gt.Tensor", this, target);
        public Tensor gt(Scalar target) => Ops.Call("gt.Scalar", this, target);
        public Tensor lt(Tensor target) => Ops.Call("lt.Tensor", this, target);
        public Tensor lt(Scalar target) => Ops.Call("lt.Scalar", this, target);

        public Tensor logical_and(Tensor other) => Ops.Call("logical_and", this, other);
        public Tensor logical_or(Tensor other) => Ops.Call("logical_or", this, other);
        public Tensor logical_not() => Ops.Call("logical_not", this);

        public Tensor isfinite() => Ops.Call("isfinite", this);
        public Tensor isneginf() => Ops.Call("isneginf", this);

        public Tensor all() => Ops.Call("all", this);
        public Tensor all(long dim, bool keepdim = false) => Ops.Call("all.dim", this, dim, keepdim);
        public Tensor any() => Ops.Call("any", this);
        public Tensor any(long dim, bool keepdim = false) => Ops.Call("any.dim", this, dim, keepdim);

        public bool allclose(Tensor target, double rtol = 1e-05, double atol = 1e-08, bool equal_nan = false)
            => Ops.Number("allclose", this, target, rtol, atol, equal_nan).Bits != 0;

        public Tensor masked_fill(Tensor mask, Scalar value) => Ops.Call("masked_fill.Scalar", this, mask, value);
        public Tensor nonzero() => Ops.Call("nonzero", this);
    }

    public static Tensor where(Tensor condition, Tensor x, Tensor y) => condition.dtype == ScalarType.Bool
        ? Ops.Call("where.self", condition, x, y)
        : throw new ArgumentException("The condition to 'where' must be a boolean tensor.");

    public static Tensor[] where(Tensor condition) => condition.dtype == ScalarType.Bool
        ? Ops.List("where", condition)
        : throw new ArgumentException("The condition to 'where' must be a boolean tensor.");
}
