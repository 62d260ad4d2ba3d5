using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>Runs a graph in ONNX Runtime and gives its outputs as flat arrays.</summary>
internal static class OnnxRun
{
    public static Dictionary<string, Array> Run(GraphBuilder graph, params NamedOnnxValue[] inputs)
        => Run(new OnnxModelFile(graph.Build([])).ToBytes(), inputs);

    public static Dictionary<string, Array> Run(byte[] model, params NamedOnnxValue[] inputs)
    {
        using var session = new InferenceSession(model);
        using IDisposableReadOnlyCollection<DisposableNamedOnnxValue> outputs = session.Run(inputs);
        return outputs.ToDictionary(o => o.Name, o => o.Value switch
        {
            Tensor<float> floats => floats.ToArray(),
            Tensor<long> longs => (Array)longs.ToArray(),
            _ => throw new NotSupportedException(o.Name),
        });
    }

    public static NamedOnnxValue Value<T>(string name, T[] values, params int[] shape)
        => NamedOnnxValue.CreateFromTensor(name, new DenseTensor<T>(values, shape));
}
