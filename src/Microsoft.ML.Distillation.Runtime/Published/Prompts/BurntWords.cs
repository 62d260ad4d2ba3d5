using System.Runtime.InteropServices;
using Google.Protobuf;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using Microsoft.ML.OnnxRuntime;
using DataType = Microsoft.ML.Distillation.Onnx.Proto.TensorProto.Types.DataType;

namespace Microsoft.ML.Distillation.Published.Prompts;

/// <summary>
/// Burns words into a graph that holds image tower and text tower both: what it is told becomes constant, so that ONNX Runtime computes the
/// text tower once, when it loads the graph, and not once an image.
/// </summary>
internal static class BurntWords
{
    // A model is at hand three times while it is changed.
    private const long LargestFile = 1L << 30;

    /// <summary>The graph with its words burnt in; <see langword="null"/>: it cannot be changed, and is told them with every
    /// image.</summary>
    public static InferenceSession? Burn(OnnxSource source, TextPass pass, OnnxDetectorOptions options)
    {
        if ((source.Content?.LongLength ?? new FileInfo(source.Name).Length) > LargestFile) return null;
        TensorProto?[] constants = [.. pass.Inputs.Select(Constant)];
        if (constants.Any(constant => constant is null)) return null;
        ModelProto model = OnnxModelFile.Parse(source.Read(), source.Name).Model;
        foreach (TensorProto? constant in constants)
        {
            ValueInfoProto? input = model.Graph.Input.FirstOrDefault(input => input.Name == constant!.Name);
            if (input is null) return null;
            model.Graph.Input.Remove(input);
            model.Graph.Initializer.Add(constant);
        }

        SessionSettings settings = options.Session with { Spins = false };
        if (source.Content is null && GraphSurgery.HasExternalData(model))
            settings = settings with { ExternalFolder = Path.GetDirectoryName(Path.GetFullPath(source.Name)) };
        byte[] bytes = new OnnxModelFile(model).ToBytes();
        try
        {
            return settings.Open(source.Name, asked => new InferenceSession(bytes, asked)).Session;
        }
        catch (FormatException)
        {
            // Before ONNX of 2019 a constant had to be an input too.
            return null;
        }
    }

    private static TensorProto? Constant(OnnxInput input)
    {
        (DataType Type, ByteString Data)? content = input.Values switch
        {
            long[] values => (DataType.Int64, Bytes<long>(values)),
            int[] values => (DataType.Int32, Bytes<int>(values)),
            bool[] values => (DataType.Bool, Bytes<bool>(values)),
            float[] values => (DataType.Float, Bytes<float>(values)),
            _ => null,
        };
        if (content is not { } of) return null;
        var tensor = new TensorProto { Name = input.Name, DataType = (int)of.Type, RawData = of.Data };
        tensor.Dims.AddRange(input.Shape);
        return tensor;
    }

    private static ByteString Bytes<T>(ReadOnlySpan<T> values) where T : unmanaged => ByteString.CopyFrom(MemoryMarshal.AsBytes(values));
}
