using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Detectors.Graphs;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Detectors.Graphs;

/// <summary>The library's own networks, written as ONNX and read back as graphs of somebody else.</summary>
public class OwnNetworkTests
{
    private const int Size = 96;

    private static readonly Dictionary<string, Backbone> Backbones = new()
    {
        ["Plain"] = Backbone.Plain(8, 16, 24, 32),
        ["ShuffleNetV2"] = Backbone.ShuffleNetV2_x0_5,
        ["ResNet18"] = Backbone.ResNet18,
        ["MobileNetV3Small"] = Backbone.MobileNetV3Small,
    };

    private static IEnumerable<string> Names => Backbones.Keys;

    [TestCaseSource(nameof(Names))]
    public void Networks_ReadBack_AnswerAndLearnAlike(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        using var network = BackboneNetwork.Create(Backbones[name], 32);
        Tensor images = randn(2, 3, Size, Size);

        // Statistics of its own, so that the answers depend on them.
        network.train();
        using (no_grad()) network.Run(images);
        network.eval();
        var builder = new GraphBuilder();
        builder.Input("images", TensorProto.Types.DataType.Float, "N", 3, "H", "W");
        using (no_grad())
        {
            IReadOnlyList<string> written = network.Write(builder, "images", "net");
            for (int i = 0; i < written.Count; i++)
                builder.Output($"map{i}", written[i], TensorProto.Types.DataType.Float, "N", network.Maps[i].Channels, $"h{i}", $"w{i}");
        }

        string[] maps = [.. Enumerable.Range(0, network.Maps.Count).Select(i => $"map{i}")];
        using var copy = GraphNetwork.Create(GraphCut.Import(builder.Build([]), "net.onnx", maps), Size, Size);
        Assert.That(copy.Maps.Select(m => (m.Channels, m.Stride)), Is.EqualTo(network.Maps.Select(m => (m.Channels, m.Stride))));
        Assert.That(copy.Convolutions.Count(), Is.GreaterThanOrEqualTo(network.Convolutions.Count()));
        copy.eval();
        Compare(1e-4f);

        // In training the statistics of the batch count.
        network.train();
        copy.train();
        Compare(1e-3f);
        double[] slopes = [Slope(network), Slope(copy)];
        Assert.That(slopes[1], Is.EqualTo(slopes[0]).Within(0.1).Percent);

        void Compare(float tolerance)
        {
            foreach ((Tensor own, Tensor read) in network.Run(images).Zip(copy.Run(images)))
                Assert.That(GraphCheck.Difference(TensorArrays.Floats(read), TensorArrays.Floats(own)), Is.LessThan(tolerance));
        }

        double Slope(BackboneNetwork trained)
        {
            trained.Run(images)[^1].square().mean().backward();
            return trained.parameters().Where(p => p.grad is not null).Sum(p => p.grad!.square().sum().item<float>());
        }
    }
}
