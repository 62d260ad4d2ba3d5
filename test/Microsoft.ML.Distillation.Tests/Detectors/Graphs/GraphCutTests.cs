using Microsoft.ML.Distillation.Detectors.Graphs;
using Microsoft.ML.Distillation.Onnx.Proto;

namespace Microsoft.ML.Distillation.Tests.Detectors.Graphs;

/// <summary>Where graphs are cut, and what is said of those that cannot be.</summary>
public class GraphCutTests
{
    [Test]
    public void Suggestion_LastTensors_OfStridesEightToThirtyTwo()
    {
        TestGraph graph = Stages(64);
        graph.Node("NonMaxSuppression", "boxes", ["stage4.relu", "stage3.relu"]);
        ModelProto model = graph.Build("boxes");
        Assert.That(GraphCut.Suggest(model, "net.onnx"), Is.EqualTo(new[] { "stage2.relu", "stage3.relu", "stage4.relu" }));
        Assert.That(GraphCut.From(model, "net.onnx").Maps, Is.EqualTo(new[] { "stage2.relu", "stage3.relu", "stage4.relu" }));
    }

    [Test]
    public void Suggestion_OfAnySize_TakesAUsualOne()
        => Assert.That(GraphCut.Suggest(Stages(-1).Build("stage4.relu"), "net.onnx"), Has.Count.EqualTo(3));

    [Test]
    public void Suggestion_WithoutMaps_IsRefused()
    {
        var graph = new TestGraph();
        graph.Node("Relu", "out", [graph.Conv(graph.Image(64, 64), 3, 4, 3, 2, "conv")]);
        Says<NotSupportedException>(() => GraphCut.Suggest(graph.Build("out"), "net.onnx"), "no map of a stride of 8, 16, 32");
    }

    [Test]
    public void UnknownNames_GetTheNearestOnes() => Says<ArgumentException>(
        () => GraphCut.From(Stages(64).Build("stage4.relu"), "net.onnx", ["stage3.rel"]), "no tensor 'stage3.rel'", "'stage3.relu'");

    [Test]
    public void UnknownOperators_AreNamed_WithTheLastTensorsBefore()
    {
        TestGraph graph = Stages(64);
        graph.Node("Det", "determinant", ["stage3.relu"]);
        graph.Node("Relu", "after", ["determinant"]);
        Says<NotSupportedException>(() => GraphCut.From(graph.Build("after"), "net.onnx", ["after"]), "Det 'node_determinant'",
            "'net.onnx'", "'stage3.relu'");
    }

    [TestCase("If", "control flow")]
    [TestCase("Loop", "control flow")]
    [TestCase("QLinearConv", "quantised")]
    [TestCase("DequantizeLinear", "quantised")]
    public void ControlFlow_AndQuantisedNetworks_AreRefused(string op, string reason)
    {
        TestGraph graph = Stages(64);
        graph.Node(op, "out", ["stage3.relu"]);
        Says<NotSupportedException>(() => GraphCut.From(graph.Build("out"), "net.onnx", ["out"]), $"{op} 'node_out'", reason,
            "'stage3.relu'");
    }

    [TestCase(10)]
    [TestCase(16)]
    public void HalfPrecisionInside_IsRefused(int type)
    {
        TestGraph graph = Stages(64);
        graph.Node("Cast", "half", ["stage3.relu"], ("to", type));
        graph.Node("Relu", "out", ["half"]);
        Says<NotSupportedException>(() => GraphCut.From(graph.Build("out"), "net.onnx", ["out"]), "Cast 'node_half'", "'net.onnx'",
            "single precision", "'stage3.relu'");
    }

    [Test]
    public void OperatorsOfOtherDomains_AreRefused()
    {
        TestGraph graph = Stages(64);
        graph.Node("FusedConv", "out", ["stage3.relu"]);
        graph.Graph.Node[^1].Domain = "com.microsoft";
        Says<NotSupportedException>(() => GraphCut.From(graph.Build("out"), "net.onnx", ["out"]), "'com.microsoft'");
    }

