using Microsoft.ML.Distillation.Compression;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Quantization;

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
    public static IEnumerable<(string Name, ILowPrecisionLayer Layer)> In(nn.Module network) => All(network).Where(l => l.Layer.Quantizer is not null);

    /// <summary>The names of the layers whose weights all round to 0: whatever they are shown, they answer with their bias.</summary>
    public static IReadOnlyList<string> Silent(nn.Module network)
    {
        using DisposeScope scope = NewDisposeScope();
        return [.. In(network).Where(l => WeightQuantizer.Of(l.Layer.Weight, l.Layer.Quantizer!.Precision).Integers.abs().max().item<float>() == 0).Select(l => l.Name)];
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
