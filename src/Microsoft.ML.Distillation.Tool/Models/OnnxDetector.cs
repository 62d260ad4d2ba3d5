using System.Diagnostics;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>Runs an exported detector with ONNX Runtime alone, on the CPU.</summary>
internal sealed class OnnxDetector : IImageDetector
{
    private static readonly string[] Outputs = [DetectorGraph.Boxes, DetectorGraph.Scores, DetectorGraph.Classes];

    private readonly InferenceSession _session;

    /// <summary>Opens the model.</summary>
    /// <param name="source">Where it comes from, for the error message.</param>
    /// <exception cref="FormatException">The model is the plain form, which takes no images of any size.</exception>
    public OnnxDetector(OnnxModelFile model, string source)
    {
        if (DetectorGraph.IsPlain(model))
            throw new FormatException($"'{source}' is the plain form, which takes images at the network's size; export the model without --plain.");
        ClassNames = DetectorGraph.ClassNames(model);
        _session = new InferenceSession(model.ToBytes());
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>The time that the last detection took, without reading the image's file.</summary>
    public TimeSpan LastTime { get; private set; }

    /// <inheritdoc/>
    public IEnumerable<DetectedImage> Detect(IEnumerable<string> imagePaths)
    {
        foreach (string path in imagePaths)
        {
            using MLImage image = InputImages.Load(path);
            yield return Detect(path, image);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();

    private DetectedImage Detect(string path, MLImage image)
    {
        RgbImage rgb = MLImagePixels.ToRgb(image);
        long start = Stopwatch.GetTimestamp();
        using OrtValue pixels = OrtValue.CreateTensorValueFromMemory(rgb.Pixels, [1, rgb.Pixels.Length]);
        using OrtValue size = OrtValue.CreateTensorValueFromMemory(new long[] { rgb.Height, rgb.Width }, [1, 2]);
        using var options = new RunOptions();
        using IDisposableReadOnlyCollection<OrtValue> found = _session.Run(
            options, new Dictionary<string, OrtValue> { [DetectorGraph.Pixels] = pixels, [DetectorGraph.Size] = size }, Outputs);
        var result = new DetectedImage(
            path,
            [.. found[2].GetTensorDataAsSpan<long>().ToArray().Select(label => ClassNames[(int)label])],
            found[1].GetTensorDataAsSpan<float>().ToArray(),
            found[0].GetTensorDataAsSpan<float>().ToArray());
        LastTime = Stopwatch.GetElapsedTime(start);
        return result;
    }
}
