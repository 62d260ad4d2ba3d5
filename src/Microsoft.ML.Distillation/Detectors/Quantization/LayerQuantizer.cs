using Microsoft.ML.Distillation.Compression;
using Microsoft.ML.Distillation.Distributed;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Quantization;

/// <summary>
/// Rounds the weights and the input of one layer. In training it follows the range of the inputs (a running average of each
/// batch's lowest and highest value) and rounds with it, as the exported layer will; in evaluation the range stays.
/// </summary>
internal sealed class LayerQuantizer : nn.Module, ISharedLayer
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

    /// <summary>Whose inputs the range follows in training.</summary>
    public RankGroup SharedBy { get; set; } = RankGroup.Alone;

    /// <summary>The lowest and the highest input [2], both 0 before any was seen.</summary>
    public Tensor Range => get_buffer(RangeName)!;

    /// <summary>Runs a layer on its rounded input and weights.</summary>
    /// <param name="apply">The layer's own arithmetic, of input and weights.</param>
    public Tensor Run(Tensor input, Tensor weight, Func<Tensor, Tensor, Tensor> apply)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor seen = input;
        if (Precision.ActivationBits < 32 && (input.numel() > 0 || SharedBy.AreSeveral))
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
        Tensor range = Range, batch = SharedBy.AreSeveral && !Calibrating ? ExtremesOfAll(input) : stack([.. Extremes(input)]);
        (Tensor lowest, Tensor highest) = (batch.select(0, 0), batch.select(0, 1));
        Tensor next = Calibrating
            ? stack([range.select(0, 0).minimum(lowest), range.select(0, 1).maximum(highest)])
            : where(range.eq(zeros_like(range)).all(), batch, range.lerp(batch, tensor(BatchShare, device: range.device)));
        range.copy_(next);
    }

    private static Tensor[] Extremes(Tensor input)
    {
        (Tensor lowest, Tensor highest) = input.detach().aminmax();
        return [lowest, highest];
    }

    /// <summary>The lowest and the highest input of all ranks [2]; those that have none do not count.</summary>
    private Tensor ExtremesOfAll(Tensor input)
    {
        // Where there is no region there is no input.
        float[] own = input.numel() == 0 ? [float.PositiveInfinity, float.NegativeInfinity]
            : [.. Extremes(input).Select(extreme => extreme.ToSingle())];
        double[] all = new double[2 * SharedBy.Count];
        (all[2 * SharedBy.Rank], all[2 * SharedBy.Rank + 1]) = (own[0], own[1]);
        all = SharedBy.Sums(all);
        float lowest = (float)all.Where((_, i) => i % 2 == 0).Min(), highest = (float)all.Where((_, i) => i % 2 == 1).Max();
        return float.IsFinite(lowest) ? tensor([lowest, highest], device: Range.device) : Range.clone();
    }
}

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

/// <summary>Finds the layers of a network that compute with few bits, and makes them do so.</summary>
internal static class LowPrecisionLayers
{
    /// <summary>Lowers the precision of a network's layers.</summary>
    /// <param name="last">The names of the layers that predict; like the first layer they stay in full precision unless asked for.</param>
    public static void Quantize(nn.Module network, LowPrecision precision, IReadOnlyCollection<string> last)
    {
        (string Name, ILowPrecisionLayer Layer)[] layers = [.. All(network)];
        for (int i = 0; i < layers.Length; i++)
        {
            (string name, ILowPrecisionLayer layer) = layers[i];
            bool spared = last.Contains(name) || i == 0 || name.StartsWith(layers[0].Name + '.', StringComparison.Ordinal);
            if (layer.IsWhole && (precision.FirstAndLastLayers || !spared)) layer.Quantize(precision);
        }

        // New modules are in training mode, whatever the network is in.
        network.train(network.training);
    }

    /// <summary>The layers of low precision, by their names in the state dict.</summary>
    public static IEnumerable<(string Name, ILowPrecisionLayer Layer)> In(nn.Module network)
        => All(network).Where(l => l.Layer.Quantizer is not null);

    /// <summary>The names of the layers whose weights all round to 0: whatever they are shown, they answer with their bias.</summary>
    public static IReadOnlyList<string> Dead(nn.Module network)
    {
        using DisposeScope scope = NewDisposeScope();
        return [.. In(network).Where(l => WeightQuantizer
            .Of(l.Layer.Weight, l.Layer.Quantizer!.Precision).Integers.abs().max().item<float>() == 0).Select(l => l.Name)];
    }

    /// <summary>Takes the ranges of the layers' inputs from full-precision runs.</summary>
    /// <param name="runs">Runs the network on representative images.</param>
    public static void Calibrate(nn.Module network, Action runs)
    {
        LayerQuantizer[] quantizers = [.. In(network).Select(l => l.Layer.Quantizer!)];
        foreach (LayerQuantizer quantizer in quantizers) quantizer.Calibrating = true;
        try
        {
            runs();
        }
        finally
        {
            foreach (LayerQuantizer quantizer in quantizers) quantizer.Calibrating = false;
        }
    }

    private static IEnumerable<(string Name, ILowPrecisionLayer Layer)> All(nn.Module network)
        => network.named_modules().Where(m => m.module is ILowPrecisionLayer).Select(m => (m.name, (ILowPrecisionLayer)m.module));
}
