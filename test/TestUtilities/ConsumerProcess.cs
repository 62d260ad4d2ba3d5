using System.Diagnostics;
using System.Text.Json;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>Starts the application ModelConsumer, which has no libtorch, and gives what it found.</summary>
internal static class ConsumerProcess
{
    public static Answer Run(string modelZip, string onnxToWrite, params string[] images)
    {
        string program = ProgramRun.Find("ModelConsumer", below: "test"), folder = Path.GetDirectoryName(program)!;
        Assert.That(Directory.GetFiles(folder, "*torch_cpu*", SearchOption.AllDirectories), Is.Empty,
            "the consumer must not carry libtorch");
        var start = new ProcessStartInfo("dotnet", [program, modelZip, onnxToWrite, .. images])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("LD_LIBRARY_PATH");
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, errors.Result);
        return JsonSerializer.Deserialize<Answer>(output)!;
    }

    internal sealed record Answer(bool TorchIsLoaded, Found[] Found);

    internal sealed record Found(string[] PredictedLabel, float[] Score, float[] PredictedBoundingBoxes);
}
