using Microsoft.ML.Distillation.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors;

/// <summary>Cuts the bars of a letterbox off feature maps, so that a map covers the image as a student's does.</summary>
internal static class FeatureMapCrop
{
    /// <summary>The maps of a batch [N,C,h,w], each stretched so that its image fills it.</summary>
    public static Tensor Stack(IReadOnlyList<OnnxOutput> maps, IReadOnlyList<InputFrame> frames)
    {
        using var scope = NewDisposeScope();
        Tensor[] cropped = [.. maps.Zip(frames, Crop)];
        return stack(cropped).MoveToOuterDisposeScope();
    }

    private static Tensor Crop(OnnxOutput map, InputFrame frame)
    {
        Tensor values = tensor(map.Values.ToArray(), [.. map.Shape.Select(length => (long)length)]);
        if (frame.IsWhole) return values;
        Tensor rows = Weights(map.Shape[1], frame.Y, frame.Height, frame.Input.Height);
        Tensor columns = Weights(map.Shape[2], frame.X, frame.Width, frame.Input.Width);
        return rows.matmul(values).matmul(columns.transpose(0, 1));
    }

    /// <summary>The matrix [length,length] that stretches the image's part of an axis over the whole of it.</summary>
    private static Tensor Weights(int length, int start, int extent, int total)
    {
        double cells = (double)length / total;
        // Cells that only see bars have no part in it, not even by interpolation.
        int first = (int)Math.Floor(start * cells), end = (int)Math.Ceiling((start + extent) * cells);
        var axis = new ResizeAxis(end - first, (float)(start * cells - first), (float)(extent * cells), length);
        var matrix = new float[length * length];
        for (int i = 0; i < length; i++)
        {
            ReadOnlySpan<float> weights = axis.Weights(i, out int from);
            weights.CopyTo(matrix.AsSpan(i * length + first + from));
        }

        return tensor(matrix, [length, length]);
    }
}
