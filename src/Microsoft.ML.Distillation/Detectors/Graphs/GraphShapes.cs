using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Graphs;

/// <summary>The shapes of a cut's tensors, found by running it.</summary>
internal static class GraphShapes
{
    /// <summary>Runs a cut on images without content.</summary>
    /// <param name="batch">The number of images.</param>
    /// <returns>The shapes of all tensors by name.</returns>
    /// <exception cref="GraphRunException">It cannot run on images of that number and size.</exception>
    public static Dictionary<string, long[]> Of(GraphCut cut, int batch, int height, int width)
    {
        var shapes = new Dictionary<string, long[]>(StringComparer.Ordinal);
        Run(cut, batch, height, width, (name, value) => shapes[name] = value.Tensor.shape);
        return shapes;
    }

    /// <summary>Runs a cut on images without content and shows every tensor as it is computed.</summary>
    public static void Run(GraphCut cut, int batch, int height, int width, Action<string, GraphValue> see)
    {
        using Tensor images = cut.Input.ChannelsLast ? zeros(batch, height, width, 3) : zeros(batch, 3, height, width);
        Run(cut, images, see, shapesOnly: true);
    }

    /// <summary>Runs a cut and shows every tensor as it is computed.</summary>
    /// <param name="images">As the graph takes them.</param>
    /// <param name="shapesOnly">Whether to see shapes alone.</param>
    public static void Run(GraphCut cut, Tensor images, Action<string, GraphValue> see, bool shapesOnly = false)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        var run = new GraphRun(name => Known(cut, name), CPU, ScalarType.Float32, shapesOnly);
        run[cut.Input.Name] = GraphValue.Of(images.alias());
        see(cut.Input.Name, run[cut.Input.Name]);
        foreach ((GraphNode node, IReadOnlyList<string> done) in GraphOrder.WithLastUses(cut))
        {
            run.Execute(node);
            foreach (string name in node.Outputs.Where(name => name.Length > 0 && run.Find(name) is not null)) see(name, run[name]);
            foreach (string name in done) run.Forget(name);
        }
    }

    private static GraphValue? Known(GraphCut cut, string name) => !cut.Initializers.TryGetValue(name, out var stored) ? null
        : cut.Learned.Contains(name) ? GraphValue.Of(GraphTensors.Read(stored)) : GraphValue.Host(GraphTensors.Read(stored));
}

/// <summary>When the tensors of a cut are no longer needed.</summary>
internal static class GraphOrder
{
    /// <summary>The nodes, each with the computed tensors that nothing after it uses.</summary>
    public static IEnumerable<(GraphNode Node, IReadOnlyList<string> Done)> WithLastUses(GraphCut cut)
    {
        var last = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < cut.Nodes.Count; i++)
        {
            foreach (string name in cut.Nodes[i].Outputs.Concat(cut.Nodes[i].Inputs)) last[name] = i;
        }

        foreach (string name in cut.Maps.Append("")) last.Remove(name);
        ILookup<int, string> done = last.Where(p => !cut.Initializers.ContainsKey(p.Key)).ToLookup(p => p.Value, p => p.Key);
        return cut.Nodes.Select((node, i) => (node, (IReadOnlyList<string>)[.. done[i]]));
    }
}
