using System.Numerics.Tensors;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.Distillation.Published;

/// <summary>Collects a decoder's predictions: drops noise and boxes without area, and brings boxes from the input to the image.</summary>
/// <param name="frame">Where in the input the image lies.</param>
/// <param name="floor">The confidence below which a prediction is dropped.</param>
/// <param name="picture">The size of the image before it was brought to the input's; <see langword="null"/>: that of the frame.</param>
internal sealed class PredictionSink(InputFrame frame, float floor, ImageSize? picture = null)
{
    // What half precision makes of a 1.
    private const float Tolerance = 0.01f;

    // No object is so small, and shares of boxes that nobody cut may exceed 1.
    private const float LargestCorner = 2;

    private readonly List<float> _boxes = [];
    private readonly List<float> _probabilities = [];
    private readonly List<float> _confidences = [];
    private readonly List<float> _edges = [];
    private readonly List<float> _places = [];

    /// <summary>The confidence below which a prediction is dropped.</summary>
    public float Floor => floor;

    /// <summary>The image's size, and where in the input it lies.</summary>
    public (ImageSize Size, InputFrame Frame) Picture => (picture ?? new ImageSize(frame.Width, frame.Height), frame);

    /// <summary>The score from which on a prediction counts as <see cref="Confident"/>.</summary>
    public double ConfidentScore { get; init; } = double.PositiveInfinity;

    /// <summary>The number of confident predictions.</summary>
    public int Confident { get; private set; }

    /// <summary>The number of those whose centre lies outside the image, or of which a side is more than twice the image's.</summary>
    public int Strange { get; private set; }

    /// <summary>The first of those.</summary>
    public RawPrediction? FirstStrange { get; private set; }

    /// <summary>The number of confident predictions that lie within the first two pixels of the input, as shares read as pixels
    /// do.</summary>
    public int InCorner { get; private set; }

    /// <summary>The first of those.</summary>
    public RawPrediction? FirstInCorner { get; private set; }

    /// <summary>The number of confident rows whose label has no class name.</summary>
    public int Unnamed { get; private set; }

    /// <summary>The first of those.</summary>
    public UnnamedRow? FirstUnnamed { get; private set; }

    /// <summary>The first of those whose label comes before that of the first class.</summary>
    public UnnamedRow? FirstBefore { get; private set; }

    /// <summary>The first prediction whose score is no probability.</summary>
    public RawPrediction? FirstImpossible { get; private set; }

    /// <summary>Adds a prediction.</summary>
    /// <param name="x0">Left, in pixels of the input.</param>
    /// <param name="y0">Top.</param>
    /// <param name="x1">Right.</param>
    /// <param name="y1">Bottom.</param>
    /// <param name="probabilities">Of the C classes.</param>
    /// <param name="confidence">The score to rank by; <see langword="null"/>: the highest probability.</param>
    /// <returns>Whether it was kept.</returns>
    public bool Add(float x0, float y0, float x1, float y1, ReadOnlySpan<float> probabilities, float? confidence = null)
    {
        float score = confidence ?? TensorPrimitives.Max(probabilities);
        if (!(score >= -Tolerance && score <= 1 + Tolerance)) FirstImpossible ??= Raw(x0, y0, x1, y1, probabilities, score);
        if (!(score >= floor) || !(score > 0)) return false;
        Span<float> box = [frame.ShareX(x0), frame.ShareY(y0), frame.ShareX(x1), frame.ShareY(y1)];
        if (score >= ConfidentScore)
        {
            Confident++;
            if (Math.Min(x0, y0) >= -LargestCorner && Math.Max(x1, y1) <= LargestCorner)
            {
                InCorner++;
                FirstInCorner ??= Raw(x0, y0, x1, y1, probabilities, score);
            }

            if (!IsSound(box))
            {
                Strange++;
                FirstStrange ??= Raw(x0, y0, x1, y1, probabilities, score);
            }
        }

        for (int side = 0; side < 4; side++) box[side] = Math.Clamp(box[side], 0, 1);
        if (!(box[2] > box[0]) || !(box[3] > box[1])) return false;
        _boxes.AddRange(box);
        _probabilities.AddRange(probabilities);
        _confidences.Add(score);
        return true;
    }

    /// <summary>Takes note of a row whose label has no class name and that is left out.</summary>
    /// <param name="label">The label as the detector gives it.</param>
    /// <param name="first">The label of the first class.</param>
    public void AddUnnamed(float score, float label, int first)
    {
        if (!(score >= ConfidentScore)) return;
        Unnamed++;
        var row = new UnnamedRow(label, first, score);
        FirstUnnamed ??= row;
        if (label < first) FirstBefore ??= row;
    }

    private static bool IsSound(ReadOnlySpan<float> box)
        => box[0] + box[2] is >= 0 and <= 2 && box[1] + box[3] is >= 0 and <= 2 && box[2] - box[0] is >= 0 and <= 2
            && box[3] - box[1] is >= 0 and <= 2;

    private static RawPrediction Raw(float x0, float y0, float x1, float y1, ReadOnlySpan<float> probabilities, float score)
        => new(x0, y0, x1, y1, TensorPrimitives.IndexOfMax(probabilities), score);

    /// <summary>
    /// Adds a prediction whose sides are distributions over the distances 0 … m strides from a location. All predictions of a detector are
    /// added in this way, or none.
    /// </summary>
    /// <param name="x">The location, in pixels of the input.</param>
    /// <param name="stride">Pixels of the input for a bin.</param>
    /// <param name="shares">4(m+1) probabilities: of left, top, right, bottom.</param>
    public void AddDistributions(float x, float y, float stride, ReadOnlySpan<float> shares, ReadOnlySpan<float> probabilities)
    {
        int bins = shares.Length / 4;
        Span<float> distances = stackalloc float[4];
        for (int i = 0; i < shares.Length; i++) distances[i / bins] += i % bins * stride * shares[i];
        if (!Add(x - distances[0], y - distances[1], x + distances[2], y + distances[3], probabilities)) return;
        _edges.AddRange(shares);
        for (int side = 0; side < 4; side++)
        {
            for (int k = 0; k < bins; k++)
            {
                float moved = (side < 2 ? -k : k) * stride;
                _places.Add(side % 2 == 0 ? frame.ShareX(x + moved) : frame.ShareY(y + moved));
            }
        }
    }

    /// <summary>Adds a prediction whose box is given by its centre and size, in pixels of the input.</summary>
    public void AddCentred(float x, float y, float width, float height, ReadOnlySpan<float> probabilities, float? confidence = null)
        => Add(x - width / 2, y - height / 2, x + width / 2, y + height / 2, probabilities, confidence);

    /// <summary>All that was kept.</summary>
    public DensePredictions ToPredictions() => new([.. _boxes], [.. _probabilities], [.. _confidences])
    {
        Edges = _edges.Count == 0 ? null : new EdgeBins(_edges.Count / 4 / _confidences.Count, [.. _edges], [.. _places]),
    };
}

/// <summary>Reads a batch's output as each image's own.</summary>
internal static class OutputReader
{
    /// <summary>The output of each image; <see langword="null"/> where several images were shown and the output is not theirs one by
    /// one.</summary>
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
        _ => throw new NotSupportedException($"The detector's output '{name}' holds {type}, which cannot be read."),
    };
}
