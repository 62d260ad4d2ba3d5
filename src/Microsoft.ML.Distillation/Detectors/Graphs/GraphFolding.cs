using Microsoft.ML.Distillation.Onnx.Proto;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Graphs;

/// <summary>Computes what constants alone go into.</summary>
internal static class GraphFolding
{
    /// <summary>
    /// The graph without operators on constants. A look-up of real numbers stays, so that what is looked up can be trained.
    /// </summary>
    public static GraphEditor Run(GraphEditor graph)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        var folded = new GraphEditor(graph.Initializers);
        folded.Reserve(graph.Nodes.SelectMany(n => n.Outputs));
        foreach (GraphNode node in graph.Nodes)
        {
            if (!node.Inputs.All(name => name.Length == 0 || folded.Initializers.ContainsKey(name)) || IsLookUp(node, folded))
            {
                folded.Nodes.Add(node);
                continue;
            }

            var run = new GraphRun(
                name => folded.Initializers.TryGetValue(name, out TensorProto? t) ? GraphValue.Host(GraphTensors.Read(t)) : null, CPU,
                ScalarType.Float32);
            run.Execute(node);
            foreach (string name in node.Outputs.Where(name => run.Find(name) is not null))
                folded.Initializers[name] = GraphTensors.Write(name, run[name].Tensor);
        }

        return folded;
    }

    private static bool IsLookUp(GraphNode node, GraphEditor graph) => node.Op == "Gather"
        && graph.Initializers[node.Input(0)] is var table && GraphTensors.IsFloating(table) && GraphTensors.Count(table) > 1;
}
