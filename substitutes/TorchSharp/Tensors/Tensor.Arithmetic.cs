namespace TorchSharp;

// Arithmetic, elementwise functions and products of matrices: one operator each. Names that end in _ change the tensor.
public static partial class torch
{
    public partial class Tensor
    {
        private static readonly Scalar One = 1;

        public Tensor abs() => Ops.Call("abs", this);
        public Tensor exp() => Ops.Call("exp", this);
        public Tensor log() => Ops.Call("log", this);
        public Tensor log_() => Ops.InPlace("log_", this);
        public Tensor sqrt() => Ops.Call("sqrt", this);
        public Tensor square() => Ops.Call("square", this);
        public Tensor neg() => Ops.Call("neg", this);
        public Tensor sign() => Ops.Call("sign", this);
        public Tensor floor() => Ops.Call("floor", this);
        public Tensor round(long decimals = 0) => Ops.Call("round.decimals", this, decimals);
        public Tensor round_(long decimals = 0) => Ops.InPlace("round_.decimals", this, decimals);
        public Tensor reciprocal() => Ops.Call("reciprocal", this);
        public Tensor sigmoid() => Ops.Call("sigmoid", this);
        public Tensor hardsigmoid() => Ops.Call("hardsigmoid", this);
        public Tensor hardswish() => Ops.Call("hardswish", this);
        public Tensor relu() => Ops.Call("relu", this);
        public Tensor relu_() => Ops.InPlace("relu_", this);

        public Tensor add(Tensor target) => add(target, One);
        public Tensor add(Tensor target, Scalar alpha) => Ops.Call("add.Tensor", this, target, alpha);
        public Tensor add(Scalar scalar) => add(scalar, One);
        public Tensor add(Scalar scalar, Scalar alpha) => Ops.Call("add.Scalar", this, scalar, alpha);
        public Tensor add_(Tensor target) => add_(target, One);
        public Tensor add_(Tensor target, Scalar alpha) => Ops.InPlace("add_.Tensor", this, target, alpha);
        public Tensor add_(Scalar scalar) => add_(scalar, One);
        public Tensor add_(Scalar scalar, Scalar alpha) => Ops.InPlace("add_.Scalar", this, scalar, alpha);

        public Tensor sub(Tensor target) => Ops.Call("sub.Tensor", this, target);
        public Tensor sub(Scalar target) => Ops.Call("sub.Scalar", this, target);
        public Tensor sub_(Tensor target) => Ops.InPlace("sub_.Tensor", this, target);
        public Tensor sub_(Scalar target) => Ops.InPlace("sub_.Scalar", this, target);

        public Tensor mul(Tensor target) => Ops.Call("mul.Tensor", this, target);
        public Tensor mul(Scalar target) => Ops.Call("mul.Scalar", this, target);
        public Tensor mul_(Tensor target) => Ops.InPlace("mul_.Tensor", this, target);
        public Tensor mul_(Scalar target) => Ops.InPlace("mul_.Scalar", this, target);

        public Tensor div(Tensor target, RoundingMode rounding_mode = RoundingMode.None) => Ops.Call("div.Tensor_mode", this, target, NameOf(rounding_mode));
        public Tensor div(Scalar target, RoundingMode rounding_mode = RoundingMode.None) => Ops.Call("div.Scalar_mode", this, target, NameOf(rounding_mode));
        public Tensor div_(Tensor target, RoundingMode rounding_mode = RoundingMode.None) => Ops.InPlace("div_.Tensor_mode", this, target, NameOf(rounding_mode));
        public Tensor div_(Scalar target, RoundingMode rounding_mode = RoundingMode.None) => Ops.InPlace("div_.Scalar_mode", this, target, NameOf(rounding_mode));

        public Tensor pow(Tensor exponent) => Ops.Call("pow.Tensor_Tensor", this, exponent);
        public Tensor pow(Scalar exponent) => Ops.Call("pow.Tensor_Scalar", this, exponent);

        public Tensor addcdiv_(Tensor tensor1, Tensor tensor2) => addcdiv_(tensor1, tensor2, One);
        public Tensor addcdiv_(Tensor tensor1, Tensor tensor2, Scalar value) => Ops.InPlace("addcdiv_", this, tensor1, tensor2, value);
        public Tensor addcmul_(Tensor tensor1, Tensor tensor2, Scalar value) => Ops.InPlace("addcmul_", this, tensor1, tensor2, value);
        public Tensor lerp(Tensor end, Tensor weight) => Ops.Call("lerp.Tensor", this, end, weight);
        public Tensor lerp_(Tensor end, Tensor weight) => Ops.InPlace("lerp_.Tensor", this, end, weight);

        public Tensor clamp(Scalar? min = null, Scalar? max = null) => Ops.Call("clamp", this, min, max);
        public Tensor clamp(Tensor? min = null, Tensor? max = null) => Ops.Call("clamp.Tensor", this, min, max);
        public Tensor clamp_(Scalar? min = null, Scalar? max = null) => Ops.InPlace("clamp_", this, min, max);
        public Tensor clamp_(Tensor? min = null, Tensor? max = null) => Ops.InPlace("clamp_.Tensor", this, min, max);
        public Tensor clamp_max(Scalar max) => Ops.Call("clamp_max", this, max);
        public Tensor clamp_min(Scalar min) => Ops.Call("clamp_min", this, min);
        public Tensor maximum(Tensor other) => Ops.Call("maximum", this, other);
        public Tensor minimum(Tensor other) => Ops.Call("minimum", this, other);

        public Tensor softmax(long dim, ScalarType? dtype = null) => Ops.Call("softmax.int", this, dim, Argument.Type(dtype));
        public Tensor log_softmax(long dim, ScalarType? dtype = null) => Ops.Call("log_softmax.int", this, dim, Argument.Type(dtype));

        public Tensor mm(Tensor target) => Ops.Call("mm", this, target);
        public Tensor bmm(Tensor batch2) => Ops.Call("bmm", this, batch2);
        public Tensor matmul(Tensor target) => Ops.Call("matmul", this, target);

        public Tensor fill_(Scalar value) => Ops.InPlace("fill_.Scalar", this, value);
        public Tensor zero_() => Ops.InPlace("zero_", this).alias();
        public Tensor copy_(Tensor source, bool nonBlocking = false) => Ops.InPlace("copy_", this, source, nonBlocking);
        public Tensor normal_(double mean = 0, double std = 1, Generator? generator = null) => Ops.InPlace("normal_", this, mean, std, generator);

        private static string? NameOf(RoundingMode mode) => mode == RoundingMode.None ? null : mode.ToString();
    }

    public static Tensor maximum(Tensor input, Tensor other) => input.maximum(other);

    public static Tensor minimum(Tensor input, Tensor other) => input.minimum(other);
}
