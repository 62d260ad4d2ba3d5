using Microsoft.ML.Distillation.Tensors;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Graphs.Operators;

/// <summary>Convolutions of every form, and matrix products.</summary>
internal static class Convolutions
{
    public static void AddTo(Dictionary<string, Operator> table)
    {
        table["Conv"] = Conv;
        table["ConvTranspose"] = Transposed;
        table["Gemm"] = Gemm;
        table["MatMul"] = call => [Product(call[0], call[1])];
    }

    private static Tensor[] Conv(OperatorCall call)
    {
        Tensor x = call[0], weight = call[1];
        Require(call, x, weight);
        Windows windows = Windows.Of(call.Node, weight.shape[2..], x.shape.AsSpan(2));
        long groups = call.Node.Int("group", 1);
        if (x.shape[1] != weight.shape[1] * groups) throw new FormatException(
            $"it wants {weight.shape[1] * groups} channels, not {x.shape[1]}.");
        if (call.ShapesOnly) return [zeros([x.shape[0], weight.shape[0], .. windows.Counts(x.shape.AsSpan(2))])];
        (x, long[] padding) = Padded(x, windows);
        bool pointwise = weight.shape is [_, _, 1, 1] && groups == 1 && padding is [0, 0] && windows.Strides[0] == windows.Strides[1];
        return [pointwise
            ? Pointwise.Run(x, weight, call.Optional(2), (int)windows.Strides[0])
            : nn.functional.conv2d(Ordered(x), weight, call.Optional(2), windows.Strides, padding, windows.Dilations, groups)];
    }

    // The weights are [from, to/groups, h, w].
    private static Tensor[] Transposed(OperatorCall call)
    {
        Tensor x = call[0], weight = call[1];
        Require(call, x, weight);
        if (x.shape[1] != weight.shape[0]) throw new FormatException($"it wants {weight.shape[0]} channels, not {x.shape[1]}.");
        long[] kernel = weight.shape[2..], more = call.Node.Ints("output_padding") ?? [0, 0];
        Windows windows = Windows.Of(call.Node, kernel, x.shape.AsSpan(2));
        long[] begin = windows.Begin, end = windows.End;
        string auto = call.Node.Text("auto_pad", "NOTSET");
        if (call.Node.Ints("output_shape") is { } output || (auto.StartsWith("SAME", StringComparison.Ordinal)
            && (output = [x.shape[2] * windows.Strides[0], x.shape[3] * windows.Strides[1]]) is not null))
        {
            for (int i = 0; i < 2; i++)
            {
                long total = (x.shape[2 + i] - 1) * windows.Strides[i] + more[i] + (kernel[i] - 1) * windows.Dilations[i] + 1
                    - output[^(2 - i)];
                more[i] += Math.Max(0, -total);
                total = Math.Max(0, total);
                (begin[i], end[i]) = auto == "SAME_UPPER" ? (total / 2, total - total / 2) : (total - total / 2, total / 2);
            }
        }

        bool symmetric = begin.AsSpan().SequenceEqual(end);
        Tensor y = nn.functional.conv_transpose2d(Ordered(x), weight, call.Optional(2), windows.Strides, symmetric ? begin : [0, 0], more,
            windows.Dilations, call.Node.Int("group", 1));
        return [symmetric ? y : nn.functional.pad(y, Windows.ForPad([-begin[0], -begin[1]], [-end[0], -end[1]]))];
    }

    // alpha · A · B + beta · C.
    private static Tensor[] Gemm(OperatorCall call)
    {
        Tensor a = call.Node.Flag("transA") ? call[0].t() : call[0], b = call.Node.Flag("transB") ? call[1].t() : call[1];
        Tensor product = Scaled(Product(a, b), call.Node.Float("alpha", 1));
        return [call.Optional(2) is { } c ? product.Plus(Scaled(c, call.Node.Float("beta", 1))) : product];
    }

    private static Tensor Scaled(Tensor x, float factor)
    {
        if (factor == 1) return x;
        using TorchSharp.Scalar scale = factor;
        return x.mul(scale);
    }

    // A product of shapes that do not fit ends the process in TorchSharp, so they are looked at first.
    private static Tensor Product(Tensor a, Tensor b)
    {
        long[] left = a.shape, right = b.shape;
        bool fits = left.Length > 0 && right.Length > 0 && left[^1] == (right.Length == 1 ? right[0] : right[^2]);
        for (int i = 3; fits && i <= Math.Min(left.Length, right.Length); i++)
            fits = left[^i] == right[^i] || left[^i] == 1 || right[^i] == 1;
        return fits ? a.matmul(b) : throw new FormatException("the shapes do not fit.");
    }

    private static (Tensor X, long[] Padding) Padded(Tensor x, Windows windows) => windows.IsSymmetric
        ? (x, windows.Begin) : (nn.functional.pad(x, Windows.ForPad(windows.Begin, windows.End)), [0, 0]);

    private static Tensor Ordered(Tensor x) => x.stride(1) == 1 ? x : ChannelsLast.Of(x);

    private static void Require(OperatorCall call, Tensor x, Tensor weight)
    {
        if (x.shape.Length != 4 || weight.shape.Length != 4)
            throw new NotSupportedException($"{call.Node.Label} is no convolution of images.");
    }
}
