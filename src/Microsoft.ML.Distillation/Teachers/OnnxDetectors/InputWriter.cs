using Microsoft.ML.Distillation.Data;

namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors;

/// <summary>Makes a model's input from an image that was stretched to its size: undoes the stretching where it wants bars, and normalises.</summary>
internal sealed class InputWriter
{
    private readonly TeacherPreprocessing _preprocessing;
    private readonly float[] _factor;
    private readonly float[] _shift;

    /// <param name="preprocessing">What the model wants to see.</param>
    public InputWriter(TeacherPreprocessing preprocessing)
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
