using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Graphs.Operators;

/// <summary>The largest value or the mean of windows.</summary>
internal static class Pooling
{
    public static void AddTo(Dictionary<string, Operator> table)
    {
        table["MaxPool"] = MaxPool;
        table["AveragePool"] = AveragePool;
        table["GlobalAveragePool"] = call => [call[0].mean(Spatial(call), keepdim: true)];
        table["GlobalMaxPool"] = call => [call[0].amax(Spatial(call), keepdim: true)];
    }

    private static long[] Spatial(OperatorCall call) => [.. Enumerable.Range(2, call.Shape(0).Length - 2).Select(i => (long)i)];

    private static Tensor[] MaxPool(OperatorCall call)
    {
        (Tensor x, Windows windows) = Of(call);
        bool ceiling = call.Node.Flag("ceil_mode");
        if (IsPlain(windows))
            return [nn.functional.max_pool2d(x, windows.Kernel, windows.Strides, windows.Begin, windows.Dilations, ceiling)];
        Tensor padded = nn.functional.pad(x, Windows.ForPad(windows.Begin, windows.End), value: double.NegativeInfinity);
        return [Whole(nn.functional.max_pool2d(padded, windows.Kernel, windows.Strides, [0, 0], windows.Dilations, ceiling), x, windows)];
    }

    private static Tensor[] AveragePool(OperatorCall call)
    {
        (Tensor x, Windows windows) = Of(call);
        if (windows.Dilations.Any(d => d != 1)) throw new NotSupportedException($"{call.Node.Label} is dilated, which is not supported.");
        bool ceiling = call.Node.Flag("ceil_mode"), counts = call.Node.Flag("count_include_pad");
        if (IsPlain(windows)) return [nn.functional.avg_pool2d(x, windows.Kernel, windows.Strides, windows.Begin, ceiling, counts)];

        // The mean of what is there is the sum of the padded values by the number of those that count.
        Tensor padded = Sum(nn.functional.pad(x, Windows.ForPad(windows.Begin, windows.End)));
        Tensor there = nn.functional.pad(ones([1, 1, x.shape[2], x.shape[3]], x.dtype, x.device),
            Windows.ForPad(windows.Begin, windows.End), value: counts ? 1 : 0);
        return [padded.div(Sum(there))];

        Tensor Sum(Tensor map)
            => Whole(nn.functional.avg_pool2d(map, windows.Kernel, windows.Strides, [0, 0], ceiling, true, 1), x, windows);
    }

    // Without the windows that begin in the padding behind the map, which libtorch keeps where it does not know that it is padding.
    private static Tensor Whole(Tensor pooled, Tensor map, Windows windows)
    {
        for (int i = 0; i < 2; i++)
        {
            long beginning = (map.shape[2 + i] + windows.Begin[i] + windows.Strides[i] - 1) / windows.Strides[i];
            if (pooled.shape[2 + i] > beginning) pooled = pooled.narrow(2 + i, 0, beginning);
        }

        return pooled;
    }

    private static (Tensor X, Windows Windows) Of(OperatorCall call)
    {
        Tensor x = call[0];
        if (x.shape.Length != 4) throw new NotSupportedException($"{call.Node.Label} is no pooling of images.");
        long[] kernel = call.Node.Ints("kernel_shape") ?? throw new FormatException($"{call.Node.Label} lacks its kernel_shape.");
        return (x, Windows.Of(call.Node, kernel, x.shape.AsSpan(2)));
    }

    // What libtorch's own pooling can pad.
    private static bool IsPlain(Windows windows)
        => windows.IsSymmetric && windows.Begin.Zip(windows.Kernel).All(pair => 2 * pair.First <= pair.Second);
}
