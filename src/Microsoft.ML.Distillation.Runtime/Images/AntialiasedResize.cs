using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Microsoft.ML.Distillation.Images;

/// <summary>
/// Resizes images by the antialiased triangle filter: ONNX's <c>Resize</c> (opset 18, linear, antialias = 1,
/// exclude_outside = 1, half_pixel), which is also PIL's bilinear resize before rounding. The exported model resizes by that operator, so
/// a student meets the very pixels that it was trained on.
/// </summary>
internal static class AntialiasedResize
{
    /// <summary>What stands where a region reaches beyond the image: ImageNet's mean colour, which normalisation turns into 0.</summary>
    public static readonly Vector3 PadColor = new(0.485f, 0.456f, 0.406f);

    /// <summary>The whole image at another size, planar [3,H,W], 0 to 1.</summary>
    public static float[] Resize(RgbImage image, ImageSize size)
    {
        var planes = new float[3 * size.Width * size.Height];
        Resize(image, CropRegion.Whole(new ImageSize(image.Width, image.Height)), mirror: false, size, planes);
        return planes;
    }

    /// <summary>Stretches a region of an image to a size.</summary>
    /// <param name="region">In pixels of the image; where it reaches beyond the image the mean colour stands.</param>
    /// <param name="mirror">Whether left and right are exchanged.</param>
    /// <param name="planes">Receives [3,H,W] of <paramref name="size"/>, RGB, 0 to 1.</param>
    /// <param name="flip">Whether top and bottom are exchanged.</param>
    public static void Resize(
        RgbImage image, CropRegion region, bool mirror, ImageSize size, Span<float> planes, bool flip = false)
    {
        int area = size.Width * size.Height;
        if (planes.Length != 3 * area)
            throw new ArgumentException($"An image of {size} needs {3 * area} values, not {planes.Length}.", nameof(planes));

        var columns = new ResizeAxis(image.Width, region.X, region.Width, size.Width, mirror);
        var rows = new ResizeAxis(image.Height, region.Y, region.Height, size.Height, flip);
        int rowLength = 3 * (columns.End - columns.Begin);
        // A pixel is read as four floats, so that the last one needs a neighbour.
        float[] buffer = ArrayPool<float>.Shared.Rent(rowLength + 1);
        Span<float> row = buffer.AsSpan(0, rowLength + 1);
        for (int y = 0; y < size.Height; y++)
        {
            Span<float> red = planes.Slice(y * size.Width, size.Width);
            Span<float> green = planes.Slice(area + y * size.Width, size.Width);
            Span<float> blue = planes.Slice(2 * area + y * size.Width, size.Width);
            ReadOnlySpan<float> weights = rows.Weights(y, out int first);
            if (weights.IsEmpty)
            {
                red.Fill(PadColor.X);
                green.Fill(PadColor.Y);
                blue.Fill(PadColor.Z);
                continue;
            }

            row.Clear();
            for (int k = 0; k < weights.Length; k++)
            {
                int start = 3 * ((first + k) * image.Width + columns.Begin);
                AddRow(image.Pixels.AsSpan(start, rowLength), weights[k] / 255, row);
            }

            ResizeRow(row, columns, red, green, blue);
        }

        ArrayPool<float>.Shared.Return(buffer);
    }

    /// <summary>sum += weight · bytes, along a row of interleaved colours.</summary>
    private static void AddRow(ReadOnlySpan<byte> bytes, float weight, Span<float> sum)
    {
        int i = 0;
        var weights = new Vector<float>(weight);
        int lanes = Vector<float>.Count;
        for (; i <= bytes.Length - Vector<byte>.Count; i += Vector<byte>.Count)
        {
            Vector.Widen(new Vector<byte>(bytes[i..]), out Vector<ushort> low, out Vector<ushort> high);
            Vector.Widen(low, out Vector<uint> a, out Vector<uint> b);
            Vector.Widen(high, out Vector<uint> c, out Vector<uint> d);
            AddLanes(a, weights, sum[i..]);
            AddLanes(b, weights, sum[(i + lanes)..]);
            AddLanes(c, weights, sum[(i + 2 * lanes)..]);
            AddLanes(d, weights, sum[(i + 3 * lanes)..]);
        }

        for (; i < bytes.Length; i++) sum[i] += weight * bytes[i];
    }

    private static void AddLanes(Vector<uint> bytes, Vector<float> weights, Span<float> sum)
        => (new Vector<float>(sum) + weights * Vector.ConvertToSingle(Vector.AsVectorInt32(bytes))).CopyTo(sum);

