using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Distributed;
using Microsoft.ML.Distillation.Rows;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Benchmarks;

/// <summary>What is left of the speed of training beside another program that wants a core.</summary>
internal static class BusyBench
{
    /// <summary>The argument with which this program only keeps a core busy, until its input ends.</summary>
    public const string Spinner = "keep-a-core-busy";

    private const int Images = 4, Rounds = 3, Steps = 15;

    /// <summary>Prints the times of a step on the machine as it is and beside one busy process.</summary>
    public static void Run()
    {
        Console.WriteLine("A supervised step of 4 images beside one busy process (a half of two cores is its share):");
        Measure("Faster R-CNN, Plain(8, 16, 24, 32) at 128", DetectorPlan.FasterRcnn(Backbone.Plain(8, 16, 24, 32), 128, 128), 128);
        Measure("Faster R-CNN, ShuffleNetV2 ×0.5 at 192", DetectorPlan.FasterRcnn(Backbone.ShuffleNetV2_x0_5, 192, 192), 192);
        Measure("one-stage, ShuffleNetV2 ×0.5 at 192", DetectorPlan.OneStage(Backbone.ShuffleNetV2_x0_5, 192, 192), 192);
    }

    /// <summary>Keeps a core busy until the standard input ends.</summary>
    public static void Spin()
    {
        bool over = false;
        new Thread(() =>
        {
            Console.In.ReadToEnd();
            Volatile.Write(ref over, true);
        })
        { IsBackground = true }.Start();
        while (!Volatile.Read(ref over)) Thread.SpinWait(1000);
    }

    private static void Measure(string name, DetectorPlan plan, int size)
    {
        DataStatistics statistics = Scenes.Statistics(classes: 3);
        using var step = new DistillationBench.Step(plan, statistics, null, CPU);
        using ThreadShare? threads = ThreadShare.For(step.Objective.WorkOf(Images));
        using Tensor images = rand(Images, 3, size, size);
        Annotation[] annotations = [.. Enumerable.Range(0, Images).Select(i => Scenes.Objects(i, classes: 3))];
        var alone = new List<double>();
        var beside = new List<double>();
        for (int round = 0; round < Rounds; round++)
        {
            alone.Add(Report.MedianSeconds(() => step.Run(annotations, images, null), Steps));
            using Process busy = StartSpinner();
            beside.Add(Report.MedianSeconds(() => step.Run(annotations, images, null), Steps));
            busy.StandardInput.Close();
            busy.WaitForExit();
        }

        alone.Sort();
        beside.Sort();
        (double idle, double shared) = (alone[Rounds / 2], beside[Rounds / 2]);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {name,-44} {1e3 * idle,7:0.0} ms alone, {1e3 * shared,7:0.0} ms beside it: {idle / shared:0.00} of the speed"));
    }

    private static Process StartSpinner()
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, [Spinner]) { RedirectStandardInput = true };
        return Process.Start(start)!;
    }
}
