using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Estimators;

/// <summary>
/// Holds an exported detector to the trained one: both see the same real images, ONNX Runtime from the raw bytes on, so that
/// the graph's resize is held to training's too.
/// </summary>
internal static class ExportCheck
{
    private const int Images = 8;

    /// <summary>
    /// What is added to the pixels, 0 to 1, to see how far the trained network agrees with itself: no more than what another order of
    /// sums makes of them.
    /// </summary>
    private const float Trembling = 1e-5f;

    /// <summary>Checks an export on images spread over a data set.</summary>
    /// <param name="detector">The trained detector, on the CPU.</param>
    /// <param name="exported">Its export, from raw bytes to boxes in pixels.</param>
    /// <param name="data">Images.</param>
    /// <param name="asWritten">Whether ONNX Runtime is to round and compute as the graph says (see <see cref="OnnxSession"/>), and the tolerance to be the exact one.</param>
    /// <returns>The figures of the comparison.</returns>
    /// <exception cref="InvalidOperationException">The two do not agree; the message gives the figures.</exception>
    public static ExportAgreement Run(Detector detector, OnnxModelFile exported, IDetectionDataset data, bool asWritten = false)
    {
        detector.eval();
        using var session = new OnnxSession(exported.ToBytes(), asWritten);
        ExportTolerance tolerance = !asWritten && detector.Precision is { ActivationBits: < 32 } ? ExportTolerance.Rounded : ExportTolerance.Exact;
        ExportAgreement agreement = new(tolerance), own = new(tolerance);
        int count = Math.Min(Images, data.Count);
        for (int i = 0; i < count; i++)
        {
            int index = (int)((long)i * data.Count / count);
            (Detections trained, Detections trembling) = Detect(detector, data, index);
            agreement.Add(trained, Detect(session, data.Read(index)));
            own.Add(trained, trembling);
        }

        // A network that has hardly learned scores all boxes alike: it loses some of them to any change at all.
        return agreement.IsAsCloseAs(own.Loose)
            ? agreement
            : throw new InvalidOperationException($"The exported ONNX model does not agree with the trained network: {agreement}.");
    }

    /// <summary>What the trained network finds in an image, and in one that differs from it by next to nothing.</summary>
    private static (Detections Exact, Detections Trembling) Detect(Detector detector, IDetectionDataset data, int index)
    {
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        using DetectionBatch batch = BatchLoader.Load(data, [index], detector.InputSize);
        using Scalar trembling = Trembling;
        Tensor image = batch.Views[0], rows = arange(image.shape[2], float32).view(-1, 1), columns = arange(image.shape[3], float32);
        Tensor waves = rows.add(columns).sin().mul(trembling);
        return (detector.Detect(image)[0], detector.Detect(image.add(waves))[0]);
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
