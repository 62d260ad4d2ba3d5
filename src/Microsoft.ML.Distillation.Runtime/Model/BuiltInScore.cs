using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;

namespace Microsoft.ML.Distillation.Model;

/// <summary>The score below which an exported detector's graph itself leaves detections out.</summary>
internal static class BuiltInScore
{
    /// <summary>The same detector, which gives detections of at least a score alone.</summary>
    /// <param name="full">The detector in its whole form.</param>
    /// <param name="score">The score, above 0 and at most 1.</param>
    /// <exception cref="FormatException">The graph does not choose as those of this library do.</exception>
    public static OnnxModelFile Of(OnnxModelFile full, double score)
    {
        ModelProto model = full.Model.Clone();
        GraphProto graph = model.Graph;
        // A Faster R-CNN chooses among proposals first; what chooses among detections comes after it.
        if (graph.Node.LastOrDefault(node => node.OpType == "NonMaxSuppression") is not { Input.Count: 5 } chooser)
            throw new FormatException("The ONNX model's graph does not choose its detections as those of this library do: no score can be "
                + "built into it.");
        // The operator keeps what is above its threshold, and wanted is what reaches it.
        var builder = new GraphBuilder("score_");
        string constant = builder.Floats([MathF.BitDecrement((float)score)], 1);
        // Others may share the constant that was there; one of this name is of an earlier score.
        chooser.Input[4] = "";
        foreach (TensorProto earlier in graph.Initializer.Where(tensor => tensor.Name == constant).ToArray())
            graph.Initializer.Remove(earlier);
        graph.Initializer.AddRange(builder.Build([]).Graph.Initializer);
        chooser.Input[4] = constant;
        GraphSurgery.RemoveUnused(graph);
        return new OnnxModelFile(model);
    }
}
