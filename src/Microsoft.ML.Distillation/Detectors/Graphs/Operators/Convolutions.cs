using Microsoft.ML.Distillation.Tensors;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Graphs.Operators;

/// <summary>Convolutions of every form, and matrix products.</summary>
internal static class Convolutions
{
    public static void AddTo(Dictionary<string, Operator> table)
    {
        table["Conv"] = Conv;
    }

    private static Tensor[] Conv(OperatorCall call)
    {
        Tensor x = call[0], weight = call[1];
        Windows windows = Windows.Of(call.Node, weight.shape[2..], x.shape.AsSpan(2));
        long groups = call.Node.Int("group", 1);
        if (x.shape[1] != weight.shape[1] * groups) throw new FormatException(
            $"{call.Node.Label} wants {weight.shape[1] * groups} channels, not {x.shape[1]}.");
        long[] padding = windows.Begin;
        if (!windows.IsSymmetric)
        {
            x = nn.functional.pad(x, Windows.ForPad(windows.Begin, windows.End));
            padding = [0, 0];
        }

        bool pointwise = weight.shape[2..].All(k => k == 1) && groups == 1 && padding.All(p => p == 0)
            && windows.Strides[0] == windows.Strides[^1];
        if (weight.shape.Length != 4) throw new NotSupportedException($"{call.Node.Label} is no convolution of images.");
        return [pointwise
            ? Pointwise.Run(x, weight, call.Optional(2), (int)windows.Strides[0])
            : nn.functional.conv2d(x.stride(1) == 1 ? x : ChannelsLast.Of(x), weight, call.Optional(2), windows.Strides, padding,
                windows.Dilations, (int)groups)];
    }
}
