using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Quantization;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Distillation.Estimators;

/// <summary>Layers of low precision that let nothing through, because all of their weights round to 0.</summary>
internal static class SilentLayers
{
    /// <summary>Names them, and says what to do.</summary>
    public static void Warn(IChannel channel, Detector detector)
    {
        IReadOnlyList<string> names = LowPrecisionLayers.Silent(detector);
        if (names.Count == 0) return;
        channel.Warning(MessageSensitivity.None,
            $"In {detector.Precision} all weights of these layers round to 0, so that nothing that they are shown gets through: {string.Join(", ", names)}. "
            + $"{nameof(QuantizerKind)}.{nameof(QuantizerKind.PerChannel)} takes its steps from the weights, and 8 bits have finer ones");
    }
}
