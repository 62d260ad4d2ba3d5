using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Published.Prompts;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.Distillation.Published;

/// <summary>
/// The inputs beside the image by which some exports learn the image's size, to scale their boxes to it, or what of the input is image.
/// They are told the size of the input itself, so that boxes come in its pixels, and that all of it is image.
/// </summary>
internal static class AuxiliaryInputs
{
    /// <summary>Whether an input wants to know which of the pixels are image and which are padding, as Hugging Face's DETR.</summary>
    public static bool IsMask(string name) => name.Contains("mask", StringComparison.OrdinalIgnoreCase);

    /// <summary>The values of all inputs but the image's, for a batch.</summary>
    /// <param name="size">The size of the input.</param>
    /// <param name="told">The sizes that the images shall have for the model; <see langword="null"/>: that of the input.</param>
    /// <exception cref="NotSupportedException">What an input means is not known.</exception>
    public static IEnumerable<KeyValuePair<string, OrtValue>> For(InferenceSession session, InputSpec image, int images, ImageSize size,
        IReadOnlyList<ImageSize>? told, string source)
    {
        foreach (string name in session.InputNames.Where(name => name != image.Name))
        {
            NodeMetadata metadata = session.InputMetadata[name];
            bool mask = IsMask(name) && metadata.Dimensions.Length is 3 or 4;
            // Some exports want a mask of fixed size whatever the image's.
            int[] sides = mask ? [Side(metadata.Dimensions[^2], size.Height), Side(metadata.Dimensions[^1], size.Width)] : [];
            float[] values = mask ? Ones(images * sides[0] * sides[1])
                : [.. Enumerable.Range(0, images).SelectMany(i => Row(name.ToUpperInvariant(), size,
                    told is not null && i < told.Count ? told[i] : size) ?? throw new NotSupportedException(
                        PromptedInputs.AreWordsOf(session)
                        ? $"The detector '{source}' is told in words (its input '{name}'): "
                        + $"give it prompts, in the option {nameof(OnnxDetectorOptions.Prompts)}."
                        : $"The detector '{source}' has the input '{name}' beside the image '{image.Name}', and what it wants there is not "
                        + "known. Known are orig_target_sizes (width, height), im_shape and image_shape (height, width), im_info (height, "
                        + "width, scale), scale_factor and pixel_mask."))];
            long[] shape = !mask ? [images, values.Length / images]
                : metadata.Dimensions.Length == 3 ? [images, sides[0], sides[1]] : [images, 1, sides[0], sides[1]];
            yield return KeyValuePair.Create(name, Value(values, shape, metadata.ElementDataType));
        }
    }

    private static OrtValue Value(float[] values, long[] shape, TensorElementType type) => type switch
    {
        TensorElementType.Int64 => OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(values, v => (long)v), shape),
        TensorElementType.Int32 => OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(values, v => (int)v), shape),
        TensorElementType.Bool => OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(values, v => v != 0), shape),
        TensorElementType.UInt8 => OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(values, v => (byte)v), shape),
        TensorElementType.Float16 => OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(values, v => (Float16)v), shape),
        _ => OrtValue.CreateTensorValueFromMemory(values, shape),
    };

    private static int Side(int dimension, int input) => dimension > 0 ? dimension : input;

    private static float[] Ones(int count)
    {
        var values = new float[count];
        Array.Fill(values, 1);
        return values;
    }

    private static float[]? Row(string name, ImageSize input, ImageSize told) => name switch
    {
        _ when name.Contains("TARGET_SIZE", StringComparison.Ordinal) => [told.Width, told.Height],
        _ when name.Contains("SCALE_FACTOR", StringComparison.Ordinal)
            => [(float)input.Height / told.Height, (float)input.Width / told.Width],
        _ when name.Contains("IM_SHAPE", StringComparison.Ordinal) => [input.Height, input.Width],
        _ when name.Contains("IM_INFO", StringComparison.Ordinal) => [input.Height, input.Width, 1],
        _ when name.Contains("IMAGE_SHAPE", StringComparison.Ordinal) => [told.Height, told.Width],
        _ => null,
    };
}
