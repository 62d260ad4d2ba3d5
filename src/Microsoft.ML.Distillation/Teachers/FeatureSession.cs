using System.Runtime.InteropServices;
using Google.Protobuf;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using Microsoft.ML.Distillation.Tensors;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Teachers;

/// <summary>
/// Computes the maps of a detector that learns no more by ONNX Runtime, whose convolutions on processors, with normalisation and
/// activation in one, take less time than libtorch's.
/// </summary>
internal sealed class FeatureSession : IDisposable
{
    private const string Images = "images";

    private readonly InferenceSession _session;
    private readonly string[] _maps;

    /// <param name="detector">The detector, on the CPU and in evaluation mode.</param>
    /// <exception cref="DllNotFoundException">ONNX Runtime's native library is missing.</exception>
    public FeatureSession(Detector detector)
    {
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        var graph = new GraphBuilder();
        ImageSize size = detector.InputSize;
        graph.Input(Images, TensorProto.Types.DataType.Float, "n", 3, size.Height, size.Width);
        foreach ((string name, string value) in detector.WriteFeatures(graph, Images))
            graph.Output(name, value, TensorProto.Types.DataType.Float, "n", "channels", "height", "width");
        _maps = [.. detector.FeatureMaps.Select(map => map.Name)];
        // Libtorch computes with as many threads between two runs: those of either must not spin while the other works.
        var settings = new SessionSettings { Threads = get_num_threads(), Spins = false };
        byte[] model = graph.Build([]).ToByteArray();
        _session = settings.Open("the teacher's network", options => new InferenceSession(model, options)).Session;
    }

    /// <summary>The maps [N,C,h,w] by name.</summary>
    /// <param name="images">[N,3,H,W], RGB, 0 to 1, float.</param>
    public IReadOnlyDictionary<string, Tensor> Run(Tensor images)
    {
        using DisposeScope scope = NewDisposeScope();
        using OrtValue seen = OrtValue.CreateTensorValueFromMemory(TensorArrays.Floats(images), images.shape);
        using var options = new RunOptions();
        using IDisposableReadOnlyCollection<OrtValue> values = _session.Run(options, [Images], [seen], _maps);
        var maps = new Dictionary<string, Tensor>();
        foreach ((string name, OrtValue value) in _maps.Zip(values))
        {
            Tensor map = empty(value.GetTensorTypeAndShape().Shape);
            MemoryMarshal.AsBytes(value.GetTensorDataAsSpan<float>()).CopyTo(map.bytes);
            maps[name] = ChannelsLast.Of(map).MoveToOuterDisposeScope();
        }

        return maps;
    }

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();
}
