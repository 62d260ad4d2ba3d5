using Microsoft.ML.Distillation;
using Microsoft.ML.Distillation.Benchmarks;
using static TorchSharp.torch;

// Prints what this library takes beside what others take for the same work, measured in one run on this machine. With names as
// arguments it runs these benchmarks, without all but the GPU's and the one that writes 100,000 files.
(string Name, Action Run)[] benchmarks =
[
    ("torchvision", AgainstTorchvision),
    ("evaluator", EvaluatorBench.Run),
    ("pipeline", PipelineBench.Run),
    ("memory", TrainingBench.MemoryOverTenEpochs),
    ("distillation", Distillation),
    ("teacher-cache", TeacherCacheBench.Run),
    ("latency", LatencyBench.Run),
    ("batch", BatchBench.Run),
    ("busy", BusyBench.Run),
    ("teacher", TeacherBench.Run),
    ("loader", LoaderBench.Run),
    ("decode", DecodeBench.Run),
    ("many-images", ManyImagesBench.Run),
    ("gpu", GpuBench.Run),
];
if (args is [BusyBench.Spinner])
{
    BusyBench.Spin();
    return 0;
}

string[] wanted = args.Length > 0 ? args : [.. benchmarks.Select(benchmark => benchmark.Name)
    .Where(name => name is not ("gpu" or "many-images"))];
if (wanted.Except(benchmarks.Select(benchmark => benchmark.Name)).FirstOrDefault() is string unknown)
{
    Console.Error.WriteLine($"There is no benchmark '{unknown}'. There are "
        + $"{string.Join(", ", benchmarks.Select(benchmark => benchmark.Name))}.");
    return 2;
}

foreach ((_, Action run) in benchmarks.Where(benchmark => wanted.Contains(benchmark.Name)))
{
    run();
    Console.WriteLine();
}

return 0;

// Ratios above 1 mean that this library is faster. torchvision runs from Debian's python3-torchvision.
static void AgainstTorchvision()
{
    // Said to both: libtorch 1.13 takes one thread by itself on some processors of two cores.
    int threads = Environment.ProcessorCount;
    set_num_threads(threads);
    TorchvisionSide? torchvision = TorchvisionSide.Run(threads, width: 320, height: 320, batch: 2, steps: 5);
    Console.WriteLine($"Against torchvision (torch {torchvision?.Torch ?? "not installed"}) on {threads} threads:");
    Report.Ratio("training step, Faster R-CNN ResNet-18-FPN, 2 images of 320×320", TrainingBench.StepSeconds(Backbone.ResNet18),
        torchvision?.TrainingStep);
    Report.Ratio("training step, Faster R-CNN MobileNetV3-Large-FPN, 2 images of 320×320",
        TrainingBench.StepSeconds(Backbone.MobileNetV3Large), torchvision?.TrainingStepMobile);
    Report.Ratio("NMS of 100 boxes", BoxBench.NmsSeconds(100), torchvision?.Nms100);
    Report.Ratio("NMS of 1,000 boxes", BoxBench.NmsSeconds(1000), torchvision?.Nms1000);
    Report.Ratio("NMS of 5,000 boxes", BoxBench.NmsSeconds(5000), torchvision?.Nms5000);
    Report.Ratio("RoIAlign forward and back, 256 regions of 64 channels", BoxBench.RoiAlignSeconds(), torchvision?.RoiAlign);
}

static void Distillation()
{
    Console.WriteLine("A distillation step, as a share of a supervised step and the teacher's bare pass (ResNet-18 at 256), 4 images:");
    DistillationBench.Run("Faster R-CNN, Plain(8, 16, 24, 32) at 128", DetectorPlan.FasterRcnn(Backbone.Plain(8, 16, 24, 32), 128, 128),
        128, CPU);
    DistillationBench.Run("Faster R-CNN, ShuffleNetV2 ×0.5 at 192", DetectorPlan.FasterRcnn(Backbone.ShuffleNetV2_x0_5, 192, 192), 192,
        CPU);
    DistillationBench.Run(
        "one-stage, ShuffleNetV2 ×0.5 at 192",
        DetectorPlan.OneStage(Backbone.ShuffleNetV2_x0_5, 192, 192), 192, CPU);
}
