using System.Text.Json;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;

namespace Microsoft.ML.Distillation.Model;

/// <summary>
/// The second form of an exported detector, for runtimes that prepare images themselves: from an image at the network's size
/// (float [1,3,H,W], RGB, 0 to 1) to boxes in shares of the image. It is cut out of the first form, without libtorch.
/// </summary>
/// <param name="Image">The value in the full graph that holds the image at the network's size.</param>
/// <param name="Boxes">The value in the full graph that holds the boxes in shares, float [1,K,4].</param>
/// <param name="Width">The network's input width in pixels.</param>
/// <param name="Height">The network's input height in pixels.</param>
internal sealed record PlainForm(string Image, string Boxes, int Width, int Height)
{
    /// <summary>What the metadata of the full form says of the plain one.</summary>
    public string ToJson() => JsonSerializer.Serialize(this);

    /// <summary>The network's input size, of a model in either form.</summary>
    /// <exception cref="FormatException">The model does not say it.</exception>
    public static ImageSize InputSize(OnnxModelFile model)
    {
        if (!DetectorGraph.IsPlain(model)) return In(model).Size;
        ValueInfoProto input = model.Model.Graph.Input.First(value => value.Name == DetectorGraph.Images);
        return input.Type?.TensorType?.Shape?.Dim is [_, _, { DimValue: > 0 } height, { DimValue: > 0 } width]
            ? new ImageSize((int)width.DimValue, (int)height.DimValue)
            : throw new FormatException($"The ONNX model does not say the size of its input '{DetectorGraph.Images}'.");
    }

    /// <summary>The plain form of an exported detector.</summary>
    /// <exception cref="FormatException">The model was not made by this library.</exception>
    public static OnnxModelFile Of(OnnxModelFile full)
    {
        PlainForm form = In(full);
        ModelProto model = full.Model.Clone();
        GraphProto graph = model.Graph;
        foreach (NodeProto node in graph.Node)
        {
            for (int i = 0; i < node.Input.Count; i++)
                if (node.Input[i] == form.Image) node.Input[i] = DetectorGraph.Images;
            if (node.Output.Contains(DetectorGraph.Boxes) && node.Input.Count > 0) node.Input[0] = form.Boxes;
        }

        graph.Input.Clear();
        var builder = new GraphBuilder();
        builder.Input(DetectorGraph.Images, TensorProto.Types.DataType.Float, 1, 3, form.Height, form.Width);
        graph.Input.Add(builder.Build([]).Graph.Input[0]);
        GraphSurgery.RemoveUnused(graph);
        foreach (StringStringEntryProto plainKey in model.MetadataProps.Where(p => p.Key == DetectorGraph.PlainKey).ToArray())
            model.MetadataProps.Remove(plainKey);
        return new OnnxModelFile(model);
    }

    /// <summary>The value in a full graph that holds the image at the network's size.</summary>
    /// <exception cref="FormatException">The model does not say it.</exception>
    public static string ImageIn(OnnxModelFile full) => In(full).Image;

    private ImageSize Size => new(Width, Height);

    private static PlainForm In(OnnxModelFile full)
        => DetectorGraph.Read<PlainForm>(full, DetectorGraph.PlainKey) is { Image: not null, Boxes: not null, Width: > 0, Height: > 0 } form
            ? form
            : throw new FormatException($"The ONNX model does not say where its network begins (metadata '{DetectorGraph.PlainKey}').");
}
