using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>
/// A hand-made graph that finds red and green quarters: every cell of a 4×4 grid whose mean red (or green) is over one
/// half is a detection with that mean as its score.
/// </summary>
internal static class ToyDetector
{
    public const int Grid = 4;

    public static readonly string[] ClassNames = ["red", "green"];

    public static OnnxModelFile Model()
    {
        var graph = new GraphBuilder();
        graph.Input(DetectorGraph.Pixels, TensorProto.Types.DataType.Uint8, 1, "bytes");
        graph.Input(DetectorGraph.Size, TensorProto.Types.DataType.Int64, 1, 2);
        string image = ImagePreprocessing.Write(graph, DetectorGraph.Pixels, DetectorGraph.Size, 16, 16);
        string cells = graph.Add("AveragePool", [image], ("kernel_shape", new long[] { 4, 4 }), ("strides", new long[] { 4, 4 }));
        string two = graph.Add("Slice", [cells, graph.Integers(0), graph.Integers(2), graph.Integers(1)]);
        string bright = graph.Add("Greater", [two, graph.Scalar(.5f)]);
        string indices = graph.Add("Transpose", [graph.Add("NonZero", [bright])], ("perm", new long[] { 1, 0 }));
        string scores = graph.Add("Unsqueeze", [graph.Add("GatherND", [two, indices]), graph.Integers(0)]);
        string classes = graph.Add("Transpose", [Column(graph, indices, 1)], ("perm", new long[] { 1, 0 }));
        string y = Column(graph, indices, 2), x = Column(graph, indices, 3), one = graph.Integers(1);
        string corners = graph.Add("Concat", [x, y, graph.Add("Add", [x, one]), graph.Add("Add", [y, one])], ("axis", 1));
        string floats = graph.Add("Cast", [corners], ("to", (long)TensorProto.Types.DataType.Float));
        string shares = graph.Add("Mul", [graph.Add("Unsqueeze", [floats, graph.Integers(0)]), graph.Scalar(1f / Grid)]);
        string boxes = ImagePreprocessing.WriteBoxesToPixels(graph, shares, DetectorGraph.Size);
        graph.Output(DetectorGraph.Boxes, boxes, TensorProto.Types.DataType.Float, 1, "detections", 4);
        graph.Output(DetectorGraph.Scores, scores, TensorProto.Types.DataType.Float, 1, "detections");
        graph.Output(DetectorGraph.Classes, classes, TensorProto.Types.DataType.Int64, 1, "detections");
        return new OnnxModelFile(graph.Build(
        [
            new(DetectorGraph.NamesKey, "[\"red\",\"green\"]"),
            new(DetectorGraph.ArchitectureKey, "{}"),
            new(DetectorGraph.PlainKey, new PlainForm(image, shares, 16, 16).ToJson()),
        ]));
    }

    /// <summary>A black image with the given cells (column, row) in full colour.</summary>
    public static MLImage Image(int width, int height, params (int Column, int Row, string Colour)[] cells)
    {
        byte[] pixels = new byte[4 * width * height];
        for (int i = 0; i < width * height; i++)
        {
            pixels[4 * i + 3] = 255;
            foreach ((int column, int row, string colour) in cells)
            {
                if (i % width * Grid / width == column && i / width * Grid / height == row)
                    pixels[4 * i + (colour == "red" ? 0 : 1)] = 255;
            }
        }

        return MLImage.CreateFromPixels(width, height, MLPixelFormat.Rgba32, pixels);
    }

    private static string Column(GraphBuilder graph, string table, long column)
        => graph.Add("Slice", [table, graph.Integers(column), graph.Integers(column + 1), graph.Integers(1)]);
}
