using Google.Protobuf;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Graphs;

/// <summary>Holds a cut to what ONNX Runtime answers for the graph that it is of.</summary>
internal static class GraphCheck
{
    /// <summary>How far the two may part: the largest difference by the largest value.</summary>
    public const float Tolerance = 1e-4f;

    private const int Seed = 20240229;

    /// <summary>Runs both on an image, and the cut on two at once.</summary>
    /// <param name="model">The graph that the cut is of.</param>
    /// <exception cref="InvalidOperationException">They part; the message says at which tensor first.</exception>
    public static void Require(GraphCut cut, ModelProto model)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        Tensor image = Image(cut, 0);
        Dictionary<string, float[]> found = Own(cut, image, cut.Maps.ToHashSet()), expected = Runtimes(cut, model, image, cut.Maps);
        if (cut.Maps.Any(name => Difference(found[name], expected[name]) is not < Tolerance))
        {
            // All tensors that both have, in the order in which they are computed.
            string[] names = [.. cut.Nodes.SelectMany(n => n.Outputs).Intersect(GraphSurgery.Tensors(model))];
            found = Own(cut, image, names.ToHashSet());
            expected = Runtimes(cut, model, image, [.. names.Where(found.ContainsKey)]);
            string first = names.Where(found.ContainsKey)
                .FirstOrDefault(name => Difference(found[name], expected[name]) is not < Tolerance) ?? cut.Maps[0];
            GraphNode node = cut.Nodes.First(n => n.Outputs.Contains(first));
            throw new InvalidOperationException($"The network of '{cut.Source}' does not answer as ONNX Runtime does: they part first at "
                + $"'{first}', the outcome of {node.Label}, by {Difference(found[first], expected[first]):g2} of its largest value. Cut "
                + "before it, or report the operator.");
        }

        RequireBatches(cut, image);
    }

    /// <summary>The largest difference by the largest value; not a number where the two are not of one size.</summary>
    public static float Difference(float[] found, float[] expected)
    {
        if (found.Length != expected.Length) return float.NaN;
        float largest = 0, difference = 0;
        for (int i = 0; i < found.Length; i++)
        {
            largest = Math.Max(largest, Math.Abs(expected[i]));
            difference = float.IsNaN(found[i] - expected[i]) ? float.NaN : Math.Max(difference, Math.Abs(found[i] - expected[i]));
        }

        return difference == 0 ? 0 : difference / largest;
    }

    private static void RequireBatches(GraphCut cut, Tensor image)
    {
        Tensor other = Image(cut, 1);
        HashSet<string> names = [.. cut.Maps];
        try
        {
            if (Apart() is null) return;
        }
        catch (GraphRunException e)
        {
            throw new InvalidOperationException($"The graph of '{cut.Source}' takes one image at a time, which is too few to train with: "
                + $"{e.Message}", e);
        }

        names = GraphRoles.FromImage(cut.Input.Name, cut.Nodes);
        string first = Apart()!;
        throw new InvalidOperationException($"The graph of '{cut.Source}' takes one image at a time, which is too few to train with: at "
            + $"'{first}', the outcome of {cut.Nodes.First(n => n.Outputs.Contains(first)).Label}, two images get mixed.");

        string? Apart()
        {
            Dictionary<string, float[]> one = Own(cut, image, names), two = Own(cut, other, names);
            Dictionary<string, float[]> both = Own(cut, cat([image, other]), names);
            return cut.Nodes.SelectMany(n => n.Outputs).Where(one.ContainsKey).FirstOrDefault(
                name => Difference(both[name], [.. one[name], .. two[name]]) is not < Tolerance);
        }
    }

    /// <summary>Values of some tensors of real numbers.</summary>
    private static Dictionary<string, float[]> Own(GraphCut cut, Tensor image, HashSet<string> names)
    {
        var values = new Dictionary<string, float[]>(StringComparer.Ordinal);
        GraphShapes.Run(cut, image, (name, value) =>
        {
            if (names.Contains(name) && !value.IsHost && value.Tensor.is_floating_point()) values[name] = TensorArrays.Floats(value.Tensor);
        });
        return values;
    }

    private static Dictionary<string, float[]> Runtimes(GraphCut cut, ModelProto model, Tensor image, IReadOnlyList<string> names)
    {
        // The part alone: what comes after it may hold operators that are not known there.
        ModelProto exposed = GraphSurgery.Part(model, names, cut.Source);

        // Parameters that are inputs too, as before IR version 4, each cost a line of warning.
        HashSet<string> parameters = [.. exposed.Graph.Initializer.Select(t => t.Name)];
        ValueInfoProto[] declared = [.. exposed.Graph.Input.Where(i => parameters.Contains(i.Name))];
        foreach (ValueInfoProto own in declared) exposed.Graph.Input.Remove(own);
        exposed.IrVersion = Math.Max(exposed.IrVersion, 4);
        using var session = new OnnxSession(exposed.ToByteArray(), new SessionSettings { Spins = false }, cut.Source);
        ValueInfoProto input = exposed.Graph.Input.First(i => i.Name == cut.Input.Name);
        float[] values = TensorArrays.Floats(image);
        OnnxInput fed = cut.Input.IsBytes ? OnnxSession.Input(input.Name, Array.ConvertAll(values, v => (byte)v), image.shape)
            : OnnxSession.Input(input.Name, values, image.shape);
        return session.Run(fed).ToDictionary(p => p.Key, p => p.Value is float[] floats ? floats : []);
    }

    /// <summary>A smooth picture under noise, of whole numbers 0 to 255 where the graph takes bytes.</summary>
    private static Tensor Image(GraphCut cut, int number)
    {
        ImageSize size = cut.Size;
        var random = new Random(Seed + number);
        var pixels = new float[3 * size.Height * size.Width];
        for (int c = 0, i = 0; c < 3; c++)
        {
            for (int y = 0; y < size.Height; y++)
            {
                for (int x = 0; x < size.Width; x++, i++)
                {
                    double smooth = Math.Sin(0.05 * (x + 20 * c) + number) * Math.Cos(0.03 * (y - 10 * c));
                    pixels[i] = (float)(1.5 * smooth + random.NextDouble() - 0.5);
                    if (cut.Input.IsBytes) pixels[i] = MathF.Round(63 * (pixels[i] + 2));
                }
            }
        }

        Tensor image = tensor(pixels, [1, 3, size.Height, size.Width]);
        return cut.Input.ChannelsLast ? image.permute(0, 2, 3, 1).contiguous() : image;
    }
}
