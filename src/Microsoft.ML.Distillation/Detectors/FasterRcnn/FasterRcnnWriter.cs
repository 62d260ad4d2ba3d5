using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Onnx;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>
/// Writes what happens between and after a Faster R-CNN's layers into an ONNX graph for one image: the same choices, in the same
/// order, as <see cref="ProposalSelector"/>, <see cref="RegionPooling"/> and <see cref="DetectionSelector"/> make.
/// </summary>
internal sealed class FasterRcnnWriter(GraphBuilder graph, FasterRcnnConfig config)
{
    private const float Never = -1e30f;

    /// <summary>The proposals [P,4] in pixels.</summary>
    /// <param name="levels">For each map its anchors [A,4] with their logits [A] and deltas [A,4].</param>
    public string Proposals(IReadOnlyList<(AnchorLevel Anchors, string Logits, string Deltas)> levels)
    {
        var boxes = new List<string>();
        var scores = new List<string>();
        foreach ((AnchorLevel anchors, string logits, string deltas) in levels)
        {
            long count = Math.Min(config.ProposalsBeforeNms, anchors.Count);
            string[] best = graph.Add("TopK", [logits, graph.Integers(count)], 2);
            string references = OnnxBoxes.Anchors(graph, anchors.Grid, anchors.Columns, anchors.Rows, anchors.StrideX, anchors.StrideY);
            string moved = OnnxBoxes.Decode(
                graph, FasterRcnn.RpnCoder, graph.Add("Gather", [deltas, best[1]]), graph.Add("Gather", [references, best[1]]));
            string clipped = OnnxBoxes.Clip(graph, moved, config.InputSize);
            string valid = OnnxBoxes.ScoresOfValid(graph, best[0], clipped, ProposalSelector.ShortestSide, Never);
            string kept = graph.Add("NonMaxSuppression",
            [
                graph.Add("Unsqueeze", [clipped, graph.Integers(0)]),
                graph.Add("Unsqueeze", [valid, graph.Integers(0, 1)]),
                graph.Integers(config.Proposals),
                graph.Floats([config.RpnNmsThreshold], 1),
                graph.Floats([Never / 10], 1),
            ]);
            string indices = graph.Add("Gather", [kept, graph.Scalar(2L)], ("axis", 1));
            boxes.Add(graph.Add("Gather", [clipped, indices]));
            scores.Add(graph.Add("Gather", [valid, indices]));
        }

        if (boxes.Count == 1) return boxes[0];
        string all = graph.Add("Concat", [.. scores], ("axis", 0));
        return graph.Add("Gather", [graph.Add("Concat", [.. boxes], ("axis", 0)), OnnxBoxes.Best(graph, all, config.Proposals)]);
    }

    /// <summary>The features [R,C,S,S] of regions, and the regions [R,4] in the order of the features.</summary>
    public (string Features, string Boxes) Regions(IReadOnlyList<string> maps, string boxes, RegionPooling pooling)
    {
        if (maps.Count == 1) return (pooling.Write(graph, maps[0], boxes, 0), boxes);

        // Regions are read map by map; the later steps do not care for their order.
        string area = OnnxBoxes.Area(graph, boxes);
        var features = new List<string>();
        var ordered = new List<string>();
        for (int map = 0; map < maps.Count; map++)
        {
            string within = graph.Add("GreaterOrEqual", [area, graph.Scalar(pooling.SmallestArea(map))]);
            if (map + 1 < maps.Count)
                within = graph.Add("And", [within, graph.Add("Less", [area, graph.Scalar(pooling.SmallestArea(map + 1))])]);
            string indices = graph.Add("Reshape", [graph.Add("NonZero", [within]), graph.Integers(-1)]);
            string members = graph.Add("Gather", [boxes, indices]);
            features.Add(pooling.Write(graph, maps[map], members, map));
            ordered.Add(members);
        }

        return (graph.Add("Concat", [.. features], ("axis", 0)), graph.Add("Concat", [.. ordered], ("axis", 0)));
    }

    /// <summary>The detections.</summary>
    /// <param name="boxes">The regions [R,4] in pixels.</param>
    /// <param name="logits">[R,C+1].</param>
    /// <param name="deltas">[R,4 × regressors].</param>
    public DetectionValues Detections(string boxes, string logits, string deltas)
    {
        bool agnostic = config.ClassAgnosticBoxes;
        long classes = config.ClassNames.Count;
        if (!agnostic)
        {
            // One box for each class and region: [C,R,4], so that the classes are the batch of the suppression.
            deltas = graph.Add("Reshape", [deltas, graph.Integers(-1, classes, 4)]);
            boxes = graph.Add("Unsqueeze", [boxes, graph.Integers(1)]);
        }

        string moved = OnnxBoxes.Clip(graph, OnnxBoxes.Decode(graph, FasterRcnn.HeadCoder, deltas, boxes), config.InputSize);
        if (!agnostic) moved = graph.Add("Transpose", [moved], ("perm", new[] { 1, 0, 2 }));

        string probabilities = graph.Add("Transpose", [graph.Add("Softmax", [logits], ("axis", 1))], ("perm", new[] { 1, 0 }));
        string scores = graph.Add("Slice", [probabilities, graph.Integers(1), graph.Integers(classes + 1), graph.Integers(0)]);
        scores = OnnxBoxes.ScoresOfValid(graph, scores, moved, DetectionSelector.ShortestSide, 0);
        string kept = graph.Add("NonMaxSuppression",
        [
            agnostic ? graph.Add("Unsqueeze", [moved, graph.Integers(0)]) : moved,
            graph.Add("Unsqueeze", [scores, graph.Integers(agnostic ? 0 : 1)]),
            graph.Integers(config.MaxDetections),
            graph.Floats([config.NmsThreshold], 1),
            graph.Floats([config.ScoreThreshold], 1),
        ]);

        // What is kept has columns batch, class, region; for boxes of each class the batch is the class.
        string pairs = graph.Add("Gather", [kept, graph.Integers(agnostic ? 1 : 0, 2)], ("axis", 1));
        string best = OnnxBoxes.Best(graph, graph.Add("GatherND", [scores, pairs]), config.MaxDetections);
        pairs = graph.Add("Gather", [pairs, best]);
        string labels = graph.Add("Gather", [pairs, graph.Scalar(0L)], ("axis", 1));
        string chosen = agnostic
            ? graph.Add("Gather", [moved, graph.Add("Gather", [pairs, graph.Scalar(1L)], ("axis", 1))])
            : graph.Add("GatherND", [moved, pairs]);
        return new DetectionValues(
            ForOneImage(OnnxBoxes.Shares(graph, chosen, config.InputSize)),
            ForOneImage(graph.Add("GatherND", [scores, pairs])),
            ForOneImage(labels));
    }

