using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Onnx;
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
        ExportAgreement usual = Compare(detector, exported, data, asWritten: false, tolerance);
        if (usual.Holds) return usual;
        if (rounded && Compare(detector, exported, data, asWritten: true, tolerance) is { Holds: true } written)
        {
            channel?.Warning(
                MessageSensitivity.None,
                $"On this processor ONNX Runtime computes the model's integers otherwise than they are written ({usual}). On x86 without VNNI, sums of 8-bit products overflow where activations and weights are large; "
                + $"as written, the model is what was trained ({written}). For processors like this one lower the precision of the weights alone, for example w8.");
            return written;
        }

        throw new InvalidOperationException($"The exported ONNX model does not agree with the trained network: {usual}.");
    }

    /// <summary>Compares both on images spread over a data set.</summary>
    /// <param name="asWritten">Whether ONNX Runtime is to round and compute as the graph says (see <see cref="OnnxSession"/>).</param>
    public static ExportAgreement Compare(Detector detector, OnnxModelFile exported, IDetectionDataset data, bool asWritten, ExportTolerance tolerance)
    {
        detector.eval();
        using var session = new OnnxSession(exported.ToBytes(), asWritten);
        var agreement = new ExportAgreement(tolerance);
        int count = Math.Min(Images, data.Count);
        int[] indices = [.. Enumerable.Range(0, count).Select(i => (int)((long)i * data.Count / count))];
        Detections[] found = [.. indices.Select(index => Detect(session, data.Read(index)))];
        for (int i = 0; i < count; i++) agreement.Add(Detect(detector, data, indices[i]), found[i]);
        if (agreement.IsClose) return agreement;

        // Where scores and overlaps are all but equal, as in a network that has hardly learned, rounding chooses among the boxes. Then
        // what the export chose must be what the network offers.
        using Detector unselective = detector.Unselective();
        for (int i = 0; i < count; i++) agreement.AddOffered(found[i], Detect(unselective, data, indices[i]));
        return agreement;
    }

    private static Detections Detect(Detector detector, IDetectionDataset data, int index)
    {
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        using DetectionBatch batch = BatchLoader.Load(data, [index], detector.InputSize);
        return detector.Detect(batch.Views[0])[0];
    }

    private static Detections Detect(OnnxSession session, RgbImage image)
    {
        Dictionary<string, Array> found = session.Run(
            OnnxSession.Input(DetectorGraph.Pixels, image.Pixels, 1, image.Pixels.Length),
            OnnxSession.Input(DetectorGraph.Size, new long[] { image.Height, image.Width }, 1, 2));
        float[] boxes = (float[])found[DetectorGraph.Boxes];
        for (int i = 0; i < boxes.Length; i++) boxes[i] /= i % 2 == 0 ? image.Width : image.Height;
        return new Detections(boxes, (float[])found[DetectorGraph.Scores], [.. ((long[])found[DetectorGraph.Classes]).Select(c => (int)c)]);
    }
}
