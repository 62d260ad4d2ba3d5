using System.Diagnostics;
using System.Text.Json;

namespace Microsoft.ML.Distillation.Benchmarks;

/// <summary>The seconds that torchvision takes, from torchvision_side.py.</summary>
internal sealed record TorchvisionSide(
    string Torch, double TrainingStep, double TrainingStepMobile, double Nms100, double Nms1000, double Nms5000, double RoiAlign)
{
    private static readonly JsonSerializerOptions Names =
        new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, RespectRequiredConstructorParameters = true };

    /// <summary>Runs the script; <see langword="null"/> where python3-torchvision is not installed.</summary>
    public static TorchvisionSide? Run(int threads, int width, int height, int batch, int steps)
    {
        string script = Path.Combine(AppContext.BaseDirectory, "torchvision_side.py");
        var start = new ProcessStartInfo("/usr/bin/python3", [script, $"{threads}", $"{width}", $"{height}", $"{batch}", $"{steps}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        // The same allocator settings as the library gives itself, so that neither side pays for page faults alone.
        start.Environment["MALLOC_MMAP_THRESHOLD_"] = "1073741824";
        start.Environment["MALLOC_TRIM_THRESHOLD_"] = "2147483647";
        using Process process = Process.Start(start)!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? JsonSerializer.Deserialize<TorchvisionSide>(output, Names) : null;
    }
}
