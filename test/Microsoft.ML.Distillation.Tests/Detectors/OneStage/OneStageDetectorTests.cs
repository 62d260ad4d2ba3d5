using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Rows;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Detectors.OneStage;

public class OneStageDetectorTests
{
    private static readonly Dictionary<string, DetectorPlan> Cases = new()
    {
        ["plain"] = DetectorPlan.OneStage(Backbone.Plain(8, 16, 24, 32), 192),
        ["plain, FPN, dense, one layer"] = DetectorPlan
            .OneStage(Backbone.Plain(8, 16, 24), 96, new() { Neck = OneStageNeck.Fpn, Separable = false, HeadLayers = 1 }),
        ["plain, odd size"] = DetectorPlan.OneStage(Backbone.Plain(8, 16, 24), 101, 75, new() { Strides = [8, 16, 32] }),
        ["plain, one map"] = DetectorPlan.OneStage(Backbone.Plain(8, 16, 24), 96, new() { Strides = [8] }),
        ["ShuffleNetV2 x0.5"] = DetectorPlan.OneStage(Backbone.ShuffleNetV2_x0_5, 128),
        ["ShuffleNetV2 x1.0, wide"] = DetectorPlan.OneStage(Backbone.ShuffleNetV2_x1_0, 128, new() { Channels = 96, Bins = 12 }),
        ["ResNet-18, three stages"] = DetectorPlan.OneStage(Backbone.ResNet18 with { Stages = 3 }, 96, new() { Channels = 16 }),
        ["neck and head in parts"] = DetectorPlan.OneStage(Backbone.Plain(8, 16, 24) with
        {
            Compression = new()
            {
                Ranks = new Dictionary<string, IReadOnlyList<int>>
                {
                    ["neck.lateral0.conv"] = [6],
                    ["neck.down0.conv"] = [9, 8],
                    ["head.layer0.conv0"] = [7, 9]
                }
            },
        }, 96, new() { Separable = false }),
        ["MobileNetV3-Small"] = DetectorPlan.OneStage(Backbone.MobileNetV3Small, 128, new() { Strides = [8, 16, 32, 64] }),
    };

    /// <summary>ShuffleNetV2's first stage ends at stride 8; small inputs get what goes into it too.</summary>
    [TestCase(128, 4)]
    [TestCase(192, 4)]
    [TestCase(256, 8)]
    public void SmallInputs_HaveAMapOfStrideFour_OfEveryBackbone(int inputSize, int finest)
    {
        foreach (Backbone backbone in new[] { Backbone.ShuffleNetV2_x0_5, Backbone.MobileNetV3Small, Backbone.Plain(8, 16, 24) })
        {
            using OneStageDetector detector = OneStageDetectors.Build(DetectorPlan.OneStage(backbone, inputSize));
            Assert.That(detector.Config.Strides[0], Is.EqualTo(finest), $"{backbone.Kind}");
            Assert.That(detector.Grid.Levels[0].Columns, Is.EqualTo(inputSize / finest));
        }

        using OneStageDetector coarse = OneStageDetectors.Build(
            DetectorPlan.OneStage(Backbone.ShuffleNetV2_x0_5, inputSize, new() { Strides = [8, 16] }));
        Assert.That(coarse.Backbone.Maps.Select(map => map.Name), Is.EqualTo(new[] { "stage2", "stage3", "stage4" }),
            "a model of before has the maps that it had");
    }

    private static IEnumerable<string> CaseNames => Cases.Keys;

