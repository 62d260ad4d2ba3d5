using Microsoft.ML.Distillation.Images;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.Distillation.Published;

/// <summary>Makes a model's input from an image that was stretched to its size: undoes the stretching where it wants bars, and
/// normalises.</summary>
internal sealed class InputWriter
{
    private readonly OnnxPreprocessing _preprocessing;
    private readonly float[] _factor;
    private readonly float[] _shift;

    /// <param name="preprocessing">What the model wants to see.</param>
    public InputWriter(OnnxPreprocessing preprocessing)
    {
        _preprocessing = preprocessing;
        _factor = [.. preprocessing.StandardDeviation.Select(deviation => 255 * preprocessing.Scale / deviation)];
        _shift = [.. preprocessing.Mean.Zip(preprocessing.StandardDeviation, (mean, deviation) => -mean / deviation)];
    }

    /// <summary>Writes one image.</summary>
    /// <param name="image">[3,H,W] of the input's size, RGB, 0 to 1, filled by the whole image.</param>
    /// <param name="frame">Where the image shall lie.</param>
    /// <param name="target">Receives [3,H,W] in the model's order of channels.</param>
    public void Write(ReadOnlySpan<float> image, InputFrame frame, Span<float> target)
    {
        int area = frame.Input.Width * frame.Input.Height;
        for (int c = 0; c < 3; c++)
        {
            int source = _preprocessing.Channels == ChannelOrder.Bgr ? 2 - c : c;
            ReadOnlySpan<float> from = image.Slice(source * area, area);
            Span<float> to = target.Slice(c * area, area);
            if (frame.IsWhole)
                from.CopyTo(to);
            else
                Shrink(from, frame, to);
            (float factor, float shift) = (_factor[c], _shift[c]);
            for (int i = 0; i < to.Length; i++) to[i] = to[i] * factor + shift;
        }
    }

    private void Shrink(ReadOnlySpan<float> from, InputFrame frame, Span<float> to)
    {
        (int width, int height) = (frame.Input.Width, frame.Input.Height);
        var columns = new ResizeAxis(width, 0, width, frame.Width);
        var rows = new ResizeAxis(height, 0, height, frame.Height);
        to.Fill(_preprocessing.Fill / 255);
        var row = new float[width];
        for (int y = 0; y < frame.Height; y++)
        {
            ReadOnlySpan<float> weights = rows.Weights(y, out int first);
            Array.Clear(row);
            for (int k = 0; k < weights.Length; k++)
            {
                ReadOnlySpan<float> line = from.Slice((first + k) * width, width);
                for (int x = 0; x < row.Length; x++) row[x] += weights[k] * line[x];
            }

            ShrinkRow(row, columns, to.Slice((frame.Y + y) * width + frame.X, frame.Width));
        }
    }

    private static void ShrinkRow(float[] row, ResizeAxis columns, Span<float> to)
    {
        if (to.Length == row.Length)
        {
            row.CopyTo(to);
            return;
        }

        for (int x = 0; x < to.Length; x++)
        {
            ReadOnlySpan<float> weights = columns.Weights(x, out int first);
            float sum = 0;
            for (int k = 0; k < weights.Length; k++) sum += weights[k] * row[first + k];
            to[x] = sum;
        }
    }
}

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
        // Of a batch's axis that is open, embeddings [N, words, length] could be an image [3, H, W].
        foreach (string name in session.InputNames.OrderBy(AuxiliaryInputs.IsMask)
            .ThenByDescending(name => session.InputMetadata[name].IsTensor && session.InputMetadata[name].Dimensions.Length == 4))
        {
            if (TryRead(name, session.InputMetadata[name]) is { } spec) return spec;
        }

        string inputs = string.Join(", ", session.InputNames.Select(n => Describe(n, session.InputMetadata[n])));
        throw new NotSupportedException(
            $"The detector '{source}' has no input that takes an image ([N, 3, H, W], [N, H, W, 3] or [3, H, W] of floats, half floats or "
                + $"bytes); "
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

/// <summary>Where in a model's input the image lies: everywhere, or inside a letterbox. All in pixels of the input.</summary>
internal readonly record struct InputFrame(ImageSize Input, int X, int Y, int Width, int Height)
{
    /// <summary>Whether there are no bars.</summary>
    public bool IsWhole => Width == Input.Width && Height == Input.Height;

    /// <summary>Lays an image of some size into the input.</summary>
    public static InputFrame For(ImageSize input, ImageSize image, ImageFit fit)
    {
        if (fit == ImageFit.Stretch) return new InputFrame(input, 0, 0, input.Width, input.Height);
        double scale = Math.Min((double)input.Width / image.Width, (double)input.Height / image.Height);
        int width = Math.Clamp((int)Math.Round(image.Width * scale), 1, input.Width);
        int height = Math.Clamp((int)Math.Round(image.Height * scale), 1, input.Height);
        return fit == ImageFit.LetterboxTopLeft
            ? new InputFrame(input, 0, 0, width, height)
            : new InputFrame(input, (input.Width - width) / 2, (input.Height - height) / 2, width, height);
    }

    /// <summary>A horizontal position in the input as a share of the image, which may lie outside it.</summary>
    public float ShareX(float pixel) => (pixel - X) / Width;

    /// <summary>A vertical position in the input as a share of the image, which may lie outside it.</summary>
    public float ShareY(float pixel) => (pixel - Y) / Height;
}
