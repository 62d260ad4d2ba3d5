using System.Globalization;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Runtime;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Estimators;

/// <summary>
/// Holds an exported detector to the trained one: both see the same real images, ONNX Runtime from the raw bytes on, so that
/// the graph's resize is held to training's too.
/// </summary>
internal static class ExportCheck
{
    private const int Images = 8;

    /// <summary>How much of 255 the grain changes a value at most.</summary>
    private static readonly int[] Grains = [4, 16];

    /// <summary>Checks an export on images spread over a data set.</summary>
    /// <param name="detector">The trained detector, on the CPU.</param>
    /// <param name="exported">Its export, from raw bytes to boxes in pixels.</param>
    /// <param name="data">Images.</param>
    /// <param name="channel">Is warned where the export is right, but ONNX Runtime's integers on this processor are not.</param>
    /// <returns>The figures of the comparison.</returns>
    /// <exception cref="InvalidOperationException">The two do not agree; the message gives the figures.</exception>
    public static ExportAgreement Run(Detector detector, OnnxModelFile exported, IDetectionDataset data, IChannel? channel = null)
    {
        bool rounded = detector.Precision is { ActivationBits: < 32 };
        ExportTolerance tolerance = rounded ? ExportTolerance.Rounded : ExportTolerance.Exact;
        ExportAgreement usual = Judge(detector, exported, data, asWritten: false, tolerance);
        if (usual.Holds) return usual;
        if (rounded && Judge(detector, exported, data, asWritten: true, tolerance) is { Holds: true } written)
        {
            channel?.Warning(
                MessageSensitivity.None,
                $"On this processor ONNX Runtime computes the model's integers otherwise than they are written ({usual}). On x86 without "
                    + $"VNNI, sums of 8-bit products overflow where activations and weights are large; "
                + $"as written, the model is what was trained ({written}). For processors like this one lower the precision of the "
                    + $"weights alone, for example w8.");
            return written;
        }

        throw new InvalidOperationException($"The exported ONNX model does not agree with the trained network: {usual}.");
    }

    /// <summary>
    /// Compares both on images as they are, and where they do not agree on the same images with a little grain: in what is all of one
    /// colour, every place scores the same, and the last bit of a sum chooses the places that both look at further.
    /// </summary>
    private static ExportAgreement Judge(
        Detector detector, OnnxModelFile exported, IDetectionDataset data, bool asWritten, ExportTolerance tolerance)
    {
        ExportAgreement plain = Compare(detector, exported, data, asWritten, tolerance);
        foreach (int grain in plain.Holds ? [] : Grains)
        {
            ExportAgreement grained = Compare(detector, exported, new GrainedDataset(data, grain), asWritten, tolerance);
            // Where nothing is found nothing is shown.
            if (grained is { Holds: true, Detections: > 0 }) return grained;
        }

        return plain;
    }

    /// <summary>Compares both on images spread over a data set.</summary>
    /// <param name="asWritten">Whether ONNX Runtime is to round and compute as the graph says (see
    /// <see cref="SessionSettings.AsWritten"/>).</param>
    public static ExportAgreement Compare(Detector detector, OnnxModelFile exported, IDetectionDataset data, bool asWritten,
        ExportTolerance tolerance)
    {
        detector.eval();
        using var export = ObjectDetector.Of(exported, "the exported model", new ObjectDetectorOptions { AsWritten = asWritten });
        var agreement = new ExportAgreement(tolerance);
        int count = Math.Min(Images, data.Count);
        int[] indices = [.. Enumerable.Range(0, count).Select(i => (int)((long)i * data.Count / count))
            .Where(index => CanBeRead(data, index))];
        Detections[] found = [.. indices.Select(index => Detect(export, data.Read(index)))];
        count = indices.Length;
        for (int i = 0; i < count; i++) agreement.Add(Detect(detector, data, indices[i]), found[i]);
        if (agreement.IsClose) return agreement;

        // Where scores and overlaps are all but equal, as in a network that has hardly learned, rounding chooses among the boxes. Then
        // what the export chose must be what the network offers.
        using Detector unselective = detector.Unselective();
        for (int i = 0; i < count; i++) agreement.AddOffered(found[i], Detect(unselective, data, indices[i]));
        return agreement;
    }

