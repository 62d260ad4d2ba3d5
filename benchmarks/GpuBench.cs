using System.Diagnostics;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Benchmarks;

/// <summary>Distillation steps on the first GPU, in single and in mixed precision, and the memory that they take there.</summary>
internal static class GpuBench
{
    public static void Run()
    {
        if (!cuda.is_available())
        {
            Console.WriteLine("no GPU that TorchSharp can use (docs/gpu.md says what it needs)");
            return;
        }

        foreach (bool mixed in (bool[])[false, true])
        {
            string precision = mixed ? "bfloat16" : "float32";
            DistillationBench.Run($"ShuffleNetV2 ×0.5 at 320, {precision}", DetectorPlan.FasterRcnn(Backbone.ShuffleNetV2_x0_5, 320, 320),
                320, CUDA, mixed);
            DistillationBench.Run($"AlexNet at 320, {precision}", DetectorPlan.FasterRcnn(Backbone.AlexNet, 320, 320), 320, CUDA, mixed);
            Console.WriteLine($"  memory in use on the GPU: {UsedMemory()}");
        }
    }

    /// <summary>What NVIDIA's tool says of the first GPU: TorchSharp has no call for it.</summary>
    private static string UsedMemory()
    {
        using var process = Process.Start(new ProcessStartInfo("nvidia-smi",
            ["--query-gpu=memory.used", "--format=csv,noheader", "--id=0"])
        { RedirectStandardOutput = true })!;
        string text = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        return text;
    }
}
