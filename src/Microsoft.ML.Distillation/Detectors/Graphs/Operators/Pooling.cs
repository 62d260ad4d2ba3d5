using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Graphs.Operators;

/// <summary>Pooling.</summary>
internal static class Pooling
{
    public static void AddTo(Dictionary<string, Operator> table)
    {
        table["MaxPool"] = MaxPool;
    }

    private static Tensor[] MaxPool(OperatorCall call)
    {
        Tensor x = call[0];
        if (x.shape.Length != 4) throw new NotSupportedException($"{call.Node.Label} is no pooling of images.");
        Windows windows = Windows.Of(call.Node, call.Node.Ints("kernel_shape")!, x.shape.AsSpan(2));
        long[] padding = windows.Begin;
        if (!windows.IsSymmetric)
        {
            x = nn.functional.pad(x, Windows.ForPad(windows.Begin, windows.End), value: double.NegativeInfinity);
            padding = [0, 0];
        }

        return [nn.functional.max_pool2d(x, windows.Kernel, windows.Strides, padding, windows.Dilations, call.Node.Flag("ceil_mode"))];
    }
}
