using Microsoft.ML.Distillation.Data;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors;

/// <summary>What a graph says of the input that takes the image.</summary>
/// <param name="Name">The input's name.</param>
/// <param name="Type">Float, half precision, or bytes.</param>
/// <param name="HasBatch">Whether it takes batches; else one image [3,H,W].</param>
/// <param name="FixedBatch">The number of images that it takes at once, where the graph fixes it.</param>
/// <param name="ChannelsLast">Whether the colours are the last axis.</param>
/// <param name="Width">The width in pixels, where the graph fixes it.</param>
/// <param name="Height">The height in pixels, where the graph fixes it.</param>
internal sealed record InputSpec(
    string Name, TensorElementType Type, bool HasBatch, int? FixedBatch, bool ChannelsLast, int? Width, int? Height)
{
    /// <summary>Whether it takes bytes.</summary>
    public bool TakesBytes => Type == TensorElementType.UInt8;

    /// <summary>Finds the image's input in a graph.</summary>
    /// <exception cref="NotSupportedException">No input takes an image.</exception>
    public static InputSpec Of(InferenceSession session, string source)
    {
        foreach (string name in session.InputNames)
        {
            if (TryRead(name, session.InputMetadata[name]) is { } spec) return spec;
        }

        string inputs = string.Join(", ", session.InputNames.Select(n => Describe(n, session.InputMetadata[n])));
        throw new NotSupportedException(
            $"The teacher '{source}' has no input that takes an image ([N, 3, H, W], [N, H, W, 3] or [3, H, W] of floats, half floats or bytes); "
            + $"it has {inputs}.");
    }

    /// <summary>The shape of an input of some images.</summary>
    public long[] Shape(int images, ImageSize size)
    {
        long[] image = ChannelsLast ? [size.Height, size.Width, 3] : [3, size.Height, size.Width];
        return HasBatch ? [images, .. image] : image;
    }

    private static InputSpec? TryRead(string name, NodeMetadata metadata)
    {
        if (!metadata.IsTensor) return null;
        if (metadata.ElementDataType is not (TensorElementType.Float or TensorElementType.Float16 or TensorElementType.UInt8)) return null;
        int[] shape = metadata.Dimensions;
        if (shape.Length is not (3 or 4)) return null;
        bool hasBatch = shape.Length == 4;
        int[] image = hasBatch ? shape[1..] : shape;
        bool channelsLast = image[2] == 3 && image[0] != 3;
        if (!channelsLast && image[0] != 3 && image[0] > 0) return null;
        (int height, int width) = channelsLast ? (image[0], image[1]) : (image[1], image[2]);
        return new InputSpec(
            name, metadata.ElementDataType, hasBatch, hasBatch ? Fixed(shape[0]) : null, channelsLast, Fixed(width), Fixed(height));
    }

    private static int? Fixed(int dimension) => dimension > 0 ? dimension : null;

    private static string Describe(string name, NodeMetadata metadata) => metadata.IsTensor
        ? $"'{name}' {metadata.ElementDataType} [{string.Join(", ", metadata.Dimensions.Select(d => d > 0 ? $"{d}" : "?"))}]"
        : $"'{name}', which is no tensor";
}
