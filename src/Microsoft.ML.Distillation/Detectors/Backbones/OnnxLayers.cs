using Microsoft.ML.Distillation.Detectors.Boxes;
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

    public static string Linear(GraphBuilder graph, string input, Linear layer, string name)
    {
        string weight = Parameter(graph, layer.weight!, $"{name}.weight");
        string[] inputs = layer.bias is null ? [input, weight] : [input, weight, Parameter(graph, layer.bias, $"{name}.bias")];
        return graph.Add("Gemm", inputs, ("transB", 1));
    }

    public static string MaxPool(GraphBuilder graph, string input, int kernel, int stride, int padding, bool ceiling = false) => graph.Add(
        "MaxPool",
        [input],
        ("kernel_shape", new[] { kernel, kernel }),
        ("strides", new[] { stride, stride }),
        ("pads", new[] { padding, padding, padding, padding }),
        ("ceil_mode", ceiling ? 1 : 0));

    private static string Parameter(GraphBuilder graph, Tensor values, string name)
        => graph.Parameter(name, TensorArrays.Floats(values), values.shape);
}
