using System.Text.Json;
using Google.Protobuf;
using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using TorchSharp;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace Microsoft.ML.Distillation.Tests.Detectors.Backbones;

public class BackboneTests
{
    private static readonly Dictionary<string, (Backbone Backbone, double Gain)> Cases = new()
    {
        ["MobileNetV3Small"] = (Backbone.MobileNetV3Small, 0.8),
        ["MobileNetV3Large"] = (Backbone.MobileNetV3Large, 0.6),
        ["AlexNet"] = (Backbone.AlexNet, 1),
        ["VggM"] = (Backbone.VggM, 1),
        ["Vgg16"] = (Backbone.Vgg16, 1),
    };

    private static IEnumerable<string> CaseNames => Cases.Keys;

    [TestCaseSource(nameof(CaseNames))]
    public void Maps_AreTorchvisions_AndTheGraphs(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        using BackboneNetwork network = BackboneNetwork.Create(Cases[name].Backbone, 32);
        DeterministicValues.Fill(network, Cases[name].Gain);
        using var expected = JsonDocument.Parse(File.ReadAllText(Golden.Path("Backbones", "maps.json")));
        JsonProperty[] wanted = [.. expected.RootElement.GetProperty(name).EnumerateObject()];

        Tensor images = DeterministicValues.Images(1, 2, 3, 96, 64);
        IReadOnlyList<Tensor> maps = network.Run(images);
        IReadOnlyList<float[]> graphs = RunGraph(network, images);
        Assert.That(maps, Has.Count.EqualTo(wanted.Length));
        for (int i = 0; i < wanted.Length; i++)
        {
            float[] values = TensorArrays.Floats(maps[i]);
            float scale = maps[i].std().item<float>();
            Assert.That(maps[i].shape, Is.EqualTo(wanted[i].Value.GetProperty("shape").Deserialize<long[]>()), wanted[i].Name);
            Assert.That(network.Maps[i].Channels, Is.EqualTo(maps[i].shape[1]));
            Assert.That(96 / network.Maps[i].Stride, Is.EqualTo(maps[i].shape[2]));
            int step = Math.Max(1, values.Length / 64);
            float[] sample = [.. Enumerable.Range(0, 64).Select(k => values[k * step])];
            Assert.That(sample, Is.EqualTo(wanted[i].Value.GetProperty("values").Deserialize<float[]>()).Within(1e-4 * scale),
                wanted[i].Name);
            Assert.That(graphs[i], Is.EqualTo(values).Within(1e-4 * scale), $"{wanted[i].Name} in ONNX Runtime");
        }
    }

    [TestCaseSource(nameof(CaseNames))]
    public void Stages_AndOutputStride_ShortenAndCoarsenNoFurther(string name)
    {
        using BackboneNetwork network = BackboneNetwork.Create(Cases[name].Backbone with { Stages = 3 }, 8);
        Assert.That(network.Maps, Has.Count.EqualTo(3));
        using BackboneNetwork whole = BackboneNetwork.Create(Cases[name].Backbone, 32);
        Assert.That(network.Maps[^1].Stride, Is.EqualTo(Math.Min(8, whole.Maps[2].Stride)));
        using Tensor images = DeterministicValues.Images(1, 1, 3, 64, 64);
        using Tensor map = network.Run(images)[^1];
        Assert.That(map.shape[2..], Is.All.EqualTo(64 / network.Maps[^1].Stride));
    }

    /// <summary>
    /// What a filter sees decides: every second cell of the dilated map at half the stride is the map of the network as it was trained.
    /// MobileNetV3 (squeeze and excitation takes the mean of all cells) and the classic networks (pooling goes) cannot have that.
    /// </summary>
    [TestCase(nameof(BackboneKind.ResNet18))]
    [TestCase(nameof(BackboneKind.ResNet50))]
    [TestCase(nameof(BackboneKind.ShuffleNetV2_x0_5))]
    public void DilatedFilters_SeeWhatTheySawWithTheStride(string kind)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        Backbone backbone = kind switch
        {
            nameof(BackboneKind.ResNet18) => Backbone.ResNet18,
            nameof(BackboneKind.ResNet50) => Backbone.ResNet50,
            _ => Backbone.ShuffleNetV2_x0_5,
        };
        using BackboneNetwork whole = BackboneNetwork.Create(backbone, 32);
        using BackboneNetwork dilated = BackboneNetwork.Create(backbone with { Dilates = true }, 8);
        using BackboneNetwork plain = BackboneNetwork.Create(backbone, 8);
        foreach (BackboneNetwork network in (BackboneNetwork[])[whole, dilated, plain])
        {
            DeterministicValues.Fill(network, 0.8);
            network.eval();
        }

        Tensor images = DeterministicValues.Images(1, 1, 3, 128, 96);
        float[] expected = TensorArrays.Floats(whole.Run(images)[^1]);
        float scale = expected.Max(Math.Abs);
        IReadOnlyList<Tensor> maps = dilated.Run(images);
        Assert.That(dilated.Maps[^1].Stride, Is.EqualTo(8));
        Assert.That(Coarser(maps[^1]), Is.EqualTo(expected).Within(1e-4 * scale));
        Assert.That(Coarser(plain.Run(images)[^1]), Is.Not.EqualTo(expected).Within(1e-2 * scale), "without dilation");
        Assert.That(RunGraph(dilated, images)[^1], Is.EqualTo(TensorArrays.Floats(maps[^1])).Within(1e-4 * scale), "in ONNX Runtime");

        static float[] Coarser(Tensor map) => TensorArrays.Floats(
            map.index(TensorIndex.Colon, TensorIndex.Colon, TensorIndex.Slice(step: 4), TensorIndex.Slice(step: 4)));
    }

    /// <summary>The maps as ONNX Runtime computes them from the graph that the network writes.</summary>
    private static List<float[]> RunGraph(BackboneNetwork network, Tensor images)
    {
        var graph = new GraphBuilder();
        object[] shape = [.. images.shape.Cast<object>()];
        string input = graph.Input("images", TensorProto.Types.DataType.Float, shape);
        IReadOnlyList<string> maps = network.Write(graph, input, "backbone");
        for (int i = 0; i < maps.Count; i++) graph.Output($"map{i}", maps[i], TensorProto.Types.DataType.Float, "n", "c", "h", "w");

        using var session = new InferenceSession(graph.Build([]).ToByteArray());
        var values = new DenseTensor<float>(TensorArrays.Floats(images), Array.ConvertAll(images.shape, d => (int)d));
        using IDisposableReadOnlyCollection<DisposableNamedOnnxValue> outputs = session
            .Run([NamedOnnxValue.CreateFromTensor("images", values)]);
        return [.. outputs.Select(o => o.AsEnumerable<float>().ToArray())];
    }
}
