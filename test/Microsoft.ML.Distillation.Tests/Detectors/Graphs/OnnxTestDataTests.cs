using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Detectors.Graphs;
using Microsoft.ML.Distillation.Onnx.Proto;
using TorchSharp;
using static Microsoft.ML.Distillation.Onnx.Proto.TensorProto.Types;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Detectors.Graphs;

/// <summary>
/// ONNX's own examples of each operator, where Debian's libonnx-testdata is installed or <c>ONNX_TESTDATA</c> names the folder of them.
/// </summary>
public class OnnxTestDataTests
{
    private const string None = "";

    private static readonly string Folder = Environment.GetEnvironmentVariable("ONNX_TESTDATA") ?? "/usr/share/libonnx-testdata/data";

    private static IEnumerable<string> Cases()
    {
        string nodes = Path.Combine(Folder, "node");
        IEnumerable<string> found = Directory.Exists(nodes)
            ? Directory.EnumerateDirectories(nodes).Where(IsOfKnownOperators).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)
            : [];
        return found.DefaultIfEmpty(None);
    }

    [TestCaseSource(nameof(Cases))]
    public void Examples_ComeOutAsTheyShould(string name)
    {
        if (name == None) Assert.Ignore($"There is no folder '{Folder}'.");
        string folder = Path.Combine(Folder, "node", name);
        using DisposeScope scope = NewDisposeScope();
        ModelProto model = Model(folder);
        int opset = (int)model.OpsetImport.Single(o => o.Domain is "" or "ai.onnx").Version;
        if (opset < OpsetUpgrade.Lowest) Assert.Ignore($"It is of operator set {opset}.");
        (string Name, Tensor Value, TensorProto Stored)[] inputs;
        TensorProto expected = Tensor(folder, "output_0");
        try
        {
            inputs = [.. model.Graph.Input.Select((input, i) => Tensor(folder, $"input_{i}") is var t
                ? (input.Name, GraphTensors.Read(t), t) : default)];
            if (inputs.Select(i => i.Stored).Append(expected).Any(t => (DataType)t.DataType is not (DataType.Float or DataType.Int64
                or DataType.Int32 or DataType.Bool))) Assert.Ignore("It is of a type that networks do not compute with.");

            // The first is the image, the others are constants.
            Dictionary<string, TensorProto> constants = inputs.Skip(1).ToDictionary(i => i.Name, i => GraphTensors.Write(i.Name, i.Value));
            var image = new ValueInfoProto { Name = inputs.Length > 0 ? inputs[0].Name : "none" };
            GraphNode[] nodes = [.. model.Graph.Node.Select(n => new GraphNode(n))];
            GraphEditor graph = OpsetUpgrade.Run(new GraphReach(nodes, constants, image, opset));
            string output = model.Graph.Output[0].Name;
            var run = new GraphRun(
                n => graph.Initializers.TryGetValue(n, out TensorProto? t) ? GraphValue.Host(GraphTensors.Read(t)) : null, CPU,
                ScalarType.Float32);
            if (inputs.Length > 0) run[inputs[0].Name] = inputs[0].Value.is_floating_point()
                ? GraphValue.Of(inputs[0].Value) : GraphValue.Host(inputs[0].Value);
            foreach (GraphNode node in graph.Nodes) run.Execute(node);
            Tensor found = run[output].Tensor;
            Assert.That(found.shape, Is.EqualTo(expected.Dims.ToArray()));
            Assert.That(GraphCheck.Difference(TensorArrays.Floats(found.to(ScalarType.Float32)),
                TensorArrays.Floats(GraphTensors.Read(expected).to(ScalarType.Float32))), Is.LessThan(1e-4f));
        }
        catch (NotSupportedException e)
        {
            Assert.Ignore(e.Message);
        }
    }

    // Sequences, training, and one that ONNX Runtime does not answer as the example has it.
    private static bool IsOfKnownOperators(string folder) => !folder.Contains("sequence", StringComparison.Ordinal)
        && !folder.Contains("training", StringComparison.Ordinal)
        && !folder.EndsWith("resize_downsample_scales_linear_align_corners", StringComparison.Ordinal)
        && Model(folder).Graph.Node is { Count: > 0 } nodes && nodes.All(n => GraphReach.Obstacle(new GraphNode(n)) is null);

    private static ModelProto Model(string folder) => ModelProto.Parser.ParseFrom(File.ReadAllBytes(Path.Combine(folder, "model.onnx")));

    private static TensorProto Tensor(string folder, string name)
        => TensorProto.Parser.ParseFrom(File.ReadAllBytes(Path.Combine(folder, "test_data_set_0", $"{name}.pb")));
}
