using System.Globalization;
using Microsoft.ML.Distillation.Detectors;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Benchmarks;

/// <summary>
/// How long a 640×480 image takes through the exported ONNX of each student and teacher, from raw pixels to boxes. The weights are random:
/// time hangs on the architecture, and all that the network may propose and find is computed.
/// </summary>
internal static class LatencyBench
{
    private const int Width = 640;
    private const int Height = 480;
    private const int Classes = 20;

    /// <summary>Prints a table in Markdown.</summary>
    public static void Run()
    {
        Console.WriteLine("| detector | input | parameters (M) | ONNX (MB) | ms per image |");
        Console.WriteLine("|-|-|-|-|-|");
        foreach ((string name, Backbone backbone, int size) in TwoStage()) Row($"Faster R-CNN, {name}",
            DetectorPlan.FasterRcnn(backbone, size, size));
        foreach ((string name, Backbone backbone, int size) in OneStage())
            Row($"one-stage, {name}", DetectorPlan.OneStage(backbone, size, size));
    }

    private static IEnumerable<(string Name, Backbone Backbone, int Size)> TwoStage()
    {
        yield return ("Plain(8, 16, 24, 32)", Backbone.Plain(8, 16, 24, 32), 128);
        yield return ("ShuffleNetV2 ×0.5", Backbone.ShuffleNetV2_x0_5, 320);
        yield return ("ShuffleNetV2 ×1.0", Backbone.ShuffleNetV2_x1_0, 320);
        yield return ("MobileNetV3-Small", Backbone.MobileNetV3Small, 320);
        yield return ("MobileNetV3-Large", Backbone.MobileNetV3Large, 320);
        yield return ("ResNet-18", Backbone.ResNet18, 320);
        yield return ("ResNet-34", Backbone.ResNet34, 320);
        yield return ("ResNet-50", Backbone.ResNet50, 320);
        yield return ("ResNet-18 with FPN", Backbone.ResNet18 with { FpnChannels = 128 }, 320);
        foreach (double share in (double[])[0.2, 0.25, 0.3, 0.375, 0.45])
            yield return (string.Create(CultureInfo.InvariantCulture, $"Tucker-AlexNet {share:0.0%}"), Backbone.TuckerAlexNet(share), 320);
        yield return ("AlexNet", Backbone.AlexNet, 320);
        yield return ("VGG-M", Backbone.VggM, 320);
        yield return ("VGG16", Backbone.Vgg16, 320);
    }

    private static IEnumerable<(string Name, Backbone Backbone, int Size)> OneStage()
    {
        yield return ("Plain(8, 16, 24, 32)", Backbone.Plain(8, 16, 24, 32), 128);
        yield return ("ShuffleNetV2 ×0.5", Backbone.ShuffleNetV2_x0_5, 320);
        yield return ("ShuffleNetV2 ×1.0", Backbone.ShuffleNetV2_x1_0, 320);
        yield return ("MobileNetV3-Small", Backbone.MobileNetV3Small, 320);
        yield return ("MobileNetV3-Large", Backbone.MobileNetV3Large, 320);
        yield return ("ResNet-18", Backbone.ResNet18, 320);
    }

    private static void Row(string name, DetectorPlan plan)
    {
        manual_seed(1);
        using Detector detector = plan.Build(Scenes.Statistics(Classes));
        long parameters = detector.parameters().Sum(p => p.numel());
        using var exported = ObjectDetector.Of(DetectorFile.Export(detector), name);
        var pixels = new byte[3 * Width * Height];
        new Random(1).NextBytes(pixels);
        double seconds = Report.MedianSeconds(() => exported.Detect(pixels, Width, Height), 15);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {name} | {detector.InputSize} | {parameters / 1e6:0.00} | {exported.Bytes / 1e6:0.0} | {seconds * 1e3:0.0} |"));
    }
}
