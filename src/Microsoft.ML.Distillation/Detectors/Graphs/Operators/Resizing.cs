using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Graphs.Operators;

/// <summary>Resampling to another size, by the nearest value or linearly, axis by axis.</summary>
internal static class Resizing
{
    public static void AddTo(Dictionary<string, Operator> table) => table["Resize"] = Resize;

    private static Tensor[] Resize(OperatorCall call)
    {
        GraphNode node = call.Node;
        string mode = node.Text("mode", "nearest");
        if (mode is not ("nearest" or "linear")) throw Unsupported(node, $"the mode '{mode}'");
        if (node.Flag("antialias")) throw Unsupported(node, "antialias");
        if (node.Text("keep_aspect_ratio_policy", "stretch") != "stretch") throw Unsupported(node, "keep_aspect_ratio_policy");
        Tensor x = call[0];
        int rank = x.shape.Length;
        long[] axes = node.Ints("axes")?.Select(axis => call.Axis(axis, rank)).ToArray()
            ?? [.. Enumerable.Range(0, rank).Select(i => (long)i)];
        long[]? sizes = call.OptionalIntegers(3);
        float[]? scales = sizes is null ? call.Floats(2) : null;
        if ((sizes?.Length ?? scales!.Length) != axes.Length) throw new FormatException("it names another number of axes than there are.");
        Span[] spans = [.. axes.Select((axis, i) => Span.Of(axis, x.shape[axis], sizes?[i], scales?[i]))];
        spans = [.. spans.Where(s => s.To != s.From || s.Scale != 1)];
        if (spans.Length == 0) return [x.alias()];
        string coordinates = node.Text("coordinate_transformation_mode", "half_pixel");
        if (Whole(x, spans, mode, coordinates, node) is { } whole) return [whole];
        x = x.alias();
        foreach (Span span in spans) x = mode == "nearest" ? Nearest(x, span, coordinates, node) : Linear(x, span, coordinates, node);
        return [x];
    }

    // The usual cases, which libtorch does at once.
    private static Tensor? Whole(Tensor x, Span[] spans, string mode, string coordinates, GraphNode node)
    {
        if (x.shape.Length != 4 || spans.Any(s => s.Axis < 2) || spans.Any(s => s.From * s.Scale != s.To)) return null;
        long[] size = [x.shape[2], x.shape[3]];
        foreach (Span span in spans) size[span.Axis - 2] = span.To;
        if (mode == "linear")
        {
            return coordinates is "half_pixel" or "align_corners" || (coordinates == "pytorch_half_pixel" && size.All(s => s > 1))
                ? nn.functional.interpolate(x, size, mode: InterpolationMode.Bilinear, align_corners: coordinates == "align_corners")
                : null;
        }

        // All of them repeat each value as often as the scale says.
        string rounding = node.Text("nearest_mode", "round_prefer_floor");
        bool repeats = spans.All(s => s.To % s.From == 0) && (coordinates == "asymmetric" ? rounding == "floor"
            : coordinates is "half_pixel" or "pytorch_half_pixel" && rounding.StartsWith("round", StringComparison.Ordinal));
        return repeats ? nn.functional.interpolate(x, size, mode: InterpolationMode.Nearest) : null;
    }

    private static Tensor Nearest(Tensor x, Span span, string coordinates, GraphNode node)
    {
        string rounding = node.Text("nearest_mode", "round_prefer_floor");
        return x.index_select(span.Axis, from_array(span.Coordinates(coordinates, node)
            .Select(at => (long)Math.Clamp(Rounded(at), 0, span.From - 1)).ToArray()).to(x.device));

        float Rounded(float at) => rounding switch
        {
            "floor" => MathF.Floor(at),
            "ceil" => MathF.Ceiling(at),
            "round_prefer_ceil" => MathF.Floor(at + 0.5f),
            _ => MathF.Ceiling(at - 0.5f),
        };
    }

    private static Tensor Linear(Tensor x, Span span, string coordinates, GraphNode node)
    {
        float[] places = [.. span.Coordinates(coordinates, node).Select(at => Math.Clamp(at, 0, span.From - 1))];
        long[] shape = [.. Enumerable.Repeat(1L, x.shape.Length)];
        shape[span.Axis] = places.Length;
        Tensor low = Take(at => MathF.Floor(at)), high = Take(at => MathF.Min(MathF.Floor(at) + 1, span.From - 1));
        return low.lerp(high, from_array(places.Select(at => at - MathF.Floor(at)).ToArray()).to(x.dtype, x.device).reshape(shape));

        Tensor Take(Func<float, float> place)
            => x.index_select(span.Axis, from_array(places.Select(at => (long)place(at)).ToArray()).to(x.device));
    }

    private static NotSupportedException Unsupported(GraphNode node, string what)
        => new($"{node.Label} has {what}, which is not supported.");

    /// <summary>How long an axis is before and after.</summary>
    private readonly record struct Span(long Axis, long From, long To, float Scale)
    {
        public static Span Of(long axis, long from, long? size, float? scale) => size is { } to
            ? new Span(axis, from, to, (float)to / from) : new Span(axis, from, (long)MathF.Floor(from * scale!.Value), scale.Value);

        /// <summary>Where in the input each value of the output is.</summary>
        public float[] Coordinates(string mode, GraphNode node)
        {
            (long from, long to, float scale) = (From, To, Scale);
            return [.. Enumerable.Range(0, (int)to).Select(i => mode switch
            {
                "half_pixel" => (i + 0.5f) / scale - 0.5f,
                "pytorch_half_pixel" => to > 1 ? (i + 0.5f) / scale - 0.5f : 0,
                "align_corners" => to > 1 ? (float)i * (from - 1) / (to - 1) : 0,
                "asymmetric" => i / scale,
                "half_pixel_symmetric" => from / 2f * (1 - to / (scale * from)) + (i + 0.5f) / scale - 0.5f,
                _ => throw Unsupported(node, $"the coordinates '{mode}'"),
            })];
        }
    }
}
