using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Detectors.Graphs;
using Microsoft.ML.Distillation.Onnx.Proto;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Detectors.Graphs;

/// <summary>Each operator, in the lowest and the highest version: what it answers, what is written of it, and its gradients.</summary>
public class OperatorTests
{
    private const float Tolerance = 2e-5f;

    private static IEnumerable<TestCaseData> Cases => Of(OperatorCases.All);

    /// <summary>Operators with steps have no gradients to compare.</summary>
    private static IEnumerable<TestCaseData> SmoothCases => Of(OperatorCases.All.Where(c => c.IsSmooth));

    [TestCaseSource(nameof(Cases))]
    public void Operators_AnswerAsOnnxRuntime_AsWrittenToo(object operatorCase, int opset)
    {
        using DisposeScope scope = NewDisposeScope();
        (ModelProto model, GraphCut cut) = Build((OperatorCase)operatorCase, opset);
        Tensor image = Image();
        float[] expected = TestGraph.Run(model, image, "y");
        Near(TensorArrays.Floats(Answer(cut, image, ScalarType.Float32)), expected, "answer");
        ModelProto written = cut.ToModel(values: true);
        written.Graph.Input[0].Type = TestGraph.FloatType(image.shape);
        written.Graph.Output[0].Type = TestGraph.FloatType();
        written.Graph.Output[0].Type.TensorType.Shape = null;
        Near(TestGraph.Run(written, image, "y"), expected, "as written");
    }

    [TestCaseSource(nameof(SmoothCases))]
    public void Operators_HaveTheGradientsThatDifferencesTell(object operatorCase, int opset)
    {
        var of = (OperatorCase)operatorCase;
        using DisposeScope scope = NewDisposeScope();
        (_, GraphCut cut) = Build(of, opset);
        HashSet<string> statistics = [.. cut.Nodes.Where(n => n.Op == "BatchNormalization").SelectMany(n => n.Inputs.Skip(3))];
        Dictionary<string, Tensor> parameters = cut.Learned.ToDictionary(n => n,
            n => GraphTensors.Read(cut.Initializers[n]).to(ScalarType.Float64).requires_grad_(!statistics.Contains(n)));
        Tensor image = Image().to(ScalarType.Float64).requires_grad_(true);
        Tensor answer = Answer(cut, image, ScalarType.Float64, parameters);
        manual_seed(3);
        Tensor direction = randn(answer.shape, ScalarType.Float64);
        answer.mul(direction).sum().backward();
        foreach ((string name, Tensor value) in parameters.Append(new("x", image)))
        {
            if (statistics.Contains(name)) continue;
            double[] slopes = Values(value.grad!);
            foreach (long place in Enumerable.Range(0, 5).Select(i => i * 37 % value.numel()).Distinct())
                Assert.That(slopes[place], Is.EqualTo(Difference(value, place)).Within(1e-5 * (1 + Math.Abs(slopes[place]))), name);
        }

        double Difference(Tensor value, long place)
        {
            const double step = 1e-6;
            using IDisposable frozen = no_grad();
            Tensor flat = value.view(-1);
            double own = flat[place].item<double>();
            flat[place] = tensor(own + step, ScalarType.Float64);
            double above = Answer(cut, image, ScalarType.Float64, parameters).mul(direction).sum().item<double>();
            flat[place] = tensor(own - step, ScalarType.Float64);
            double below = Answer(cut, image, ScalarType.Float64, parameters).mul(direction).sum().item<double>();
            flat[place] = tensor(own, ScalarType.Float64);
            return (above - below) / (2 * step);
        }
    }

    private static (ModelProto Model, GraphCut Cut) Build(OperatorCase of, int opset)
    {
        var graph = new TestGraph(opset);
        graph.Input("x", 2, 3, 6, 8);
        Assert.That(of.Build(graph), Is.EqualTo("y"));
        ModelProto model = graph.Build("y");
        return (model, GraphCut.FromReach("test", GraphReach.Of(model, "test", ["y"]), ["y"]));
    }

    private static Tensor Image()
    {
        manual_seed(1);
        return rand(2, 3, 6, 8).mul(2).sub(1);
    }

    private static Tensor Answer(GraphCut cut, Tensor image, ScalarType type, Dictionary<string, Tensor>? parameters = null)
    {
        var run = new GraphRun(
            name => parameters?.TryGetValue(name, out Tensor? parameter) == true ? GraphValue.Of(parameter)
                : !cut.Initializers.TryGetValue(name, out TensorProto? stored) ? null
                : cut.Learned.Contains(name) ? GraphValue.Of(GraphTensors.Read(stored).As(type))
                : GraphValue.Host(GraphTensors.Read(stored)),
            CPU, type);
        run[cut.Input.Name] = GraphValue.Of(image.alias());
        foreach (GraphNode node in cut.Nodes) run.Execute(node);
        return run["y"].Tensor;
    }

    private static double[] Values(Tensor tensor) => tensor.detach().contiguous().data<double>().ToArray();

    private static void Near(float[] found, float[] expected, string what)
    {
        Assert.That(found, Has.Length.EqualTo(expected.Length), what);
        float largest = expected.Max(MathF.Abs), difference = found.Zip(expected, (f, e) => MathF.Abs(f - e)).Max();
        Assert.That(difference, Is.LessThanOrEqualTo(Tolerance * Math.Max(1, largest)), what);
    }

    private static IEnumerable<TestCaseData> Of(IEnumerable<OperatorCase> cases) => cases
        .SelectMany(c => new[] { c.Lowest, c.Highest }.Distinct(), (c, opset) => new TestCaseData(c, opset)
            .SetArgDisplayNames(c.Name, $"{opset}"));
}