    [TestCaseSource(nameof(CaseNames))]
    public void OnnxRuntime_AnswersLikeDetect_FromTheFileThatLoadsBack(string name)
    {
        using OneStageDetector detector = OneStageDetectors.Build(Cases[name]);
        OneStageDetectors.Shake(detector);
        using Tensor images = TestDetectors.Images(detector, 2);
        IReadOnlyList<Detections> expected = detector.Detect(images);
        OnnxModelFile file = OnnxModelFile.Parse(DetectorFile.Export(detector).ToBytes(), "export");
        byte[] plain = PlainForm.Of(file).ToBytes();
        for (int n = 0; n < 2; n++)
        {
            using Tensor image = images.narrow(0, n, 1);
            Dictionary<string, Array> found = OnnxRun.Run(plain,
                OnnxRun.Value(DetectorGraph.Images, TensorArrays.Floats(image), 1, 3, detector.InputSize.Height, detector.InputSize.Width));
            var actual = new Detections(
                (float[])found[DetectorGraph.Boxes], (float[])found[DetectorGraph.Scores],
                [.. ((long[])found[DetectorGraph.Classes]).Select(c => (int)c)]);
            TestContext.Out.WriteLine($"{name}: {actual.Count} detections");
            Assert.That(actual.Count, Is.GreaterThan(3));
            AssertSame(actual, expected[n]);
        }

        using Detector loaded = DetectorFile.Load(file);
        Assert.That(loaded.Describe(), Is.EqualTo(detector.Describe()));
        Detections again = loaded.Detect(images)[0];
        Assert.That((again.Boxes, again.Scores), Is.EqualTo((expected[0].Boxes, expected[0].Scores)));
    }

    [Test]
    public void Boxes_OfEncodedDistances_AreTheBoxes()
    {
        using var scope = NewDisposeScope();
        var grid = new PointGrid(new ImageSize(64, 64), [8, 16]);
        using var coder = new DistanceCoder(grid, 8);
        Tensor boxes = tensor(new[] { 10f, 6, 40, 33, 3, 0, 21, 30 }, [2, 4]), points = tensor(new[] { 9L, 64 });
        Tensor distances = coder.Encode(boxes, points);
        // Location 9 is at 12 12 with stride 8, location 64 at 8 8 with stride 16.
        Assert.That(TensorArrays.Floats(distances),
            Is.EqualTo(new[] { 0.25f, 0.75f, 3.5f, 2.625f, 0.3125f, 0.5f, 0.8125f, 1.375f }).AsCollection.Within(1e-6));

        // The two neighbouring bins, by nearness, have the distance as their mean.
        Tensor lower = distances.floor(), share = distances - lower;
        Tensor shares = zeros(2, 4, 8).scatter(2, lower.to(int64).unsqueeze(2), (1 - share).unsqueeze(2))
            + zeros(2, 4, 8).scatter(2, (lower.to(int64) + 1).unsqueeze(2), share.unsqueeze(2));
        Tensor edges = zeros(1, grid.Count, 4, 8);
        edges[0, 9] = (shares[0] + 1e-20).log();
        edges[0, 64] = (shares[1] + 1e-20).log();
        Tensor decoded = coder.Decode(edges)[0].index_select(0, points);
        Assert.That(TensorArrays.Floats(decoded), Is.EqualTo(TensorArrays.Floats(boxes)).AsCollection.Within(1e-4));
    }

    [Test]
    public void Strides_FollowBoxesAndBackbone()
    {
        Assert.That(Strides(Backbone.ShuffleNetV2_x0_5, 320), Is.EqualTo(new[] { 8, 16, 32 }));
        Assert.That(Strides(Backbone.ResNet18 with { Stages = 3 }, 320), Is.EqualTo(new[] { 8, 16 }));
        Assert.That(Strides(Backbone.Plain(8, 16, 24), 96), Is.EqualTo(new[] { 4, 8 }), "a small input");
        Assert.That(Strides(Backbone.Plain(8, 16, 24), 640), Is.EqualTo(new[] { 8, 16, 32 }), "boxes of 193 pixels need 7 strides of 32");

        static IReadOnlyList<int> Strides(Backbone backbone, int size)
            => ((OneStagePlan)DetectorPlan.OneStage(backbone, size)).Configure(TestDetectors.Statistics).Strides;
    }

