using Google.Protobuf;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using Microsoft.ML.Distillation.Published;

namespace Microsoft.ML.Distillation.Tests.Onnx;

public class GraphSurgeryTests
{
    private static readonly OnnxDetectorOptions Options = new();

    [Test]
    public void Candidates_AreTheFeatureMaps_WithTheirStrides()
    {
        IReadOnlyList<OnnxFeatureMap> candidates = OnnxModelInspection.Of(TestData.Model("fastestdet.onnx")).FeatureMaps();

        Assert.That(candidates.Select(map => map.Stride).Distinct(), Is.SupersetOf(new[] { 2.0, 4, 8, 16, 32 }));
        Assert.That(candidates.Select(map => map.Name), Is.Unique);
        OnnxFeatureMap last = candidates.Last(map => map.Stride == 32 && map.Channels > 100);
        using var runner = new OnnxRunner(TestData.Model("fastestdet.onnx"), [last.Name], Options);
        OnnxAnswer answer = runner.Run(new float[3 * 352 * 352], new ImageSize(352, 352))[0];
        Assert.That(answer.Exposed.Single().Shape, Is.EqualTo(new[] { last.Channels, 11, 11 }));
        Assert.That(answer.Outputs.Select(output => output.Name), Is.EqualTo(new[] { "758" }));
    }

    [Test]
    public void Exposing_LeavesTheOutputsAsTheyWere()
    {
        string path = TestData.Model("fastestdet.onnx");
        var image = new float[3 * 352 * 352];
        for (int i = 0; i < image.Length; i++) image[i] = i % 997 / 997f;
        string hint = OnnxModelInspection.Of(path).FeatureMaps()[40].Name;

        using var plain = new OnnxRunner(path, [], Options);
        using var changed = new OnnxRunner(path, [hint], Options);

        var size = new ImageSize(352, 352);
        float[] before = plain.Run(image, size)[0].Outputs[0].Values.ToArray(),
        after = changed.Run(image, size)[0].Outputs[0].Values.ToArray();
        Assert.That(after, Is.EqualTo(before).AsCollection.Within(1e-5f));
    }

    /// <summary>A part has what its tensors are computed of and no more, be it taken by a graph inside of an operator.</summary>
    [Test]
    public void Part_LeavesOutWhatItDoesNotNeed()
    {
        var model = new ModelProto { IrVersion = 8, Graph = new GraphProto { Name = "g" } };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = 13 });
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "strange", Version = 1 });
        GraphProto graph = model.Graph;
        foreach (string name in (string[])["x", "other"]) graph.Input.Add(new ValueInfoProto { Name = name });
        foreach (string name in (string[])["w", "unused"]) graph.Initializer.Add(new TensorProto { Name = name });
        var inner = new GraphProto { Node = { Node("Add", "inner", ["own", "w"]) }, Output = { new ValueInfoProto { Name = "inner" } } };
        inner.Initializer.Add(new TensorProto { Name = "own" });
        NodeProto choice = Node("If", "chosen", ["a"]);
        choice.Attribute.Add(new AttributeProto { Name = "then_branch", G = inner });
        graph.Node.AddRange([Node("Relu", "a", ["x"]), choice, Node("Odd", "b", ["chosen", "other"], "strange"), Node("Neg", "c", ["a"])]);
        graph.Output.Add(new ValueInfoProto { Name = "b" });

        GraphProto part = GraphSurgery.Part(model, ["chosen"], "g.onnx").Graph;

        Assert.That(part.Node.Select(node => node.OpType), Is.EqualTo(new[] { "Relu", "If" }));
        Assert.That(part.Input.Select(input => input.Name), Is.EqualTo(new[] { "x" }));
        Assert.That(part.Initializer.Select(tensor => tensor.Name), Is.EqualTo(new[] { "w" }));
        Assert.That(part.Output.Select(output => output.Name), Is.EqualTo(new[] { "chosen" }));
        Assert.That(graph.Node, Has.Count.EqualTo(4), "the model itself stays");

        static NodeProto Node(string op, string output, string[] inputs, string domain = "")
        {
            var node = new NodeProto { OpType = op, Domain = domain, Output = { output } };
            node.Input.AddRange(inputs);
            return node;
        }
    }

    [Test]
    public void WrongName_ListsTheNearest()
    {
        ModelProto model = OnnxModelFile.LoadAll(TestData.Model("fastestdet.onnx"))[0].Model;
        string right = GraphSurgery.Tensors(model)[10];
        Assert.That(() => GraphSurgery.Expose(model, [right + "x"], "fastestdet.onnx"),
            Throws.ArgumentException.With.Message.Contains($"no tensor '{right}x'").And.Message.Contains($"'{right}'"));
    }

    [Test]
    public void ExternalData_IsFound_BesideTheModel()
    {
        using var folder = new TemporaryFolder();
        (string path, string inner) = WriteExternal(folder);
        foreach (string[] expose in new[] { Array.Empty<string>(), [inner] })
        {
            using var runner = new OnnxRunner(path, expose, Options);
            OnnxAnswer answer = runner.Run([.. Enumerable.Repeat(1f, 3 * 16)], new ImageSize(4, 4))[0];
            Assert.That(answer.Outputs[0].Values.ToArray(), Is.All.EqualTo(2f * 3 + 1).Within(1e-6));
        }

        File.Delete(Path.Combine(folder.Path, "weights.bin"));
        Assert.That(() => new OnnxRunner(path, [inner], Options), Throws.TypeOf<FormatException>().With.Message.Contains("model.onnx"));
    }

    [Test]
    public void FilesOverTwoGigabytes_AndOtherFiles_AreClearErrors()
    {
        using var folder = new TemporaryFolder();
        string large = folder.Sub("large.onnx");
        using (FileStream file = File.Create(large)) file.SetLength((1L << 31) + 10);
        Assert.That(() => new OnnxRunner(large, [], Options), Throws.TypeOf<FormatException>().With.Message.Contains("2 GB").And.Message
            .Contains("external data"));
        string text = folder.Write("text.onnx", "this is no model");
        Assert.That(() => new OnnxRunner(text, [], Options), Throws.TypeOf<FormatException>().With.Message.Contains("text.onnx"));
        Assert.That(() => new OnnxRunner(folder.Sub("none.onnx"), [], Options), Throws.TypeOf<FileNotFoundException>());
    }

    /// <summary>y = 2x summed over the colours, + 1, with the factor in a file of its own.</summary>
    private static (string Path, string Inner) WriteExternal(TemporaryFolder folder)
    {
        var graph = new GraphBuilder();
        string images = graph.Input("images", TensorProto.Types.DataType.Float, 1, 3, 4, 4);
        string doubled = graph.Add("Mul", [images, graph.Parameter("factor", [.. Enumerable.Repeat(2f, 48)], 1, 3, 4, 4)]);
        string sum = graph.Add("ReduceSum", [doubled, graph.Integers(1)]);
        graph.Output("y", graph.Add("Add", [sum, graph.Scalar(1f)]), TensorProto.Types.DataType.Float, 1, 1, 4, 4);
        ModelProto model = graph.Build([]);
        TensorProto factor = model.Graph.Initializer.First(tensor => tensor.Name == "factor");
        File.WriteAllBytes(folder.Sub("weights.bin"), factor.RawData.ToByteArray());
        factor.ClearRawData();
        factor.DataLocation = TensorProto.Types.DataLocation.External;
        factor.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = "weights.bin" });
        string path = folder.Sub("model.onnx");
        File.WriteAllBytes(path, model.ToByteArray());
        return (path, doubled);
    }
}