    [Test]
    public void Graphs_WithoutAnImage_AreRefused()
    {
        var constant = new TestGraph();
        constant.Node("Relu", "out", [constant.Weights("w", 0, 1, 1, 3, 8, 8)]);
        Says<NotSupportedException>(() => GraphCut.From(constant.Build("out"), "net.onnx", ["out"]), "No image");
        var grey = new TestGraph();
        grey.Node("Relu", "out", [grey.Input("x", 1, 1, 64, 64)]);
        Says<NotSupportedException>(() => GraphCut.From(grey.Build("out"), "net.onnx", ["out"]), "1 channels");
        var vector = new TestGraph();
        vector.Node("Relu", "out", [vector.Input("x", 1, 3)]);
        Says<NotSupportedException>(() => GraphCut.From(vector.Build("out"), "net.onnx", ["out"]), "2 dimensions");
        var two = new TestGraph();
        two.Node("Add", "out", [two.Image(64, 64, "a"), two.Image(64, 64, "b")]);
        Says<NotSupportedException>(() => GraphCut.From(two.Build("out"), "net.onnx", ["out"]), "more than one input", "'a', 'b'");
        var many = new TestGraph();
        many.Node("Relu", "out", [many.Input("x", 4, 3, 64, 64)]);
        Says<NotSupportedException>(() => GraphCut.From(many.Build("out"), "net.onnx", ["out"]), "4 images at once");
    }

    [Test]
    public void Tensors_ThatAreNoMaps_AreRefused()
    {
        TestGraph graph = Stages(64);
        graph.Node("Flatten", "flat", ["stage4.relu"]);
        GraphCut cut = GraphCut.From(graph.Build("flat"), "net.onnx", ["flat"]);
        Says<ArgumentException>(() => GraphNetwork.Create(cut, 64, 64), "'flat'", "no map");
    }

    [Test]
    public void OldOperatorSets_AreRefused() => Says<NotSupportedException>(() =>
    {
        TestGraph graph = new(6);
        graph.Node("Relu", "out", [graph.Image(64, 64)]);
        GraphCut.From(graph.Build("out"), "net.onnx", ["out"]);
    }, "operator set 6");

    [Test]
    public void GraphsOfOneImageOnly_AreNamedAtImport()
    {
        TestGraph graph = Stages(64);

        // The first image alone, whatever the number.
        string first = graph.Node("Slice", "first",
            ["stage2.relu", graph.Integers("s", 0), graph.Integers("e", -1), graph.Integers("a", 0)]);
        graph.Node("Add", "mixed", ["stage2.relu", graph.Node("ReduceSum", "sum", [first, graph.Integers("zero", 0)], ("keepdims", 1))]);
        Says<InvalidOperationException>(() => GraphCut.Import(graph.Build("mixed"), "net.onnx", ["mixed"]), "one image at a time",
            "'first'");
    }

    [Test]
    public void Descriptions_HoldShapes_NotValues()
    {
        GraphCut cut = GraphCut.From(Stages(64).Build("stage4.relu"), "net.onnx", ["stage4.relu"]);
        int whole = cut.ToModel(values: true).CalculateSize(), description = cut.ToModel(values: false).CalculateSize();
        Assert.That(description, Is.LessThan(whole / 2));
        Assert.That(cut.HasValues, Is.True);
        Assert.That(GraphCut.FromModel(cut.ToModel(values: true)).HasValues, Is.True);
        Says<FormatException>(() => GraphCut.FromModel(Stages(64).Build("stage4.relu")), "no cut");
    }

    /// <summary>Five convolutions of stride 2.</summary>
    private static TestGraph Stages(long size)
    {
        var graph = new TestGraph();
        string x = graph.Input("images", 1, 3, size, size);
        for (int i = 0; i < 5; i++)
            x = graph.Node("Relu", $"stage{i}.relu", [graph.Conv(x, i == 0 ? 3 : 16, 16, 3, 2, $"stage{i}.conv")]);
        return graph;
    }

    private static void Says<T>(Action code, params string[] parts) where T : Exception
    {
        T error = Assert.Throws<T>(() => code())!;
        foreach (string part in parts) Assert.That(error.Message, Does.Contain(part));
    }
}
