using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Tests.Detectors.OneStage;

namespace Microsoft.ML.Distillation.Tests.Detectors;

/// <summary>The forms of an exported detector beside the whole one: raw, and each in half precision.</summary>
public class ExportedFormTests
{
    /// <summary>
    /// What the converters to and runtimes on CoreML, NNAPI, QNN, TensorRT, OpenVINO, NCNN and TFLite all take, by their own lists, with
    /// tensors of at most four dimensions and matrix products by a constant matrix. Cast is for half precision alone.
    /// </summary>
    private static readonly string[] Portable =
        ["Conv", "Relu", "Clip", "Sigmoid", "Add", "Mul", "MaxPool", "AveragePool", "GlobalAveragePool", "Concat", "Slice", "Reshape",
            "Transpose", "Resize", "Softmax", "MatMul"];

    private static IEnumerable<TestCaseData> Backbones()
    {
        yield return new TestCaseData(Backbone.ShuffleNetV2_x0_5).SetArgDisplayNames("ShuffleNetV2");
        yield return new TestCaseData(Backbone.MobileNetV3Small).SetArgDisplayNames("MobileNetV3");
        yield return new TestCaseData(Backbone.ResNet18).SetArgDisplayNames("ResNet18");
        yield return new TestCaseData(Backbone.Plain(8, 16, 16)).SetArgDisplayNames("Plain");
    }

    [TestCaseSource(nameof(Backbones))]
    public void RawForm_HasTheOperatorsThatAllConvertersTake_AndFixedShapes(Backbone backbone)
    {
        using OneStageDetector detector = Shaken(backbone);
        GraphProto graph = ExportedForm.Of(DetectorFile.Export(detector), new OnnxExportOptions { Form = OnnxForm.Raw }).Model.Graph;

        Assert.That(graph.Node.Select(node => node.OpType).Distinct(), Is.SubsetOf(Portable));
        ImageSize size = detector.InputSize;
        Assert.That(graph.Input.Select(Shape), Is.EqualTo(new[] { $"images [1,3,{size.Height},{size.Width}]" }));
        Assert.That(graph.Output.Select(Shape), Is.EqualTo(new[]
        {
            $"boxes [1,{detector.Grid.Count},4]", $"scores [1,{detector.Grid.Count},3]",
        }));
        Dictionary<string, TensorProto> constants = graph.Initializer.ToDictionary(tensor => tensor.Name);
        foreach (NodeProto node in graph.Node.Where(node => node.OpType is "Reshape" or "MatMul"))
            Assert.That(constants, Does.ContainKey(node.Input[1]), node.Name);
        Assert.That(constants.Values.Max(tensor => tensor.Dims.Count), Is.LessThanOrEqualTo(4));
        foreach (NodeProto node in graph.Node.Where(node => node.OpType == "Resize"))
            Assert.That(constants, Does.ContainKey(node.Input[^1]), node.Name);

        static string Shape(ValueInfoProto value)
            => $"{value.Name} [{string.Join(',', value.Type.TensorType.Shape.Dim.Select(dim => dim.DimValue))}]";
    }

    [TestCaseSource(nameof(Backbones))]
    public void RawForm_IsDetectedWithAsTheWholeForm(Backbone backbone)
    {
        using OneStageDetector detector = Shaken(backbone);
        OnnxModelFile whole = DetectorFile.Export(detector);
        Detections expected = Detect(whole), found = Detect(ExportedForm.Of(whole, new OnnxExportOptions { Form = OnnxForm.Raw }));
        Assert.That(expected.Count, Is.GreaterThan(10));
        Assert.That(found.Labels, Is.EqualTo(expected.Labels));
        Assert.That(found.Scores, Is.EqualTo(expected.Scores).Within(1e-4));
        Assert.That(found.Boxes, Is.EqualTo(expected.Boxes).Within(1e-2));
    }

    [TestCase(OnnxForm.Whole)]
    [TestCase(OnnxForm.Plain)]
    [TestCase(OnnxForm.Raw)]
    public void HalfPrecision_IsHalfTheSize_AndFindsTheSame(OnnxForm form)
    {
        using OneStageDetector detector = Shaken(Backbone.ResNet18);
        OnnxModelFile whole = DetectorFile.Export(detector);
        OnnxModelFile half = ExportedForm.Of(whole, new OnnxExportOptions { Form = form, Half = true });
        Assert.That(half.ToBytes(), Has.Length.LessThan(whole.ToBytes().Length * .53));
        Assert.That(DetectorGraph.CountParameters(half), Is.EqualTo(DetectorGraph.CountParameters(whole)));
        Assert.That(half.Model.Graph.Input.Concat(half.Model.Graph.Output).Select(value => value.Type.TensorType.ElemType),
            Has.None.EqualTo((int)TensorProto.Types.DataType.Float16));
        Close(Detect(whole), Detect(half));
    }

