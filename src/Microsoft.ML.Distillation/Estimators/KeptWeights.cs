using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Reports;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Distillation.Estimators;

/// <summary>What a training came to, before it is exported.</summary>
/// <param name="Detector">The trained network.</param>
/// <param name="Record">How it was trained.</param>
/// <param name="Options">The options of training.</param>
internal sealed record TrainedStudent(Detector Detector, TrainingRecord Record, DetectorEstimatorOptions Options);

/// <summary>Sees to it that trained weights outlive whatever fails after training.</summary>
internal sealed class KeptWeights(IReadOnlyList<TrainedStudent> students)
{
    private const string Application = "ml-distillation";

    private readonly string?[] _files = new string?[students.Count];

    /// <summary>Writes them to the files that are asked for, before anything else is done.</summary>
    public void Write(IChannel channel)
    {
        for (int i = 0; i < students.Count; i++)
        {
            if (students[i].Options.TrainedWeightsPath is not { } path || TryWrite(students[i], path) is not { } problem) continue;
            channel.Warning(MessageSensitivity.None, $"The trained weights cannot be written to '{path}': {problem}");
        }

        for (int i = 0; i < students.Count; i++)
            if (students[i].Options.TrainedWeightsPath is { } path && File.Exists(path)) _files[i] = path;
    }

    /// <summary>The error of what failed after training; it says where the weights are, which are written now if not before.</summary>
    public Exception Failure(Exception cause)
    {
        for (int i = 0; i < students.Count; i++) _files[i] ??= WriteSomewhere(students[i]);
        if (students.Count == 0) return cause;
        string[] files = [.. _files.OfType<string>()];
        string where = files.Length == 0
            ? "The trained weights could not be kept in a file either."
            : $"The trained weights are in {string.Join(", ", files.Select(file => $"'{file}'"))}: "
                + $"{nameof(TrainedDetector)}.{nameof(TrainedDetector.FromModel)} reads them, and "
                + $"{nameof(TrainedDetector.SaveOnnx)} or {nameof(TrainedDetector.SavePipeline)} of what it gives finishes the model.";
        string message = $"{cause.Message.TrimEnd()} {where}";
        return cause is IOException ? new IOException(message, cause) : new InvalidOperationException(message, cause);
    }

    /// <summary>The first place that takes them: the folder of checkpoints, the user's folder for data, that for temporary files.</summary>
    private static string? WriteSomewhere(TrainedStudent student)
    {
        string data = Environment.GetFolderPath(
            Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        string name = $"trained-{DateTime.Now:yyyyMMdd-HHmmss}-{Guid.NewGuid().ToString("N")[..8]}{TrainedWeightsFile.Ending}";
        string?[] folders =
            [student.Options.CheckpointDirectory, data.Length > 0 ? Path.Combine(data, Application) : null, Path.GetTempPath()];
        return folders.OfType<string>().Select(folder => Path.GetFullPath(Path.Combine(folder, name)))
            .FirstOrDefault(path => TryWrite(student, path) is null);
    }

    private static string? TryWrite(TrainedStudent student, string path)
    {
        try
        {
            var notes = new Dictionary<string, string> { [TrainingRecord.Key] = student.Record.ToJson() };
            TrainedWeightsFile.Write(path, student.Detector, notes);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }
}
