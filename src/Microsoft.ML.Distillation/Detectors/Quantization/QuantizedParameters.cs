using Microsoft.ML.Distillation.Compression;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Quantization;

/// <summary>
/// Layers of low precision in an ONNX file: their input goes through QuantizeLinear and DequantizeLinear, their weights are integers
/// behind a DequantizeLinear. The parameters, by the layer's name in the state dict: <c>weight</c> (INT8, or INT4 for 4 and 2 bits),
/// <c>weight_scale</c>, <c>bias</c>, <c>input_scale</c>, <c>input_zero</c>.
/// </summary>
internal static class QuantizedParameters
{
    private const string WeightScale = DetectorGraph.WeightScale;
    private const string InputScale = DetectorGraph.InputScale;
    private const string InputZero = "input_zero";

    /// <summary>Writes a layer's rounded input, its weights, and its bias (empty where there is none).</summary>
    /// <param name="name">The layer's name in the state dict.</param>
    public static (string Input, string Weight, string Bias) Write(GraphBuilder graph, string input, ILowPrecisionLayer layer, string name)
    {
        LayerQuantizer quantizer = layer.Quantizer!;
        if (quantizer.Precision.ActivationBits < 32)
        {
            using DisposeScope scope = NewDisposeScope();
            (Tensor step, Tensor zeroPoint) = ActivationQuantizer.Grid(quantizer.Range, quantizer.Precision.Quantizer);
            string inputScale = graph.Parameter($"{name}.{InputScale}", TensorArrays.Floats(step), []);
            string inputZero = graph.ByteParameter($"{name}.{InputZero}", (byte)TensorArrays.Floats(zeroPoint)[0]);
            string rounded = graph.Add("QuantizeLinear", [input, inputScale, inputZero]);
            input = graph.Add("DequantizeLinear", [rounded, inputScale, inputZero]);
        }

        var folded = FoldedWeights.Of(layer);
        bool bytes = quantizer.Precision.WeightBits == 8;
        string integers = graph.IntegerParameter($"{name}.weight", folded.Integers, bytes ? 8 : 4, layer.Weight.shape);
        string scale = graph.Parameter($"{name}.{WeightScale}", folded.Scale, folded.Scale.Length);
        // Zero is the default, but ONNX Runtime up to 1.23 puts a single one beside the channels' scales and then refuses the pair.
        string[] inputs = bytes ? [integers, scale,
            graph.Zeros(TensorProto.Types.DataType.Int8, sizeof(sbyte), graph.Integers(folded.Scale.Length))] : [integers, scale];
        string weight = graph.Add("DequantizeLinear", inputs, ("axis", 0));
        return (input, weight, folded.Bias is null ? "" : graph.Parameter($"{name}.bias", folded.Bias, folded.Bias.Length));
    }

    /// <summary>Gives a detector's layers of low precision what a file holds of them.</summary>
    /// <returns>The entries of the detector's state dict that are done with.</returns>
    /// <exception cref="FormatException">A parameter is missing or of another size.</exception>
    public static IReadOnlySet<string> Restore(Detector detector, OnnxModelFile model)
    {
        var done = new HashSet<string>();
        if (detector.Precision is null) return done;
        IReadOnlyDictionary<string, OnnxIntegers> integers = model.Integers();
        IReadOnlyDictionary<string, OnnxTensor> floats = model.Parameters();
        Dictionary<nn.Module, string> names = detector.named_modules().ToDictionary(m => m.module, m => m.name);
        foreach ((string name, ILowPrecisionLayer layer) in LowPrecisionLayers.In(detector))
        {
            if (!integers.TryGetValue($"{name}.weight", out OnnxIntegers? weight) || weight.Values.Length != layer.Weight.numel())
                throw new FormatException($"The ONNX model lacks the integers of the parameter '{name}.weight', or they are of another "
                    + $"size than the network's.");
            float[] scale = Floats($"{name}.{WeightScale}", (int)layer.Weight.shape[0]);
            float[]? bias = layer.Bias is null && layer.Norm is null ? null : Floats($"{name}.bias", scale.Length);
            new FoldedWeights(weight.Values, scale, bias).Restore(layer);
            if (layer.Quantizer!.Precision.ActivationBits < 32)
            {
                float step = Floats($"{name}.{InputScale}", 1)[0];
                int zeroPoint = model.ByteParameter($"{name}.{InputZero}");
                using Tensor range = tensor([-zeroPoint * step, (255 - zeroPoint) * step]);
                layer.Quantizer.Range.copy_(range);
            }

            done.UnionWith([$"{name}.weight", $"{name}.bias", $"{name}.quantizer.{LayerQuantizer.RangeName}"]);
            if (layer.Norm is not { } norm) continue;
            done.UnionWith(norm.state_dict().Keys.Select(part => $"{names[norm]}.{part}"));
        }

        return done;

        float[] Floats(string name, int length) => floats.TryGetValue(name, out OnnxTensor? stored) && stored.Values.Length == length
            ? stored.Values
            : throw new FormatException($"The ONNX model lacks the parameter '{name}', or it is not {length} numbers.");
    }
}
