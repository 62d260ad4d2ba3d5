using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Onnx;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>
/// Writes what happens after a one-stage detector's layers into an ONNX graph for one image: the same choices, in the same order, as
/// <see cref="DistanceCoder"/> and <see cref="DenseSelector"/> make.
/// </summary>
internal sealed class OneStageWriter(GraphBuilder graph, OneStageConfig config, PointGrid grid)
{
    /// <summary>The detections.</summary>
    /// <param name="levels">For each map class logits [P_l,C] and the bins' logits [P_l,4,m+1].</param>
    public DetectionValues Detections(IReadOnlyList<(string Logits, string Edges)> levels)
    {
        string logits = Joined([.. levels.Select(level => level.Logits)]), edges = Joined([.. levels.Select(level => level.Edges)]);
        string boxes = graph.Add("Unsqueeze", [OnnxBoxes.Clip(graph, Decode(edges), config.InputSize), graph.Integers(0)]);
        string scores = graph.Add("Transpose", [graph.Add("Sigmoid", [logits])], ("perm", new[] { 1, 0 }));
        scores = OnnxBoxes.ScoresOfValid(graph, scores, boxes, DenseSelector.ShortestSide, 0);
        string kept = graph.Add("NonMaxSuppression",
        [
            boxes,
            graph.Add("Unsqueeze", [scores, graph.Integers(0)]),
            graph.Integers(config.MaxDetections),
            graph.Floats([config.NmsThreshold], 1),
            graph.Floats([config.ScoreThreshold], 1),
        ]);

        // What is kept has columns batch, class, location.
        string pairs = graph.Add("Gather", [kept, graph.Integers(1, 2)], ("axis", 1));
        string best = OnnxBoxes.Best(graph, graph.Add("GatherND", [scores, pairs]), config.MaxDetections);
        pairs = graph.Add("Gather", [pairs, best]);
        string locations = graph.Add("Gather", [pairs, graph.Scalar(1L)], ("axis", 1));
        string chosen = graph.Add("Gather", [boxes, locations], ("axis", 1));
        return new DetectionValues(
            OnnxBoxes.Shares(graph, chosen, config.InputSize),
            ForOneImage(graph.Add("GatherND", [scores, pairs])),
            ForOneImage(graph.Add("Gather", [pairs, graph.Scalar(0L)], ("axis", 1))));
    }

    /// <summary>The boxes [P,4] in pixels of the bins' logits [P,4,m+1].</summary>
    private string Decode(string edges)
    {
        float[] values = [.. Enumerable.Range(0, config.Bins).Select(k => (float)k)];
        string shares = graph.Add("Softmax", [edges], ("axis", 2));
        string distances = graph.Add("Reshape",
            [graph.Add("MatMul", [shares, graph.Floats(values, config.Bins, 1)]), graph.Integers(-1, 4)]);
        string moved = graph.Add("Mul", [distances, graph.Floats(grid.Steps(), grid.Count, 4)]);
        return graph.Add("Add", [moved, graph.Floats(grid.Corners(), grid.Count, 4)]);
    }

    private string Joined(string[] values) => values.Length == 1 ? values[0] : graph.Add("Concat", values, ("axis", 0));

    private string ForOneImage(string value) => graph.Add("Unsqueeze", [value, graph.Integers(0)]);
}
