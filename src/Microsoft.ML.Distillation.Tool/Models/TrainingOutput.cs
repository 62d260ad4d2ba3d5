using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>Writes what was trained, so that hours of training do not depend on one file that can be written.</summary>
internal static class TrainingOutput
{
    private const string Application = "ml-distillation";

    /// <summary>Where trained weights wait until the model is written, beside it.</summary>
    public static string WeightsOf(string path) => path + ".weights.safetensors";

    /// <summary>Writes a model and removes its weights.</summary>
    /// <param name="checkpoints">A folder that takes it where its own does not; null: none.</param>
    /// <exception cref="IOException">It cannot be written; the message says where it is and how it is finished.</exception>
    public static void Save(TrainedDetector detector, string path, string? checkpoints)
    {
        string weights = WeightsOf(path);
        try
        {
            PipelineFile.Save(detector, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            AtomicFile.RemoveLeft(path);
            string? kept = File.Exists(weights) ? weights : Elsewhere(detector, path, checkpoints);
            throw new IOException(
                $"'{path}' cannot be written: {e.Message.TrimEnd('.')}. "
                + (kept is null ? "The trained model could not be kept elsewhere either."
                    : $"What was trained is in '{kept}': 'ml-distill export --model {kept} --output {path}' finishes."), e);
        }

        File.Delete(weights);
    }

    private static string? Elsewhere(TrainedDetector detector, string path, string? checkpoints)
    {
        string data = Environment.GetFolderPath(
            Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        string name = $"{Path.GetFileNameWithoutExtension(path)}-{Guid.NewGuid().ToString("N")[..8]}.onnx";
        string?[] folders = [checkpoints, data.Length > 0 ? Path.Combine(data, Application) : null, Path.GetTempPath()];
        foreach (string folder in folders.OfType<string>())
        {
            string place = Path.GetFullPath(Path.Combine(folder, name));
            try
            {
                detector.SaveOnnx(place);
                return place;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The next one.
            }
        }

        return null;
    }
}
