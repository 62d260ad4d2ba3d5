using Microsoft.ML.Distillation.Data;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors;

/// <summary>
/// The inputs beside the image by which some exports learn the image's size, to scale their boxes to it. They are told the size of
/// the input itself, so that boxes come in its pixels.
/// </summary>
internal static class AuxiliaryInputs
{
    /// <summary>The values of all inputs but the image's, for a batch.</summary>
    /// <exception cref="NotSupportedException">What an input means is not known.</exception>
    public static IEnumerable<KeyValuePair<string, OrtValue>> For(InferenceSession session, InputSpec image, int images, ImageSize size, string source)
    {
        foreach (string name in session.InputNames.Where(name => name != image.Name))
        {
            float[] row = Row(name.ToUpperInvariant(), size) ?? throw new NotSupportedException(
                $"The teacher '{source}' has the input '{name}' beside the image '{image.Name}', and what it wants there is not known. "
                + "Known are orig_target_sizes (width, height), im_shape (height, width) and scale_factor.");
            float[] values = [.. Enumerable.Repeat(row, images).SelectMany(values => values)];
            long[] shape = [images, row.Length];
            OrtValue value = session.InputMetadata[name].ElementDataType switch
            {
                TensorElementType.Int64 => OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(values, v => (long)v), shape),
                TensorElementType.Int32 => OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(values, v => (int)v), shape),
                _ => OrtValue.CreateTensorValueFromMemory(values, shape),
            };
            yield return KeyValuePair.Create(name, value);
        }
    }

    private static float[]? Row(string name, ImageSize size) => name switch
    {
        _ when name.Contains("TARGET_SIZE", StringComparison.Ordinal) => [size.Width, size.Height],
        _ when name.Contains("SCALE_FACTOR", StringComparison.Ordinal) => [1, 1],
        _ when name.Contains("IM_SHAPE", StringComparison.Ordinal) || name.Contains("IMAGE_SHAPE", StringComparison.Ordinal) => [size.Height, size.Width],
        _ => null,
    };
}
