using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using Microsoft.ML.Transforms.Image;
using Microsoft.ML.Transforms.Onnx;

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
    /// <summary>
    /// Opens a detector of this library. An ML.NET model (.zip) that does more than load images and detect, as one that resizes them before,
    /// runs as the pipeline that it is; all else runs by itself.
    /// </summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">The file holds no detector of this library.</exception>
    public static IImageDetector Open(string path)
    {
        ObjectDetector detector = ObjectDetector.Load(path);
        if (!Path.GetExtension(path).Equals(".zip", StringComparison.OrdinalIgnoreCase)) return new FileDetector(detector);
        var context = new MLContext();
        ITransformer model = context.Model.Load(path, out _);
        if (OnlyDetects(model))
        {
            (model as IDisposable)?.Dispose();
            return new FileDetector(detector);
        }

        IReadOnlyList<string> classes = detector.ClassNames;
        detector.Dispose();
        return new PipelineDetector(context, model, classes);
    }

    /// <summary>Whether all steps are those of which this library and its command make their pipelines.</summary>
    private static bool OnlyDetects(ITransformer model) => model switch
    {
        IEnumerable<ITransformer> chain => chain.All(OnlyDetects),
        ImageLoadingTransformer or OnnxTransformer or ColumnCopyingTransformer or ColumnSelectingTransformer => true,
        ValueMappingTransformer or ValueToKeyMappingTransformer or KeyToValueMappingTransformer => true,
        _ => model.GetType() is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(CustomMappingTransformer<,>),
    };
}

/// <summary>Runs a detector by itself.</summary>
internal sealed class FileDetector(ObjectDetector detector) : IImageDetector
{
    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames => detector.ClassNames;

    /// <inheritdoc/>
    public IEnumerable<DetectedImage> Detect(IEnumerable<string> imagePaths) => imagePaths.Select(path => DetectedImage.Of(path, detector.Detect(path)));

    /// <inheritdoc/>
    public void Dispose() => detector.Dispose();
}
