using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Model;

/// <summary>
/// The third form of an exported one-stage detector, for converters to phones and accelerators: every shape is fixed, and nothing is
/// chosen inside. From an image at the network's size (float [1,3,H,W], RGB, 0 to 1) to all N boxes (float [1,N,4], in shares of the
/// image) with a score for each class (float [1,N,C]). It is made of the first form, without libtorch.
/// </summary>
internal static class RawForm
{
    /// <summary>Whether a detector of this library is in this form.</summary>
    public static bool Is(OnnxModelFile model) => model.Metadata.ContainsKey(DetectorGraph.RawKey);

    /// <summary>How detections are to be chosen from what a model in this form gives.</summary>
    /// <exception cref="FormatException">The model does not say it.</exception>
    public static DenseSelection Selection(OnnxModelFile model)
        => DetectorGraph.Read<DenseSelection>(model, DetectorGraph.RawKey) is { MaxDetections: > 0 } selection
            ? selection
            : throw new FormatException($"The ONNX model does not say how detections are chosen (metadata '{DetectorGraph.RawKey}').");

    /// <summary>The raw form of an exported detector.</summary>
    /// <exception cref="NotSupportedException">The detector is of two stages.</exception>
    /// <exception cref="FormatException">The model was not made by this library.</exception>
    public static OnnxModelFile Of(OnnxModelFile full)
    {
        ImageSize size = PlainForm.InputSize(full);
        ModelProto model = PlainForm.Of(full).Model;
        DenseTail tail = DenseTail.In(full);
        Write(model.Graph, tail, size, DetectorGraph.ClassNames(full).Count);
        model.MetadataProps.Add(new StringStringEntryProto
        {
            Key = DetectorGraph.RawKey,
            Value = JsonSerializer.Serialize(tail.Selection),
        });
        model.MetadataProps.Add(new StringStringEntryProto
        {
            Key = DetectorGraph.ParametersKey,
            Value = DetectorGraph.CountParameters(full).ToString(CultureInfo.InvariantCulture),
        });
        StaticGraph.Fold(model, "the detector");
        PortableOperators.Use(model);
        return new OnnxModelFile(model);
    }

    /// <summary>The detections in what a model in this form gives, boxes in shares of the image.</summary>
    /// <param name="boxes">4N values, in shares of the image; overwritten.</param>
    /// <param name="scores">N rows of a score for each class.</param>
    public static Detections Decode(float[] boxes, float[] scores, DenseSelection selection, ImageSize size)
    {
        for (int i = 0; i < boxes.Length; i++) boxes[i] *= i % 2 == 0 ? size.Width : size.Height;
        return new DenseSelector(selection, size).Select(boxes, scores);
    }

    /// <summary>Writes boxes and scores of all locations in place of what chooses among them.</summary>
    private static void Write(GraphProto graph, DenseTail tail, ImageSize size, int classes)
    {
        var builder = new GraphBuilder("raw_");
        int points = tail.Corners.Length / 4, bins = tail.BinValues.Length;
        float[] extent = [size.Width, size.Height, size.Width, size.Height];
        string shares = builder.Add("Softmax", [builder.Add("Reshape", [tail.Edges, builder.Integers(4 * points, bins)])], ("axis", 1));
        string distances = builder.Add("MatMul", [shares, builder.Floats(tail.BinValues, bins, 1)]);
        string rows = builder.Add("Reshape", [distances, builder.Integers(1, points, 4)]);
        string moved = builder.Add("Mul", [rows, builder.Floats(Scaled(tail.Steps), 1, points, 4)]);
        string corners = builder.Add("Add", [moved, builder.Floats(Scaled(tail.Corners), 1, points, 4)]);
        builder.Put("Clip", [corners, builder.Scalar(0f), builder.Scalar(1f)], [DetectorGraph.Boxes]);
        builder.Put("Sigmoid", [builder.Add("Reshape", [tail.Logits, builder.Integers(1, points, classes)])], [DetectorGraph.Scores]);
        builder.Declare(DetectorGraph.Boxes, TensorProto.Types.DataType.Float, 1, points, 4);
        builder.Declare(DetectorGraph.Scores, TensorProto.Types.DataType.Float, 1, points, classes);

        GraphProto written = builder.Build([]).Graph;
        foreach (NodeProto end in graph.Node.Where(node => graph.Output.Any(output => node.Output.Contains(output.Name))).ToArray())
            graph.Node.Remove(end);
        graph.Output.Clear();
        graph.Output.AddRange(written.Output);
        graph.Node.AddRange(written.Node);
        graph.Initializer.AddRange(written.Initializer);
        GraphSurgery.RemoveUnused(graph);

        float[] Scaled(float[] pixels) => [.. pixels.Select((value, i) => value / extent[i % 4])];
    }
}

