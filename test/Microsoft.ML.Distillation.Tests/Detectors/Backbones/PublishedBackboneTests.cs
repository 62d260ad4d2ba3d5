using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Estimators;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Tests.Teachers.Onnx;
using Microsoft.ML.Distillation.Tests.Training;
using Microsoft.ML.Distillation.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Detectors.Backbones;

/// <summary>Backbones of networks that others have published.</summary>
public class PublishedBackboneTests
{
    /// <summary>The stages of NuGet's Microsoft.ML.DnnImageFeaturizer.ResNet18 at the strides 8, 16 and 32.</summary>
    private static readonly string[] ResNetStages = ["ReLU315_Output_0", "ReLU347_Output_0", "ReLU393_Output_0"];

    private static readonly Dictionary<string, (OnnxPreprocessing Sees, ImageSize Size, string[] Maps, int[] Strides)> Networks = new()
    {
        ["ResNet18"] = (OnnxPreprocessing.DnnImageFeaturizer, new(224, 224), ResNetStages, [8, 16, 32]),
        ["FastestDet"] = (OnnxPreprocessing.For(OnnxDetectorFormat.FastestDet), new(352, 352), ["input.136", "input.376", "input.504"],
            [8, 16, 32]),
        ["UltraFace"] = (OnnxPreprocessing.For(OnnxDetectorFormat.Ssd), new(320, 240), ["314", "360", "400"], [8, 16, 32]),
    };

    private static string FileOf(string network) => network switch
    {
        "FastestDet" => TestData.Model("fastestdet.onnx"),
        "UltraFace" => TestData.Model("ultraface-rfb320.onnx"),
        _ => Path.Combine(AppContext.BaseDirectory, "DnnImageModels", "ResNet18Onnx", "ResNet18.onnx"),
    };

    [Test]
    public void DetectorsOnThem_SeeWhatOnnxRuntimeSees([Values("ResNet18", "FastestDet", "UltraFace")] string network)
    {
        using DisposeScope scope = NewDisposeScope();
        (OnnxPreprocessing sees, ImageSize size, string[] maps, int[] strides) = Networks[network];
        RgbImage photograph = PublishedModels.Read(PublishedModels.Photographs()[0].ImagePath);
        float[] pixels = AntialiasedResize.Resize(photograph, size), seen = new float[pixels.Length];
        new InputWriter(sees).Write(pixels, InputFrame.For(size, size, ImageFit.Stretch), seen);
        using var reference = new OnnxRunner(FileOf(network), maps, new OnnxDetectorOptions());
        IReadOnlyList<OnnxOutput> expected = reference.Run(seen, size)[0].Exposed;

        Backbone backbone = Backbone.FromOnnx(FileOf(network), maps, sees);
        using FasterRcnn detector = TestDetectors.Build(
            DetectorPlan.FasterRcnn(backbone with { FpnChannels = 16 }, size.Width, size.Height));
        Assert.That(detector.Backbone.Maps.Select(map => (map.Name, map.Stride)), Is.EqualTo(maps.Zip(strides)));
        IReadOnlyDictionary<string, Tensor> features = detector.Features(tensor(pixels, [1, 3, size.Height, size.Width]));
        foreach (OnnxOutput output in expected)
        {
            float[] values = TensorArrays.Floats(features[output.Name]);
            float largest = output.Values.Span.ToArray().Max(Math.Abs);
            float difference = values.Zip(output.Values.ToArray(), (mine, theirs) => Math.Abs(mine - theirs)).Max() / largest;
            TestContext.Out.WriteLine($"{network} {output.Name} {difference:0.0e0}");
            Assert.That(difference, Is.LessThan(1e-4f), output.Name);
        }
    }

    /// <summary>UltraFace's layer of stride 64 begins with a 1×1 convolution of stride 32, 430, behind 400.</summary>
    [TestCase("ResNet18", "ReLU315_Output_0", "ReLU347_Output_0", "ReLU393_Output_0")]
    [TestCase("FastestDet", "input.136", "input.376", "input.504")]
    [TestCase("UltraFace", "314", "360", "430")]
    public void WithoutNames_TheyAreCutWhereTheirStagesEnd(string network, params string[] maps)
        => Assert.That(Backbone.FromOnnx(FileOf(network)).Maps, Is.EqualTo(maps));

    [Test]
    public void ATeacher_OnMlNetsResNet18_IsASingleLine()
    {
        Backbone stages = Backbone.FromOnnx(FileOf("ResNet18"), ["ReLU347_Output_0"], OnnxPreprocessing.DnnImageFeaturizer);
        using FasterRcnn detector = TestDetectors.Build(stages, 192);
        Assert.That(detector.FeatureMaps, Is.EqualTo(new[] { ("ReLU347_Output_0", 256) }), "three stages by the map named");
        Assert.That(detector.Backbone.parameters().Sum(parameter => parameter.numel()), Is.InRange(2.7e6, 2.9e6));
    }

    [Test]
    public void StudentsOnThem_TakeSteps_AtOtherSizes([Values("FastestDet", "UltraFace")] string network)
    {
        using DisposeScope scope = NewDisposeScope();
        using var data = new DrawnDataset(8);
        (OnnxPreprocessing sees, _, string[] maps, _) = Networks[network];
        manual_seed(1);
        var student = (OneStageDetector)DetectorPlan.OneStage(Backbone.FromOnnx(FileOf(network), maps, sees), 96)
            .Build(DataStatistics.Of(data));
        using var objective = new OneStageObjective(student, 0, null, null, CPU);
        TrainingResult result = new TrainingLoop([(objective, TinyRun.Options(2))], null, data, null, CPU).Run()[0];
        Assert.That(result.History[1].Losses.Values.Sum(), Is.LessThan(result.History[0].Losses.Values.Sum()));
        Assert.That(ExportCheck.Run(result.Detector, DetectorFile.Export(result.Detector), data).Holds);
        result.Detector.Dispose();
    }
}
