using Microsoft.ML.Distillation.Compression;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Quantization;

/// <summary>
/// Rounds the weights and the input of one layer. In training it follows the range of the inputs (a running average of each
/// batch's lowest and highest value) and rounds with it, as the exported layer will; in evaluation the range stays.
/// </summary>
internal sealed class LayerQuantizer : nn.Module
{
    /// <summary>The buffer that holds the lowest and the highest input.</summary>
    public const string RangeName = "input_range";

    private const float BatchShare = 0.05f;

    public LayerQuantizer(LowPrecision precision)
        : base(nameof(LayerQuantizer))
    {
        Precision = precision;
        if (precision.ActivationBits < 32) register_buffer(RangeName, zeros(2));
    }

    public LowPrecision Precision { get; }

    /// <summary>Whether the range is being taken from full-precision inputs: nothing is rounded, and the range grows to hold all.</summary>
    public bool Calibrating { get; set; }

    /// <summary>The lowest and the highest input [2], both 0 before any was seen.</summary>
    public Tensor Range => get_buffer(RangeName)!;

    /// <summary>Runs a layer on its rounded input and weights.</summary>
    /// <param name="apply">The layer's own arithmetic, of input and weights.</param>
    public Tensor Run(Tensor input, Tensor weight, Func<Tensor, Tensor, Tensor> apply)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor seen = input;
        if (Precision.ActivationBits < 32 && input.numel() > 0)
        {
            if (training || Calibrating) Follow(input);
            if (!Calibrating) seen = ActivationQuantizer.Round(input, Range, Precision.Quantizer);
        }

        return apply(seen, Calibrating ? weight : WeightQuantizer.Round(weight, Precision)).MoveToOuterDisposeScope();
    }

    private void Follow(Tensor input)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        (Tensor lowest, Tensor highest) = input.detach().aminmax();
        Tensor range = Range, batch = stack([lowest, highest]);
        Tensor next = Calibrating
            ? stack([range.select(0, 0).minimum(lowest), range.select(0, 1).maximum(highest)])
            : where(range.eq(zeros_like(range)).all(), batch, range.lerp(batch, tensor(BatchShare, device: range.device)));
        range.copy_(next);
    }
}
