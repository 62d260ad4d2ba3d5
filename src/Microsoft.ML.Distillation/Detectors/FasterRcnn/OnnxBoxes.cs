using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Onnx;

namespace Microsoft.ML.Distillation.Detectors;

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

    private static string[] Halves(GraphBuilder graph, string values) => graph.Add("Split", [values, graph.Integers(2, 2)], 2, ("axis", -1));

    private static string Extent(GraphBuilder graph, ImageSize size)
        => graph.Floats([size.Width, size.Height, size.Width, size.Height], 4);
}