    /// <summary>Whether an image can still be read: hours of training are not lost for files that have gone since.</summary>
    private static bool CanBeRead(IDetectionDataset data, int index)
    {
        try
        {
            return data.TryRead(index) is not null;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private static Detections Detect(Detector detector, IDetectionDataset data, int index)
    {
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        using DetectionBatch batch = BatchLoader.Load(data, [index], detector.InputSize);
        return detector.Detect(batch.Views[0])[0];
    }

    /// <summary>The export's detections, in shares of the image as the network gives them.</summary>
    private static Detections Detect(ObjectDetector export, RgbImage image)
        => export.Run([image])[0].Scaled(1f / image.Width, 1f / image.Height);
}

/// <summary>The images of a data set with noise that is always the same.</summary>
internal sealed class GrainedDataset(IDetectionDataset data, int grain) : IDetectionDataset
{
    /// <inheritdoc/>
    public int Count => data.Count;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames => data.ClassNames;

    /// <inheritdoc/>
    public ImageSize SizeOf(int index) => data.SizeOf(index);

    /// <inheritdoc/>
    public Annotation AnnotationOf(int index) => data.AnnotationOf(index);

    /// <inheritdoc/>
    public RgbImage? TryRead(int index)
    {
        if (data.TryRead(index) is not { } image) return null;
        var random = new Random(index);
        byte[] pixels = [.. image.Pixels.Select(value => (byte)Math.Clamp(value + random.Next(-grain, grain + 1), 0, 255))];
        return new RgbImage(image.Width, image.Height, pixels);
    }

    /// <summary>Does nothing: the images belong to the caller.</summary>
    public void Dispose()
    {
    }
}

/// <summary>How well two detectors agree on the same images.</summary>
internal sealed class ExportAgreement(ExportTolerance? tolerance = null)
{
    private readonly ExportTolerance _tolerance = tolerance ?? ExportTolerance.Exact;
    private double _first;
    private double _second;
    private double _loose;
    private double _foreign;
    private bool _offered;

    /// <summary>The number of detections of the first detector.</summary>
    public int Detections { get; private set; }

    /// <summary>The largest difference of a coordinate among paired detections, as a share of the image.</summary>
    public float BoxDifference { get; private set; }

    /// <summary>The largest difference of a score among paired detections.</summary>
    public float ScoreDifference { get; private set; }

    /// <summary>The share of the scores' sum in detections that have no partner.</summary>
    public double Loose => _first + _second == 0 ? 0 : _loose / (_first + _second);

    /// <summary>The share of the second detector's scores' sum in detections that the first has not even to offer; after
    /// <see cref="AddOffered"/>.</summary>
    public double Foreign => _second == 0 ? 0 : _foreign / _second;

    /// <summary>Whether the two agree within the tolerances.</summary>
    public bool IsClose => Loose <= _tolerance.Loose;

    /// <summary>
    /// Whether they differ only in which boxes they choose: the second's are among those that the first offers, and weigh as much in all.
    /// </summary>
    public bool DiffersInChoiceAlone => Foreign <= _tolerance.Loose && Math.Abs(_first - _second) <= _tolerance.Loose * _first;

    /// <summary>Whether the two agree, as far as is known of what they offer.</summary>
    public bool Holds => IsClose || (_offered && DiffersInChoiceAlone);

    /// <summary>Compares the detections of one image. A pair has the same class and differs by no more than the tolerances.</summary>
    public void Add(Detections first, Detections second)
    {
        var taken = new bool[second.Count];
        Detections += first.Count;
        _first += first.Scores.Sum();
        _second += second.Scores.Sum();
        for (int i = 0; i < first.Count; i++)
        {
            int partner = Partner(first, i, second, taken, out float box, out float score);
            if (partner < 0)
            {
                _loose += first.Scores[i];
                continue;
            }

            taken[partner] = true;
            BoxDifference = Math.Max(BoxDifference, box);
            ScoreDifference = Math.Max(ScoreDifference, score);
        }

        for (int j = 0; j < second.Count; j++)
            if (!taken[j]) _loose += second.Scores[j];
    }

    /// <summary>Looks for the second detector's detections of one image among all that the first has to offer.</summary>
    public void AddOffered(Detections second, Detections offered)
    {
        _offered = true;
        var taken = new bool[offered.Count];
        for (int i = 0; i < second.Count; i++)
        {
            int partner = Partner(second, i, offered, taken, out _, out _);
            if (partner < 0) _foreign += second.Scores[i];
            else taken[partner] = true;
        }
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Detections} detections, {Loose:P1} of the scores' sum without a partner (at most {_tolerance.Loose:P0}); pairs differ by up to "
        + $"{BoxDifference:0.000000} of the image in coordinates (at most {_tolerance.Box}) and {ScoreDifference:0.000000} in scores (at "
            + $"most {_tolerance.Score}); {Foreign:P1} of the export's in boxes that the network does not offer");

    private int Partner(Detections first, int i, Detections second, bool[] taken, out float box, out float score)
    {
        for (int j = 0; j < second.Count; j++)
        {
            if (taken[j] || second.Labels[j] != first.Labels[i]) continue;
            score = Math.Abs(second.Scores[j] - first.Scores[i]);
            if (!(score <= _tolerance.Score)) continue;
            box = 0;
            for (int k = 0; k < 4; k++) box = Math.Max(box, Math.Abs(second.Boxes[4 * j + k] - first.Boxes[4 * i + k]));
            if (box <= _tolerance.Box) return j;
        }

        (box, score) = (0, 0);
        return -1;
    }
}

/// <summary>How far an export may differ from the network that it was made of.</summary>
/// <param name="Box">The largest difference of a coordinate, as a share of the image.</param>
/// <param name="Score">The largest difference of a score.</param>
/// <param name="Loose">
/// The largest share of the scores' sum in detections that one side has alone: where two scores or overlaps are all but equal, the
/// last bit of a sum decides which box survives.
/// </param>
internal sealed record ExportTolerance(float Box, float Score, float Loose)
{
    /// <summary>For networks in full precision, and for those whose weights alone have few bits.</summary>
    public static ExportTolerance Exact { get; } = new(1e-3f, 1e-3f, .02f);

    /// <summary>
    /// For networks whose layers round their input: where a value lies all but between two steps, the last bit of a sum decides which it
    /// takes, and the layers behind see a whole step of difference.
    /// </summary>
    public static ExportTolerance Rounded { get; } = new(.02f, .05f, .25f);
}
