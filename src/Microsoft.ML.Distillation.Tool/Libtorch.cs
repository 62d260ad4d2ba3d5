using System.Reflection;
using System.Runtime.InteropServices;

namespace Microsoft.ML.Distillation.Tool;

/// <summary>Which libtorch this build of the command carries: <c>TorchRuntime</c>, with which it was built.</summary>
internal static class Libtorch
{
    /// <summary>What <c>TorchRuntime</c> says where there is none.</summary>
    public const string None = "none";

    private static readonly string[] Trainers = ["train", "distill", "label", "quantize", "compress"];

    /// <summary>The one that this build carries.</summary>
    public static string Carried { get; } = typeof(Libtorch).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(entry => entry.Key == "TorchRuntime").Value!;

    /// <summary>Why a command cannot run with that libtorch; null where it can.</summary>
    public static string? Refusal(string command, string carried) => carried != None || !Trainers.Contains(command) ? null
        : RuntimeInformation.RuntimeIdentifier == "linux-arm64"
        ? $"'{command}' needs libtorch, which TorchSharp has not for linux-arm64: train on another platform; here models run, are measured "
            + $"and exported."
        : $"'{command}' needs libtorch, which this package was made without: make one with './build.sh pack' (-p:TorchRuntime=cpu, "
            + $"cuda-linux or cuda-windows).";
}
