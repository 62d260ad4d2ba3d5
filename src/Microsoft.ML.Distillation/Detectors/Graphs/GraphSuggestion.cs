using Microsoft.ML.Distillation.Onnx.Proto;

namespace Microsoft.ML.Distillation.Detectors.Graphs;

/// <summary>Where a graph is best cut.</summary>
internal static class GraphSuggestion
{
    private static readonly int[] Strides = [8, 16, 32];

    /// <summary>The last tensors [N,C,h,w] of the strides 8, 16 and 32, as far as the graph can be run.</summary>
    /// <inheritdoc cref="GraphCut.From" path="/exception"/>
    public static IReadOnlyList<string> Of(ModelProto model, string source)
    {
        var last = new SortedDictionary<int, string>();
        IReadOnlyList<string> runnable = Runnable(model);
        if (runnable.Count > 0)
        {
            GraphCut cut = GraphCut.FromReach(source, GraphReach.Of(model, source, runnable), runnable);
            (int height, int width) = (cut.Size.Height, cut.Size.Width);
            HashSet<string> own = [.. runnable];
            try
            {
                GraphShapes.Run(cut, 1, height, width, (name, value) =>
                {
                    if (own.Contains(name) && GraphMap.Of(name, value.Tensor.shape, height, width) is { Height: > 1, Width: > 1 } map
                        && Strides.Contains(map.Stride)) last[map.Stride] = name;
                });
            }
            catch (GraphRunException)
            {
                // What was seen before the operator that does not run will do.
            }
        }

        if (last.Count > 0) return [.. last.Values];
        string? obstacle = model.Graph.Node.Select(n => new GraphNode(n)).Where(n => GraphReach.Obstacle(n) is not null)
            .Select(n => $" The operator {n.Label} {GraphReach.Obstacle(n)}.").FirstOrDefault();
        throw new NotSupportedException(
            $"'{source}' has no map of a stride of {string.Join(", ", Strides)} pixels up to where its graph can be run.{obstacle} "
            + "Name the tensors to cut at.");
    }

    /// <summary>The tensors that are computed of the image by known operators alone.</summary>
    private static List<string> Runnable(ModelProto model)
    {
        HashSet<string> available = [.. model.Graph.Initializer.Select(t => t.Name), ""];
        ValueInfoProto[] inputs = [.. model.Graph.Input.Where(i => !available.Contains(i.Name))];
        if ((inputs.FirstOrDefault(i => i.Type?.TensorType?.Shape?.Dim.Count == 4) ?? inputs.FirstOrDefault()) is not { } image) return [];
        available.Add(image.Name);
        HashSet<string> fromImage = [image.Name];
        var found = new List<string>();
        foreach (GraphNode node in model.Graph.Node.Select(n => new GraphNode(n)))
        {
            if (GraphReach.Obstacle(node) is not null || !node.Inputs.All(available.Contains)) continue;
            available.UnionWith(node.Outputs);
            if (!node.Inputs.Any(fromImage.Contains)) continue;
            fromImage.UnionWith(node.Outputs);
            found.AddRange(node.Outputs.Where(name => name.Length > 0));
        }

        return found;
    }
}
