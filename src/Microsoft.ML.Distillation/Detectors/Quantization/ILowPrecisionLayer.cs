using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Quantization;

/// <summary>A layer of weights that can compute with few bits: a convolution or a fully connected layer.</summary>
internal interface ILowPrecisionLayer
{
    /// <summary>What rounds its numbers; <see langword="null"/> in full precision.</summary>
    LayerQuantizer? Quantizer { get; }

    /// <summary>Whether it has weights of its own; one in parts has not.</summary>
    bool IsWhole { get; }

    /// <summary>Its full-precision weights [C,…].</summary>
    Tensor Weight { get; }

    /// <summary>Its bias [C], or none.</summary>
    Tensor? Bias { get; }

    /// <summary>The batch normalisation behind it, which is folded into its scales and bias in a file; or none.</summary>
    BatchNorm2d? Norm { get; }

    /// <summary>Lowers its precision.</summary>
    void Quantize(LowPrecision precision);
}