    /// <summary>Resizes one row of interleaved colours into its three planes.</summary>
    private static void ResizeRow(ReadOnlySpan<float> row, ResizeAxis columns, Span<float> red, Span<float> green, Span<float> blue)
    {
        ref float source = ref MemoryMarshal.GetReference(row);
        for (int x = 0; x < red.Length; x++)
        {
            ReadOnlySpan<float> weights = columns.Weights(x, out int first);
            Vector128<float> sum = Vector128<float>.Zero;
            int at = 3 * (first - columns.Begin);
            for (int k = 0; k < weights.Length; k++)
                sum += weights[k] * Vector128.LoadUnsafe(ref source, (nuint)(at + 3 * k));
            bool outside = weights.IsEmpty;
            red[x] = outside ? PadColor.X : sum.GetElement(0);
            green[x] = outside ? PadColor.Y : sum.GetElement(1);
            blue[x] = outside ? PadColor.Z : sum.GetElement(2);
        }
    }
}

/// <summary>
/// Which source pixels make up each target pixel along one axis, and with what weights: the triangle filter, as wide as
/// the shrinking factor (half-pixel centres; weights beyond the image are left out and the others scaled up to sum to 1).
/// </summary>
internal sealed class ResizeAxis
{
    private readonly int[] _first;
    private readonly int[] _count;
    private readonly float[] _weights;
    private readonly int _stride;

    /// <param name="sourceLength">The image's length in pixels.</param>
    /// <param name="start">Where the region begins, in source pixels; may lie outside the image.</param>
    /// <param name="length">The region's length in source pixels.</param>
    /// <param name="targetLength">The number of target pixels that the region becomes.</param>
    /// <param name="mirror">Whether the target runs backwards.</param>
    public ResizeAxis(int sourceLength, float start, float length, int targetLength, bool mirror = false)
    {
        float enlargement = targetLength / length;
        float radius = Math.Max(1 / enlargement, 1);
        _stride = 2 * (int)Math.Ceiling(radius) + 1;
        _first = new int[targetLength];
        _count = new int[targetLength];
        _weights = new float[targetLength * _stride];
        Begin = sourceLength;
        for (int i = 0; i < targetLength; i++)
        {
            // ONNX Runtime's rounding: its formula in its precision.
            float centre = start + ((i + 0.5f) / enlargement - 0.5f + 0.5f);
            if (centre < 0 || centre >= sourceLength) continue;
            int target = mirror ? targetLength - 1 - i : i;
            Fill(target, centre, radius, sourceLength);
            Begin = Math.Min(Begin, _first[target]);
            End = Math.Max(End, _first[target] + _count[target]);
        }

        Begin = Math.Min(Begin, End);
    }

    /// <summary>The first source pixel that any target pixel needs.</summary>
    public int Begin { get; }

    /// <summary>One beyond the last source pixel that any target pixel needs.</summary>
    public int End { get; }

    /// <summary>The source pixels of a target pixel and their weights, which sum to 1. Empty where it lies outside the image.</summary>
    public ReadOnlySpan<float> Weights(int target, out int first)
    {
        first = _first[target];
        return _weights.AsSpan(target * _stride, _count[target]);
    }

    private void Fill(int target, float centre, float radius, int sourceLength)
    {
        int first = Math.Max(0, (int)Math.Floor(centre - radius + 0.5f));
        int end = Math.Max(first + 1, Math.Min(sourceLength, (int)Math.Floor(centre + radius + 0.5f)));
        float total = 0;
        for (int x = first; x < end; x++) total += Triangle((x - centre + 0.5f) / radius);
        Span<float> weights = _weights.AsSpan(target * _stride, end - first);
        for (int x = first; x < end; x++) weights[x - first] = Triangle((x - centre + 0.5f) / radius) / total;
        _first[target] = first;
        _count[target] = weights.Length;
    }

    private static float Triangle(float distance) => Math.Max(0, 1 - Math.Abs(distance));
}

/// <summary>
/// A rectangle of an image in pixels; (0, 0) is the upper left corner of the first pixel. It may be larger than the image.
/// </summary>
internal readonly record struct CropRegion(float X, float Y, float Width, float Height)
{
    /// <summary>The whole of an image.</summary>
    public static CropRegion Whole(ImageSize size) => new(0, 0, size.Width, size.Height);
}
