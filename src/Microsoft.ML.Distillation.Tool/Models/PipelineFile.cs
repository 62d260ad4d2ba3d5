namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>Writes a detector as a file: by its extension an .onnx, or the ML.NET pipeline from an image's path to names, scores and boxes.</summary>
internal static class PipelineFile
{
    /// <summary>Writes the file, beside its place and then renamed.</summary>
    public static void Save(TrainedDetector detector, string path)
    {
        if (Path.GetExtension(path).Equals(".onnx", StringComparison.OrdinalIgnoreCase)) detector.SaveOnnx(path);
        else detector.SavePipeline(path);
    }
}
