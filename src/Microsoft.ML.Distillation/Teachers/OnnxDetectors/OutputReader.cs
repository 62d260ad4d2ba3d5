using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors;

/// <summary>Reads a batch's output as each image's own.</summary>
internal static class OutputReader
{
    /// <summary>The output of each image; <see langword="null"/> where several images were shown and the output is not theirs one by one.</summary>
    /// <param name="images">The number of images that the model was shown.</param>
    /// <param name="batched">Whether outputs have a batch's axis.</param>
    public static OnnxOutput[]? Read(string name, OrtValue value, int images, bool batched)
    {
        OrtTensorTypeAndShapeInfo info = value.GetTensorTypeAndShape();
        int[] shape = Array.ConvertAll(info.Shape, length => checked((int)length));
        bool integer = info.ElementDataType is not (TensorElementType.Float or TensorElementType.Float16 or TensorElementType.Double);
        float[] values = Floats(name, value, info.ElementDataType);
        if (!batched || (images == 1 && (shape.Length == 0 || shape[0] != 1)))
            return images == 1 ? [new OnnxOutput(name, shape, values, integer)] : null;
        if (shape.Length == 0 || shape[0] != images) return null;
        int length = values.Length / images;
        return [.. Enumerable.Range(0, images).Select(i => new OnnxOutput(name, shape[1..], values.AsMemory(i * length, length), integer))];
    }

    private static float[] Floats(string name, OrtValue value, TensorElementType type) => type switch
    {
        TensorElementType.Float => value.GetTensorDataAsSpan<float>().ToArray(),
        TensorElementType.Float16 => Array.ConvertAll(value.GetTensorDataAsSpan<Float16>().ToArray(), item => (float)item),
        TensorElementType.Double => Array.ConvertAll(value.GetTensorDataAsSpan<double>().ToArray(), item => (float)item),
        TensorElementType.Int64 => Array.ConvertAll(value.GetTensorDataAsSpan<long>().ToArray(), item => (float)item),
        TensorElementType.Int32 => Array.ConvertAll(value.GetTensorDataAsSpan<int>().ToArray(), item => (float)item),
        TensorElementType.UInt8 => Array.ConvertAll(value.GetTensorDataAsSpan<byte>().ToArray(), item => (float)item),
        TensorElementType.Bool => Array.ConvertAll(value.GetTensorDataAsSpan<bool>().ToArray(), item => item ? 1f : 0),
        _ => throw new NotSupportedException($"The teacher's output '{name}' holds {type}, which cannot be read."),
    };
}
