using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Benchmarks;

/// <summary>A training step, and memory over epochs.</summary>
internal static class TrainingBench
{
    private const int Classes = 20;

    /// <summary>Two images of 320×320 with eight objects each, feature pyramid, proposals and heads as on torchvision's side.</summary>
    public static double StepSeconds(Backbone backbone)
    {
        NativeHeap.KeepFreedMemory();
        using Detector detector = DetectorPlan.FasterRcnn(backbone with { FpnChannels = 256 }, 320, 320, new FasterRcnnOptions
        {
            AnchorSizes = [32, 64, 128],
            AnchorRatios = [0.5f, 1, 2],
            RpnChannels = 256,
            RpnBatchSize = 256,
            ProposalsBeforeNms = 1000,
            TrainingProposals = 500,
            RoiBatchSize = 128,
            RoiSize = 7,
            HeadWidth = 1024,
            HeadLayers = 2,
            ClassAgnosticBoxes = false,
        }).Build(Scenes.Statistics(Classes));
        using var objective = new TwoStageObjective((FasterRcnn)detector, 0, null, null, CPU);
        var options = new TrainingOptions { Epochs = 1, Seed = 1, BatchSize = 2, Optimizer = OptimizerKind.Sgd };
        using var state = new TrainingState(objective, options, TrainingPlan.For(options, 100, detector.parameters().Sum(p => p.numel())));
        detector.train();
        using Tensor images = rand(2, 3, 320, 320);
        Annotation[] annotations = [Scenes.Objects(1, Classes), Scenes.Objects(2, Classes)];
        int step = 0;
        return Report.MedianSeconds(() =>
        {
            using var scope = NewDisposeScope();
            LossSum loss = LossSum.Of(objective.Compute(annotations, images, teacher: null));
            state.Parameters.Gradients.zero_();
            loss.Total.backward();
            loss.ReadFinite(state.Parameters.Gradients, ++step);
            state.Optimizer.Step(1e-3, step);
        }, 5);
    }

    /// <summary>Ten epochs of a small student; the process's memory after each.</summary>
    public static void MemoryOverTenEpochs()
    {
        var builder = new SampleStoreBuilder(["thing"], 1 << 30);
        var random = new Random(1);
        for (int i = 0; i < 64; i++)
        {
            var pixels = new byte[3 * 192 * 144];
            random.NextBytes(pixels);
            builder.Add(new RgbImage(192, 144, pixels), new Annotation(Scenes.Objects(i, Classes).Boxes, new int[8]));
        }

        using SampleStore images = builder.Build();
        using Detector student = DetectorPlan.FasterRcnn(Backbone.Plain(16, 32, 32), 192).Build(DataStatistics.Of(images));
        using var objective = new TwoStageObjective((FasterRcnn)student, 0, null, null, CPU);
        var megabytes = new List<string>();
        var options = new TrainingOptions { Epochs = 10, Seed = 1, Progress = new AtEpochEnd(() => megabytes.Add(Megabytes())) };
        new TrainingLoop([(objective, options)], null, images, null, CPU).Run();
        Console.WriteLine($"memory after each of ten epochs, MB: {string.Join(" ", megabytes)}");
    }

    private static string Megabytes()
    {
        using Process process = Process.GetCurrentProcess();
        return (process.WorkingSet64 >> 20).ToString(CultureInfo.InvariantCulture);
    }

    private sealed class AtEpochEnd(Action action) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.EpochEnd) action();
        }
    }
}