/// <summary>What a one-stage detector's graph does between its layers and the choice among its boxes.</summary>
/// <param name="Logits">The value that holds each location's class logits, float [P,C].</param>
/// <param name="Edges">The value that holds the logits of the bins of its box's sides, float [P,4,m+1].</param>
/// <param name="Boxes">The value that holds all boxes in pixels of the input, float [1,P,4].</param>
/// <param name="Scores">The value that holds all scores, float [1,C,P]; 0 of boxes without an area.</param>
/// <param name="BinValues">What the bins are worth, in strides.</param>
/// <param name="Steps">P rows −s −s s s, in pixels.</param>
/// <param name="Corners">P rows x y x y, in pixels.</param>
/// <param name="Selection">How detections are chosen.</param>
internal sealed record DenseTail(
    string Logits, string Edges, string Boxes, string Scores, float[] BinValues, float[] Steps, float[] Corners, DenseSelection Selection)
{
    /// <summary>Finds it in a graph of the whole form.</summary>
    /// <exception cref="NotSupportedException">The detector is of two stages.</exception>
    /// <exception cref="FormatException">The graph is no such graph.</exception>
    public static DenseTail In(OnnxModelFile full)
    {
        GraphProto graph = full.Model.Graph;
        if (!IsOneStage(full)) throw new NotSupportedException(
            "A Faster R-CNN has no raw form: its graph chooses among proposals halfway (NonMaxSuppression, TopK, RoiAlign), which the "
                + "converters that need fixed shapes do not take. Distil a one-stage student instead, or export the whole or plain form.");
        NodeProto[] suppressions = [.. graph.Node.Where(node => node.OpType == "NonMaxSuppression" && node.Input.Count == 5)];
        if (suppressions.Length != 1) throw Unknown();
        NodeProto nms = suppressions[0];
        Dictionary<string, NodeProto> makers = GraphSurgery.Makers(graph);
        Dictionary<string, TensorProto> initializers = [];
        foreach (TensorProto tensor in graph.Initializer) initializers[tensor.Name] = tensor;

        NodeProto sum = Up(Up(Up(Up(nms.Input[0], "Unsqueeze").Input[0], "Min").Input[0], "Max").Input[0], "Add");
        NodeProto product = Up(sum.Input[0], "Mul");
        NodeProto mean = Up(Up(product.Input[0], "Reshape").Input[0], "MatMul");
        NodeProto valid = Up(Up(nms.Input[1], "Unsqueeze").Input[0], "Where");
        string logits = Up(Up(valid.Input[1], "Transpose").Input[0], "Sigmoid").Input[0];
        float[] values = Floats(mean.Input[1]), steps = Floats(product.Input[1]), corners = Floats(sum.Input[1]);
        long[] most = Values<long>(nms.Input[2]);
        if (values.Length == 0 || steps.Length == 0 || steps.Length != corners.Length || steps.Length % 4 != 0) throw Unknown();
        if (most is not [> 0 and <= int.MaxValue] || Floats(nms.Input[3]) is not [var overlap] || Floats(nms.Input[4]) is not [var score])
            throw Unknown();
        return new DenseTail(logits, Up(mean.Input[0], "Softmax").Input[0], nms.Input[0], nms.Input[1], values, steps, corners,
            new DenseSelection(score, overlap, (int)most[0]));

        NodeProto Up(string value, string op)
            => makers.GetValueOrDefault(value) is { } maker && maker.OpType == op && maker.Input.Count > 0 ? maker : throw Unknown();

        float[] Floats(string name) => Values<float>(name);

        T[] Values<T>(string name) where T : unmanaged => initializers.TryGetValue(name, out TensorProto? tensor)
            ? MemoryMarshal.Cast<byte, T>(tensor.RawData.Span).ToArray() : throw Unknown();
    }

    /// <summary>Whether a detector of this library is of the one-stage family.</summary>
    private static bool IsOneStage(OnnxModelFile model)
        => DetectorGraph.Read<Dictionary<string, JsonElement>>(model, DetectorGraph.ArchitectureKey)?.ContainsKey("OneStage") == true;

    private static FormatException Unknown()
        => new("The ONNX model's graph does not end as a one-stage detector's of this library does: no raw form can be made of it.");
}
