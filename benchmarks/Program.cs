using Microsoft.ML.Distillation.Benchmarks;

// One part alone, by its name.
if (args is ["teacher-cache"])
{
    TeacherCacheBench.Run();
    return;
}

// Prints what this library takes beside what others take for the same work, measured in one run on this machine:
// ratios above 1 mean that this library is faster. torchvision runs from Debian's python3-torchvision.
var torchvision = TorchvisionSide.Run(threads: Environment.ProcessorCount, width: 320, height: 320, batch: 2, steps: 5);
Console.WriteLine($"Against torchvision (torch {torchvision?.Torch ?? "not installed"}) on {Environment.ProcessorCount} threads:");
Report.Ratio("training step, Faster R-CNN ResNet-18-FPN, 2 images of 320×320", TrainingBench.StepSeconds(), torchvision?.TrainingStep);
Report.Ratio("NMS of 100 boxes", BoxBench.NmsSeconds(100), torchvision?.Nms100);
Report.Ratio("NMS of 1,000 boxes", BoxBench.NmsSeconds(1000), torchvision?.Nms1000);
Report.Ratio("NMS of 5,000 boxes", BoxBench.NmsSeconds(5000), torchvision?.Nms5000);
Report.Ratio("RoIAlign forward and back, 256 regions of 64 channels", BoxBench.RoiAlignSeconds(), torchvision?.RoiAlign);
Console.WriteLine();
Console.WriteLine("COCO evaluation of 1,000 images, 7,000 boxes, 98,000 detections, 80 classes (pycocotools on such a machine: 13.6 s)");
Report.Time("  on one thread", EvaluatorBench.Seconds(threads: 1));
Report.Time("  on all threads", EvaluatorBench.Seconds(threads: -1));
PipelineBench.Run();
TeacherCacheBench.Run();
TrainingBench.MemoryOverTenEpochs();
