using Google.Protobuf;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using TorchSharp;

namespace Microsoft.ML.Distillation.Tests.Detectors;

public class FasterRcnnWriterTests
{
    private static readonly Dictionary<string, DetectorPlan> Cases = new()
    {
        ["plain"] = DetectorPlan.FasterRcnn(Backbone.Plain(8, 16, 24, 32), 192),
        ["plain, boxes by class, two layers"] = DetectorPlan
            .FasterRcnn(Backbone.Plain(8, 16, 24), 96, new() { ClassAgnosticBoxes = false, HeadLayers = 2 }),
        ["plain, odd size"] = DetectorPlan.FasterRcnn(Backbone.Plain(8, 16, 24), 101, 75),
        ["ShuffleNetV2 x0.5"] = DetectorPlan.FasterRcnn(Backbone.ShuffleNetV2_x0_5, 128),
        ["ShuffleNetV2 x1.0, FPN"] = DetectorPlan
            .FasterRcnn(Backbone.ShuffleNetV2_x1_0 with { FpnChannels = 24 }, 128, new() { ClassAgnosticBoxes = false }),
        ["ResNet-18, three stages"] = DetectorPlan.FasterRcnn(Backbone.ResNet18 with { Stages = 3 }, 96),
        ["ResNet-34, stride 16"] = DetectorPlan.FasterRcnn(Backbone.ResNet34 with { OutputStride = 16 }, 96),
        ["ResNet-50, FPN"] = DetectorPlan
            .FasterRcnn(Backbone.ResNet50 with { Stages = 3, FpnChannels = 32 }, 320, new() { Proposals = 50 }),
        ["MobileNetV3-Small, FPN"] = DetectorPlan.FasterRcnn(Backbone.MobileNetV3Small with { FpnChannels = 24 }, 128),
        ["AlexNet, regions by maximum"] = DetectorPlan
            .FasterRcnn(Backbone.AlexNet, 160, new() { RoiPooling = RoiPoolingKind.Max, HeadWidth = 32 }),
        ["VGG-M, odd size"] = DetectorPlan.FasterRcnn(Backbone.VggM, 131, 99, new() { RoiPooling = RoiPoolingKind.Max, HeadWidth = 32 }),
        ["VGG16, odd size"] = DetectorPlan.FasterRcnn(Backbone.Vgg16, 131, 99, new() { HeadWidth = 32 }),
        ["AlexNet in parts"] = DetectorPlan.FasterRcnn(Backbone.TuckerAlexNet(0.3), 160, new() { HeadWidth = 32 }),
        ["pyramid and RPN in parts"] = DetectorPlan.FasterRcnn(Backbone.Plain(8, 16, 24) with
        {
            FpnChannels = 24,
            Compression = new()
            {
                Ranks = new Dictionary<string, IReadOnlyList<int>>
                {
                    ["fpn.layer_blocks.0.0"] = [6, 7],
                    ["fpn.inner_blocks.1.0"] = [5],
                    ["rpn.conv"] = [4, 5]
                }
            },
        }, 96),
        ["nothing found"] = DetectorPlan.FasterRcnn(Backbone.Plain(8, 16), 64, new() { ScoreThreshold = 1 }),
    };

    private static IEnumerable<string> CaseNames => Cases.Keys;

    [TestCaseSource(nameof(CaseNames))]
    public void OnnxRuntime_AnswersLikeDetect(string name)
    {
        using FasterRcnn detector = TestDetectors.Build(Cases[name]);
        TestDetectors.Shake(detector);
        using torch.Tensor images = TestDetectors.Images(detector, 2);
        IReadOnlyList<Detections> expected = detector.Detect(images);

        using var session = new InferenceSession(Export(detector).ToByteArray());
        for (int n = 0; n < 2; n++)
        {
            using torch.Tensor image = images.narrow(0, n, 1);
            Detections actual = Run(session, image);
            TestContext.Out.WriteLine($"{name}: {actual.Count} detections");
            if (name != "nothing found") Assert.That(actual.Count, Is.GreaterThan(0));
            AssertSame(actual, expected[n]);
        }
    }

    [Test]
    public void Initialisers_HoldTheStateDict_UnderItsNames()
    {
        using FasterRcnn detector = TestDetectors.Build(Backbone.ShuffleNetV2_x0_5 with { FpnChannels = 16 });
        Dictionary<string, TensorProto> stored = Export(detector).Graph.Initializer.ToDictionary(i => i.Name);
        foreach ((string name, torch.Tensor value) in detector.state_dict())
        {
            if (name.EndsWith("num_batches_tracked", StringComparison.Ordinal)) continue;
            Assert.That(stored, Contains.Key(name));
            Assert.That(stored[name].Dims, Is.EqualTo(value.shape), name);
            Assert.That(stored[name].RawData.ToByteArray(), Is.EqualTo(value.bytes.ToArray()), name);
        }
    }

    /// <summary>The same detections, whatever the order of those whose scores are all but equal.</summary>
    private static void AssertSame(Detections actual, Detections expected)
    {
        Assert.That(actual.Scores, Is.EqualTo(expected.Scores).Within(1e-4));
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

    private static ModelProto Export(FasterRcnn detector)
    {
        var graph = new GraphBuilder();
        ImageSize size = detector.InputSize;
        string images = graph.Input("images", TensorProto.Types.DataType.Float, 1, 3, size.Height, size.Width);
        DetectionValues values = detector.Write(graph, images);
        graph.Output("boxes", values.Boxes, TensorProto.Types.DataType.Float, 1, "detections", 4);
        graph.Output("scores", values.Scores, TensorProto.Types.DataType.Float, 1, "detections");
        graph.Output("classes", values.Classes, TensorProto.Types.DataType.Int64, 1, "detections");
        return graph.Build([]);
    }

    private static Detections Run(InferenceSession session, torch.Tensor image)
    {
        var input = new DenseTensor<float>(TensorArrays.Floats(image), Array.ConvertAll(image.shape, d => (int)d));
        using IDisposableReadOnlyCollection<DisposableNamedOnnxValue> outputs = session
            .Run([NamedOnnxValue.CreateFromTensor("images", input)]);
        return new Detections(
            [.. outputs[0].AsEnumerable<float>()],
            [.. outputs[1].AsEnumerable<float>()],
            [.. outputs[2].AsEnumerable<long>().Select(c => (int)c)]);
    }
}