    [TestCase(OnnxForm.Whole)]
    [TestCase(OnnxForm.Plain)]
    public void AFasterRcnn_IsHalvedInItsLayers_NotInItsBoxes(OnnxForm form)
    {
        using FasterRcnn detector = TestDetectors.Build(Backbone.Plain(16, 24, 32));
        TestDetectors.Shake(detector);
        OnnxModelFile whole = DetectorFile.Export(detector);
        OnnxModelFile half = ExportedForm.Of(whole, new OnnxExportOptions { Form = form, Half = true });
        Assert.That(half.ToBytes(), Has.Length.LessThan(whole.ToBytes().Length * .53));
        Close(Detect(whole), Detect(half));
    }

    [Test]
    public void AFasterRcnn_HasNoRawForm_AndTheMessageSaysWhy()
    {
        using FasterRcnn detector = TestDetectors.Build(Backbone.Plain(8, 16, 16));
        Assert.That(() => ExportedForm.Of(DetectorFile.Export(detector), new OnnxExportOptions { Form = OnnxForm.Raw }),
            Throws.TypeOf<NotSupportedException>().With.Message.Contains("Faster R-CNN").And.Message.Contains("one-stage"));
    }

    [Test]
    public void AModelOfLowPrecision_HasARawForm_ButNoHalfPrecision()
    {
        using OneStageDetector detector = Shaken(Backbone.Plain(8, 16, 16));
        detector.LowerPrecision(new LowPrecision(8, 32));
        OnnxModelFile whole = DetectorFile.Export(detector);
        Close(Detect(whole), Detect(ExportedForm.Of(whole, new OnnxExportOptions { Form = OnnxForm.Raw })));
        Assert.That(() => ExportedForm.Of(whole, new OnnxExportOptions { Half = true }),
            Throws.TypeOf<NotSupportedException>().With.Message.Contains("low precision"));
    }

    [Test]
    public void HalfPrecision_IsAnEnd()
    {
        using OneStageDetector detector = Shaken(Backbone.Plain(8, 16, 16));
        OnnxModelFile half = ExportedForm.Of(DetectorFile.Export(detector), new OnnxExportOptions { Half = true });
        Assert.That(() => DetectorFile.Load(half), Throws.TypeOf<FormatException>().With.Message.Contains("half precision"));
        Assert.That(() => ExportedForm.Of(half, new OnnxExportOptions { Form = OnnxForm.Raw }),
            Throws.TypeOf<NotSupportedException>().With.Message.Contains("half precision"));
    }

    /// <summary>In ONNX Runtime: exactly the detections that reach the score remain, the one that just does among them.</summary>
    [TestCase(false, OnnxForm.Whole, false)]
    [TestCase(false, OnnxForm.Plain, false)]
    [TestCase(false, OnnxForm.Whole, true)]
    [TestCase(true, OnnxForm.Whole, false)]
    [TestCase(true, OnnxForm.Plain, true)]
    public void AScore_IsBuiltIn(bool twoStage, OnnxForm form, bool half)
    {
        using Detector detector = twoStage ? TestDetectors.Build(Backbone.Plain(16, 24, 32)) : Shaken(Backbone.Plain(8, 16, 16));
        if (detector is FasterRcnn fasterRcnn) TestDetectors.Shake(fasterRcnn);
        OnnxModelFile whole = DetectorFile.Export(detector);
        Detections all = Detect(ExportedForm.Of(whole, new OnnxExportOptions { Form = form, Half = half }));
        float score = all.Scores[all.Count / 2];
        int count = all.Scores.Count(one => one >= score);
        Assert.That(count, Is.InRange(3, all.Count - 3));

        var options = new OnnxExportOptions { Form = form, Half = half, ScoreThreshold = score };
        Detections found = Detect(ExportedForm.Of(whole, options));
        Assert.That(found.Scores, Is.EqualTo(all.Scores[..count]));
        Assert.That(found.Labels, Is.EqualTo(all.Labels[..count]));
        Assert.That(found.Boxes, Is.EqualTo(all.Boxes[..(4 * count)]));

        OnnxModelFile twice = ExportedForm.Of(ExportedForm.Of(whole, new OnnxExportOptions { ScoreThreshold = .99 }), options);
        Assert.That(Detect(twice).Scores, Is.EqualTo(found.Scores), "the last score counts");
    }

