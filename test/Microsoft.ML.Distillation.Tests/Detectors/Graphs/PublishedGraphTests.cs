using Microsoft.ML.Distillation.Detectors.Graphs;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;

namespace Microsoft.ML.Distillation.Tests.Detectors.Graphs;

/// <summary>Published detectors, cut before their heads.</summary>
public class PublishedGraphTests
{
    [Test]
    public void FastestDet_TrunkOfThreeStrides_OfAnySize() => Held("fastestdet.onnx", [8, 16, 32], (224, 288));

    [Test]
    public void UltraFace_TrunkOfThreeStrides_OfAnySize() => Held("ultraface-rfb320.onnx", [8, 16, 32], (192, 256));

    private static void Held(string file, int[] strides, (int Height, int Width) other)
    {
        ModelProto model = OnnxModelFile.LoadAll(TestData.Model(file))[0].Model;
        IReadOnlyList<string> maps = GraphCut.Suggest(model, file);
        TestContext.Out.WriteLine(string.Join(", ", maps));
        using GraphNetwork network = ExporterStyleTests.Held(model, [.. maps], other);
        Assert.That(network.Maps.Select(m => m.Stride), Is.EqualTo(strides));
        Assert.That(network.Convolutions.Count(), Is.GreaterThan(20));
    }
}
