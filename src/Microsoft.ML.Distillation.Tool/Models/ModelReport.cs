using Microsoft.ML.Distillation.Detectors.Quantization;
using Microsoft.ML.Distillation.Estimators;
using Microsoft.ML.Distillation.Onnx;

namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>What a model file can do and what it costs.</summary>
/// <param name="Name">What to call it.</param>
/// <param name="Metrics">Its figures on annotated images.</param>
/// <param name="Parameters">The number of learnt parameters.</param>
/// <param name="Bytes">The size of the file.</param>
/// <param name="Milliseconds">The median time for an image on this machine's CPU, from its pixels to its boxes.</param>
internal sealed record ModelReport(string Name, DetectionMetrics Metrics, long Parameters, long Bytes, double Milliseconds)
{
    private const int WarmUp = 3;

    /// <summary>Measures a model file on annotated images.</summary>
    public static ModelReport Measure(string name, string path, IReadOnlyList<AnnotatedImage> images, CancellationToken cancellation = default)
    {
        OnnxModelFile model = FittedDetectors.In(path);
        using var detector = new OnnxDetector(model, path);
        var tally = new DetectionTally();
        var times = new List<double>();
        int index = 0;
        foreach (DetectedImage found in detector.Detect(images.Select(image => image.ImagePath)))
        {
            cancellation.ThrowIfCancellationRequested();
            if (index >= WarmUp || images.Count <= WarmUp) times.Add(detector.LastTime.TotalMilliseconds);
            tally.Add(images[index++], found);
        }

        times.Sort();
        return new ModelReport(name, tally.Measure(), CountParameters(model), new FileInfo(path).Length, times[times.Count / 2]);
    }

    /// <summary>The learnt parameters: those of the state dict, without the running statistics of batch normalisation.</summary>
    private static long CountParameters(OnnxModelFile model)
        => model.Parameters().Where(p => !IsConstant(p.Key)).Sum(p => (long)p.Value.Values.Length) + model.Integers().Sum(p => (long)p.Value.Values.Length);

    private static bool IsConstant(string name)
        => name.StartsWith("const_", StringComparison.Ordinal)
        || name.EndsWith(".running_mean", StringComparison.Ordinal)
        || name.EndsWith(".running_var", StringComparison.Ordinal)
        || QuantizedParameters.IsScale(name);
}
