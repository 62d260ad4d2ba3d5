namespace Microsoft.ML.Distillation.Onnx;

/// <summary>
/// The head of an exported graph: from the bytes of an image of any size to the network's input. The resize is the
/// triangle filter widened by the downscale factor (as in training), so that a network sees at run time what it saw then.
/// </summary>
internal static class ImagePreprocessing
{
    /// <summary>Writes the subgraph.</summary>
    /// <param name="graph">The graph to write into.</param>
    /// <param name="pixels">uint8 [1,3·height·width]: RGB, rows from the top.</param>
    /// <param name="size">int64 [1,2]: height and width of the image.</param>
    /// <param name="width">The network's input width in pixels.</param>
    /// <param name="height">The network's input height in pixels.</param>
    /// <returns>The image as float [1,3,<paramref name="height"/>,<paramref name="width"/>], RGB, 0 to 1.</returns>
    public static string Write(GraphBuilder graph, string pixels, string size, int width, int height)
    {
        string flatSize = graph.Add("Reshape", [size, graph.Integers(2)]);
        string shape = graph.Add("Concat", [graph.Integers(1), flatSize, graph.Integers(3)], ("axis", 0));
        string rows = graph.Add("Reshape", [pixels, shape]);
        string planes = graph.Add("Transpose", [rows], ("perm", new long[] { 0, 3, 1, 2 }));
        string floats = graph.Add("Cast", [planes], ("to", (long)Proto.TensorProto.Types.DataType.Float));
        string resized = graph.Add("Resize", [floats, "", "", graph.Integers(1, 3, height, width)],
            ("mode", "linear"), ("antialias", 1), ("exclude_outside", 1), ("coordinate_transformation_mode", "half_pixel"));
        return graph.Add("Mul", [resized, graph.Scalar(1f / 255f)]);
    }

    /// <summary>Writes what turns boxes in shares of the image into pixels of the image.</summary>
    /// <param name="graph">The graph to write into.</param>
    /// <param name="boxes">float [1,K,4], x0 y0 x1 y1 in shares.</param>
    /// <param name="size">int64 [1,2]: height and width of the image.</param>
    /// <returns>float [1,K,4], x0 y0 x1 y1 in pixels.</returns>
    public static string WriteBoxesToPixels(GraphBuilder graph, string boxes, string size)
    {
        // (height, width) becomes (width, height, width, height).
        string scale = graph.Add("Gather", [size, graph.Integers(1, 0, 1, 0)], ("axis", 1));
        string factors = graph.Add("Cast", [scale], ("to", (long)Proto.TensorProto.Types.DataType.Float));
        string broadcast = graph.Add("Unsqueeze", [factors, graph.Integers(1)]);
        return graph.Add("Mul", [boxes, broadcast]);
    }
}
