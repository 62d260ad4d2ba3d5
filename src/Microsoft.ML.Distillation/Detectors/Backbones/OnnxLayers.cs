using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Detectors.Quantization;
using Microsoft.ML.Distillation.Onnx;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Backbones;

/// <summary>Writes layers into an ONNX graph, their parameters under the names of the state dict.</summary>
internal static class OnnxLayers
{
    public static string BatchNorm(GraphBuilder graph, string input, BatchNorm2d layer, string name) => graph.Add(
        "BatchNormalization",
        [
            input,
            Parameter(graph, layer.weight!, $"{name}.weight"),
            Parameter(graph, layer.bias!, $"{name}.bias"),
            Parameter(graph, layer.running_mean!, $"{name}.running_mean"),
            Parameter(graph, layer.running_var!, $"{name}.running_var"),
        ],
        ("epsilon", layer.eps));

    public static string Linear(GraphBuilder graph, string input, ILowPrecisionLayer layer, string name)
    {
        (string x, string weight, string bias) = Values(graph, input, layer, name);
        return graph.Add("Gemm", bias.Length == 0 ? [x, weight] : [x, weight, bias], ("transB", 1));
    }

    /// <summary>
    /// A square convolution that keeps its resolution but for the stride, with its normalisation where that is folded in.
    /// </summary>
    public static string Convolution(
        GraphBuilder graph, string input, ILowPrecisionLayer layer, int stride, int groups, int dilation, string name)
    {
        (string x, string weight, string bias) = Values(graph, input, layer, name);
        long[] shape = layer.Weight.shape;
        long padding = dilation * (shape[2] / 2);
        return graph.Add(
            "Conv",
            bias.Length == 0 ? [x, weight] : [x, weight, bias],
            ("kernel_shape", shape[2..]),
            ("strides", new[] { stride, stride }),
            ("pads", new[] { padding, padding, padding, padding }),
            ("dilations", new[] { dilation, dilation }),
            ("group", groups));
    }

    public static string MaxPool(GraphBuilder graph, string input, int kernel, int stride, int padding, bool ceiling = false) => graph.Add(
        "MaxPool",
        [input],
        ("kernel_shape", new[] { kernel, kernel }),
        ("strides", new[] { stride, stride }),
        ("pads", new[] { padding, padding, padding, padding }),
        ("ceil_mode", ceiling ? 1 : 0));

    /// <summary>What a layer computes with: its input, its weights, and its bias (empty where there is none).</summary>
    private static (string Input, string Weight, string Bias) Values(GraphBuilder graph, string input, ILowPrecisionLayer layer,
        string name)
        => layer.Quantizer is not null
            ? QuantizedParameters.Write(graph, input, layer, name)
            : (input, Parameter(graph, layer.Weight, $"{name}.weight"), layer.Bias is null ? ""
                : Parameter(graph, layer.Bias, $"{name}.bias"));

    private static string Parameter(GraphBuilder graph, Tensor values, string name)
        => graph.Parameter(name, TensorArrays.Floats(values), values.shape);
}