    [Test]
    public void TheRawForm_TakesNoScore()
    {
        using OneStageDetector detector = Shaken(Backbone.Plain(8, 16, 16));
        OnnxModelFile whole = DetectorFile.Export(detector);
        Assert.That(() => ExportedForm.Of(whole, new OnnxExportOptions { Form = OnnxForm.Raw, ScoreThreshold = .4 }),
            Throws.TypeOf<NotSupportedException>().With.Message.Contains("raw form chooses nothing"));
        Assert.That(() => ExportedForm.Of(whole, new OnnxExportOptions { ScoreThreshold = 1.5 }),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("ScoreThreshold"));
    }

    [Test]
    public void AWeightBeyondHalfPrecision_StaysInSingle()
    {
        using OneStageDetector detector = Shaken(Backbone.Plain(8, 16, 16));
        OnnxModelFile whole = DetectorFile.Export(detector);
        TensorProto weight = whole.Model.Graph.Initializer.First(tensor => tensor.Name == "head.classes.bias");
        weight.RawData = Google.Protobuf.ByteString.CopyFrom(BitConverter.GetBytes(1e6f).Concat(weight.RawData.Skip(4)).ToArray());
        OnnxModelFile half = ExportedForm.Of(whole, new OnnxExportOptions { Half = true });
        Assert.That(half.Parameters().Keys, Does.Contain("head.classes.bias").And.Not.Contains("head.edges.bias"));
    }

    [Test]
    public void AFileOfVersion01_HasARawForm()
    {
        OnnxModelFile old = FittedDetectors.In(SavedModels.At("one-stage.zip"));
        RgbImage scene = ImageFile.Read(SavedModels.At("scene.jpg"), long.MaxValue);
        OnnxModelFile raw = ExportedForm.Of(old, new OnnxExportOptions { Form = OnnxForm.Raw });
        Detections expected = Detect(old, scene), found = Detect(raw, scene);
        Assert.That(found.Labels, Is.EqualTo(expected.Labels));
        Assert.That(found.Boxes, Is.EqualTo(expected.Boxes).Within(1e-2));
    }

    /// <summary>Converters' users look there for the operator that theirs does not know.</summary>
    [Test]
    public void EveryOperatorOfEachForm_StandsInTheDocumentation()
    {
        string page = File.ReadAllText(Path.Combine(TestData.Repository(), "docs", "running-models.md"));
        foreach (Backbone backbone in (Backbone[])[Backbone.ShuffleNetV2_x0_5, Backbone.MobileNetV3Small, Backbone.ResNet18])
        {
            using OneStageDetector oneStage = OneStageDetectors.Build(backbone);
            using FasterRcnn twoStage = TestDetectors.Build(backbone);
            OnnxModelFile[] forms = [DetectorFile.Export(oneStage), DetectorFile.Export(twoStage)];
            foreach (OnnxModelFile whole in forms)
            {
                IEnumerable<string> operators = whole.Model.Graph.Node.Select(node => $"`{node.OpType}`").Distinct();
                Assert.That(operators.Where(name => !page.Contains(name)), Is.Empty);
            }
        }

        Assert.That(Portable.Where(name => !page.Contains($"`{name}`")), Is.Empty);
    }

    private static OneStageDetector Shaken(Backbone backbone)
    {
        OneStageDetector detector = OneStageDetectors.Build(backbone);
        OneStageDetectors.Shake(detector);
        return detector;
    }

    private static Detections Detect(OnnxModelFile model, RgbImage? image = null)
    {
        using var detector = ObjectDetector.Of(model, "the model");
        var random = new Random(5);
        var pixels = new byte[3 * 120 * 90];
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)(128 + 60 * Math.Sin(i / 3 % 120 / 9.0) + 60 * Math.Cos(i / 360 / 7.0 + i % 3) + random.Next(8));
        return detector.Run([image ?? new RgbImage(120, 90, pixels)])[0];
    }

    /// <summary>As training holds an export to its network, with the tolerance for networks that round.</summary>
    private static void Close(Detections expected, Detections found)
    {
        var agreement = new Distillation.Estimators.ExportAgreement(Distillation.Estimators.ExportTolerance.Rounded);
        agreement.Add(expected.Scaled(1 / 120f, 1 / 90f), found.Scaled(1 / 120f, 1 / 90f));
        TestContext.Out.WriteLine(agreement);
        Assert.That(expected.Count, Is.GreaterThan(5));
        Assert.That(agreement.Loose, Is.LessThan(.1));
    }
}