    private string ForOneImage(string value) => graph.Add("Unsqueeze", [value, graph.Integers(0)]);
}

/// <summary>The elementary operations on boxes [...,4] as ONNX operators, in the order of arithmetic of <see cref="BoxCoder"/>.</summary>
internal static class OnnxBoxes
{
    /// <summary>The anchors [A,4] of one map, made from its cell's anchors and the shifts of columns and rows.</summary>
    public static string Anchors(GraphBuilder graph, AnchorGrid grid, int columns, int rows, int strideX, int strideY)
    {
        var right = new float[4 * columns];
        var down = new float[4 * rows];
        for (int x = 0; x < columns; x++) right[4 * x] = right[4 * x + 2] = x * strideX;
        for (int y = 0; y < rows; y++) down[4 * y + 1] = down[4 * y + 3] = y * strideY;
        string corners = graph.Add("Add", [graph.Floats(down, rows, 1, 1, 4), graph.Floats(right, 1, columns, 1, 4)]);
        string all = graph.Add("Add", [corners, graph.Floats(grid.Cell(), 1, 1, grid.PerCell, 4)]);
        return graph.Add("Reshape", [all, graph.Integers(-1, 4)]);
    }

    /// <summary>Decodes deltas [...,4] against references [...,4]; leading dimensions broadcast.</summary>
    public static string Decode(GraphBuilder graph, BoxCoder coder, string deltas, string references)
    {
        (string low, string size) = LowAndSize(graph, references);
        string halfSize = graph.Add("Mul", [size, graph.Scalar(0.5f)]);
        string centre = graph.Add("Add", [low, halfSize]);
        string[] plain = Halves(graph, graph.Add("Div", [deltas, graph.Floats(coder.Weights, 4)]));
        string moved = graph.Add("Add", [graph.Add("Mul", [plain[0], size]), centre]);
        string ratio = graph.Add("Exp", [graph.Add("Min", [plain[1], graph.Scalar(BoxCoder.LargestLogRatio)])]);
        string half = graph.Add("Mul", [ratio, halfSize]);
        return graph.Add("Concat", [graph.Add("Sub", [moved, half]), graph.Add("Add", [moved, half])], ("axis", -1));
    }

    /// <summary>Limits boxes to the image.</summary>
    public static string Clip(GraphBuilder graph, string boxes, ImageSize size) => graph.Add(
        "Min", [graph.Add("Max", [boxes, graph.Scalar(0f)]), Extent(graph, size)]);

    /// <summary>Boxes in pixels as shares of the image.</summary>
    public static string Shares(GraphBuilder graph, string boxes, ImageSize size) => graph.Add("Div", [boxes, Extent(graph, size)]);

    /// <summary>The scores [...] of boxes [...,4], replaced where a side is shorter than <paramref name="shortest"/>.</summary>
    public static string ScoresOfValid(GraphBuilder graph, string scores, string boxes, float shortest, float replacement)
    {
        (_, string size) = LowAndSize(graph, boxes);
        string shorter = graph.Add("ReduceMin", [size, graph.Integers(-1)], ("keepdims", 0));
        string valid = graph.Add("GreaterOrEqual", [shorter, graph.Scalar(shortest)]);
        return graph.Add("Where", [valid, scores, graph.Scalar(replacement)]);
    }

    /// <summary>The areas [...] of boxes [...,4].</summary>
    public static string Area(GraphBuilder graph, string boxes)
    {
        (_, string size) = LowAndSize(graph, boxes);
        return graph.Add("ReduceProd", [size, graph.Integers(-1)], ("keepdims", 0));
    }

    /// <summary>The indices, best first, of the best <paramref name="limit"/> scores [K], or of all where there are fewer.</summary>
    public static string Best(GraphBuilder graph, string scores, int limit)
    {
        string count = graph.Add("Min", [graph.Add("Shape", [scores]), graph.Integers(limit)]);
        return graph.Add("TopK", [scores, count], 2)[1];
    }

    private static (string Low, string Size) LowAndSize(GraphBuilder graph, string boxes)
    {
        string[] corners = Halves(graph, boxes);
        return (corners[0], graph.Add("Sub", [corners[1], corners[0]]));
    }

    private static string[] Halves(GraphBuilder graph, string values)
        => graph.Add("Split", [values, graph.Integers(2, 2)], 2, ("axis", -1));

    private static string Extent(GraphBuilder graph, ImageSize size)
        => graph.Floats([size.Width, size.Height, size.Width, size.Height], 4);
}
