using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Onnx;

namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>A model file, ready to look at images.</summary>
internal interface IImageDetector : IDisposable
{
    /// <summary>The classes that the model knows.</summary>
    IReadOnlyList<string> ClassNames { get; }

    /// <summary>Detects objects in image files, one after the other.</summary>
    IEnumerable<DetectedImage> Detect(IEnumerable<string> imagePaths);
}

/// <summary>Opens model files.</summary>
internal static class ImageDetector
{
    /// <summary>Opens an ML.NET model (.zip), which runs as a pipeline, or an .onnx of this library, which runs by itself.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">The file holds no detector of this library.</exception>
    public static IImageDetector Open(string path)
    {
        OnnxModelFile model = FittedDetectors.In(path);
        return Path.GetExtension(path).Equals(".onnx", StringComparison.OrdinalIgnoreCase)
            ? new OnnxDetector(model, path)
            : new PipelineDetector(path, DetectorGraph.ClassNames(model));
    }
}