    [Test]
    public void Sizes_GoFromAFifthOfAMillionToFiveMillionParameters()
    {
        long small = Parameters(Backbone.ShuffleNetV2_x0_5 with { Stages = 2 }, new OneStageOptions());
        long large = Parameters(Backbone.ResNet18 with { Stages = 3 },
            new OneStageOptions { Channels = 192, Separable = false, HeadLayers = 2 });
        TestContext.Out.WriteLine($"{small} to {large}");
        Assert.That(small, Is.LessThan(200_000));
        Assert.That(large, Is.GreaterThan(5_000_000));
        Assert.That(Parameters(Backbone.ShuffleNetV2_x0_5, new OneStageOptions()), Is.InRange(150_000, 250_000));

        static long Parameters(Backbone backbone, OneStageOptions options)
        {
            using OneStageDetector detector = OneStageDetectors.Build(backbone, 128, options);
            return detector.parameters().Sum(parameter => parameter.numel());
        }
    }

    [Test]
    public void SettingsThatCannotBe_AreNamed()
    {
        Assert.That(() => DetectorPlan.OneStage(Backbone.ResNet18 with { FpnChannels = 32 }),
            Throws.ArgumentException.With.Message.Contains("Channels"));
        Assert.That(() => DetectorPlan.OneStage(Backbone.ResNet18 with { Compression = new CompressionOptions { FlopsShare = 1.5 } }),
            Throws.ArgumentException.With.Message.Contains("CompressionOptions.FlopsShare"));
        foreach (OneStageOptions options in (OneStageOptions[])
            [new() { Bins = 1 }, new() { Strides = [8, 32] }, new() { Strides = [] }, new() { HeadLayers = 0 }, new() { Channels = 0 }])
        {
            Assert.That(() => DetectorPlan.OneStage(Backbone.ResNet18, 320, options),
                Throws.ArgumentException.With.Message.Contains("OneStageOptions."));
        }

        Assert.That(() => DetectorPlan.OneStage(Backbone.ResNet18, 31), Throws.ArgumentException.With.Message.Contains("inputSize"));
        Assert.That(() => DetectorPlan.OneStage(Backbone.ResNet18, 64, 0), Throws.ArgumentException.With.Message.Contains("inputHeight"));
        Assert.That(() => OneStageDetectors.Build(Backbone.ShuffleNetV2_x0_5 with { Stages = 1 }, 128, new() { Strides = [16, 32] }),
            Throws.ArgumentException.With.Message.Contains("stride 4, 8"));
    }

    [Test]
    public void Forward_LeavesNoTensors()
    {
        using OneStageDetector detector = OneStageDetectors.Build(Backbone.Plain(8, 16, 24));
        using Tensor images = TestDetectors.Images(detector, 1);
        detector.Detect(images);
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        detector.Detect(images);
        Assert.That(DisposeScopeManager.Statistics.ThreadTotalLiveCount, Is.EqualTo(before));
    }

    /// <summary>The same detections, whatever the order of those whose scores are all but equal.</summary>
    private static void AssertSame(Detections actual, Detections expected)
    {
        Assert.That(actual.Scores, Is.EqualTo(expected.Scores).AsCollection.Within(1e-4));
        var left = Enumerable.Range(0, expected.Count).ToHashSet();
        for (int i = 0; i < actual.Count; i++)
        {
            int? twin = left.Cast<int?>().FirstOrDefault(j => actual.Labels[i] == expected.Labels[j!.Value]
                && Math.Abs(actual.Scores[i] - expected.Scores[j.Value]) < 1e-4
                && Enumerable.Range(0, 4).All(k => Math.Abs(actual.Boxes[4 * i + k] - expected.Boxes[4 * j.Value + k]) < 1e-3));
            Assert.That(twin, Is.Not.Null, $"detection {i} has no twin");
            left.Remove(twin!.Value);
        }
    }
}
