using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Benchmarks;

/// <summary>The maps of a teacher, by ONNX Runtime as in training and by libtorch.</summary>
internal static class TeacherBench
{
    private const int Images = 4, Rounds = 9;

    /// <summary>Prints both times; a ratio above 1 means that ONNX Runtime is faster.</summary>
    public static void Run()
    {
        NativeHeap.KeepFreedMemory();
        Console.WriteLine($"The maps of a teacher for {Images} images, by ONNX Runtime beside libtorch:");
        Measure("ResNet-18 of three stages at 256", Backbone.ResNet18 with { Stages = 3 }, 256);
        Measure("ResNet-50 of three stages at 256", Backbone.ResNet50 with { Stages = 3 }, 256);
        Measure("MobileNetV3-Large at 320", Backbone.MobileNetV3Large, 320);
    }

    private static void Measure(string name, Backbone backbone, int size)
    {
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        using Detector detector = DetectorPlan.FasterRcnn(backbone with { Weights = PretrainedWeights.None }, size, size)
            .Build(Scenes.Statistics(classes: 3));
        detector.eval();
        using var session = new FeatureSession(detector);
        Tensor images = rand(Images, 3, size, size);
        double[] seconds = Report.MedianSeconds(Rounds, () => Run(session.Run), () => Run(detector.Features));
        Report.Ratio(name, seconds[0], seconds[1]);

        void Run(Func<Tensor, IReadOnlyDictionary<string, Tensor>> features)
        {
            using var inner = NewDisposeScope();
            features(images);
        }
    }
}
