using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Graphs;

/// <summary>A run of a graph in the making on images without content. Its tensors lie in the caller's dispose scope.</summary>
internal sealed class GraphProbe
{
    private readonly GraphRun _run;
    private bool _fails;

    public GraphProbe(GraphCut cut, GraphEditor graph, int batch, int height, int width)
    {
        _run = new GraphRun(name => !graph.Initializers.TryGetValue(name, out var stored) ? null
            : cut.Learned.Contains(name) ? GraphValue.Of(GraphTensors.Read(stored)) : GraphValue.Host(GraphTensors.Read(stored)), CPU,
            ScalarType.Float32, shapesOnly: true);
        _run[cut.Input.Name] = GraphValue.Of(cut.Input.ChannelsLast ? zeros(batch, height, width, 3) : zeros(batch, 3, height, width));
        Shapes[cut.Input.Name] = _run[cut.Input.Name].Tensor.shape;
    }

    /// <summary>The shapes so far.</summary>
    public Dictionary<string, long[]> Shapes { get; } = new(StringComparer.Ordinal);

    public void Execute(GraphNode node)
    {
        _run.Execute(node);
        foreach (string name in node.Outputs.Where(name => _run.Find(name) is not null)) Shapes[name] = _run[name].Tensor.shape;
    }

    /// <summary>Runs it, if nothing failed before.</summary>
    public void Try(GraphNode node)
    {
        try
        {
            if (!_fails) Execute(node);
        }
        catch (GraphRunException)
        {
            _fails = true;
        }
    }

    public void Forget(IEnumerable<string> names)
    {
        foreach (string name in names) _run.Forget(name);
    }
}
