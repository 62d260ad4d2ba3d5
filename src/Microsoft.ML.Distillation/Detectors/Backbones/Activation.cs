using Microsoft.ML.Distillation.Onnx;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Backbones;

/// <summary>What follows a convolution and its normalisation.</summary>
internal enum Activation
{
    None,
    Relu,

    /// <summary>x · min(max(x + 3, 0), 6) / 6 (Howard et al. 2019).</summary>
    HardSwish,
}

/// <summary>Activations in a network and in an ONNX graph.</summary>
internal static class ActivationExtensions
{
    /// <summary>Applies an activation to a value that nobody else needs; the value is disposed or reused.</summary>
    public static Tensor Take(this Activation activation, Tensor value)
    {
        if (activation == Activation.None) return value;
        if (activation == Activation.Relu) return value.relu_();
        using (value) return value.hardswish();
    }

    public static string Write(this Activation activation, GraphBuilder graph, string value) => activation switch
    {
        Activation.Relu => graph.Add("Relu", [value]),
        Activation.HardSwish => graph.Add("HardSwish", [value]),
        _ => value,
    };
}
