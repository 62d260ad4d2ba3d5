using Microsoft.ML.Distillation.Onnx.Proto;

namespace Microsoft.ML.Distillation.Detectors.Graphs;

/// <summary>Where a graph is best cut.</summary>
internal static class GraphSuggestion
{
    private static readonly int[] Strides = [8, 16, 32];

    /// <summary>
    /// Of the strides 8, 16 and 32 the last tensor [N,C,h,w] that all that is coarser comes of, and of the coarsest the last that all
    /// that follows comes of: where a network's stages end, not within a block nor in a head. The last of a stride where there is none.
    /// </summary>
    /// <inheritdoc cref="GraphCut.From" path="/exception"/>
    public static IReadOnlyList<string> Of(ModelProto model, string source)
    {
        var strides = new Dictionary<string, int>(StringComparer.Ordinal);
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
                    if (own.Contains(name) && GraphMap.Of(name, value.Tensor.shape, height, width) is { Height: > 1, Width: > 1 } map)
                        strides[name] = map.Stride;
                });
            }
            catch (GraphRunException)
            {
                // What was seen before the operator that does not run will do.
            }

            string[] found = [.. Strides.Where(strides.ContainsValue).Select(stride => EndOf(stride, cut, strides))];
            if (found.Length > 0) return found;
        }

        throw new NotSupportedException(
            $"'{source}' has no map of a stride of {string.Join(", ", Strides)} pixels up to where its graph can be run."
            + $"{(WhatEnds(model, source, advises: true) is { } reason ? $" {reason}" : "")} Name the tensors to cut at.");
    }

    /// <summary>Why a graph cannot be run to its end; null where it can.</summary>
    /// <param name="advises">Whether it is said where one could cut.</param>
    public static string? WhatEnds(ModelProto model, string source, bool advises = false)
    {
        string[] ends = [.. model.Graph.Output.Select(output => output.Name)];
        try
        {
            if (ends.Length > 0) GraphReach.Of(model, source, ends, advises);
            return null;
        }
        catch (Exception error) when (error is NotSupportedException or FormatException or ArgumentException)
        {
            return error.Message;
        }
    }

    private static string EndOf(int stride, GraphCut cut, Dictionary<string, int> strides)
    {
        string[] coarser = Entries(cut, strides, stride + 1);
        GraphPassages passages = new(cut.Nodes, coarser.Length > 0 ? [cut.Input.Name] : Entries(cut, strides, stride));
        IEnumerable<string> passed = passages.To(coarser.Length > 0 ? coarser : [.. passages.Ends]);
        return passed.LastOrDefault(name => strides.GetValueOrDefault(name) == stride) ?? strides.Last(pair => pair.Value == stride).Key;
    }

    /// <summary>The maps of a stride or a coarser one that come of finer ones alone.</summary>
    private static string[] Entries(GraphCut cut, Dictionary<string, int> strides, int stride)
    {
        var behind = new HashSet<string>(StringComparer.Ordinal);
        var entries = new List<string>();
        foreach (GraphNode node in cut.Nodes)
        {
            bool comesOfOne = node.Inputs.Any(behind.Contains);
            foreach (string name in node.Outputs.Where(name => comesOfOne || strides.GetValueOrDefault(name) >= stride))
            {
                behind.Add(name);
                if (!comesOfOne) entries.Add(name);
            }
        }

        return [.. entries];
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
