using Microsoft.ML.Distillation.Onnx.Proto;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Graphs;

/// <summary>What the parameters of a graph start from where its own values are not wanted or not there.</summary>
internal static class FreshParameters
{
    private const float Slope = 0.25f;

    /// <summary>
    /// A parameter by the operator that uses it: factors of convolutions and products by the rule that keeps the size of gradients (He
    /// et al. 2015), scales 1, slopes as PyTorch's, everything else 0.
    /// </summary>
    public static Tensor Of(string name, GraphCut cut)
    {
        TensorProto stored = cut.Initializers[name];
        long[] shape = [.. stored.Dims];
        GraphNode? user = cut.Nodes.FirstOrDefault(node => node.Inputs.Contains(name));
        switch (user?.Op)
        {
            case "Conv" or "ConvTranspose" or "Gemm" or "MatMul" when shape.Length >= 2:
                return nn.init.kaiming_normal_(empty(shape), mode: nn.init.FanInOut.FanOut, nonlinearity: nn.init.NonlinearityType.ReLU);
            case "PRelu":
                float[] slopes = new float[GraphTensors.Count(stored)];
                Array.Fill(slopes, Slope);
                return tensor(slopes, shape);
            case "Mul" or "Div":
                return ones(shape);
            case { } op when op.EndsWith("Normalization", StringComparison.Ordinal) && (user.Input(1) == name || user.Input(4) == name):
                return ones(shape);
            default:
                return zeros(shape);
        }
    }
}
