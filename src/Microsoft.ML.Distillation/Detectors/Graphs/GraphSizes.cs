using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Images;
using TorchSharp;
using static Microsoft.ML.Distillation.Detectors.Graphs.GraphAttributes;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Graphs;

/// <summary>
/// Makes sizes that a graph spells out relative to the size and number of the images. The graph runs, operator by operator, on one image
/// of its own size, on two, and on a larger one; what has been made relative before tells how the shapes change with each, and so what
/// a size that is spelled out stands for.
/// </summary>
internal sealed class GraphSizes
{
    // By how much the other image is larger: a number of whole cells of usual networks, another for each side.
    private const int MoreHeight = 64, MoreWidth = 128;

    private readonly GraphCut _cut;
    private readonly GraphEditor _graph;
    private readonly HashSet<string> _fromImage;
    private readonly GraphProbe _own;
    private readonly GraphProbe _two;
    private readonly GraphProbe _larger;
    private readonly List<(string Name, int[] Axes)> _merged = [];
    private string? _bound;

    private GraphSizes(GraphCut cut)
    {
        _cut = cut;
        _graph = new GraphEditor(cut.Initializers);
        _graph.Reserve(cut.Nodes.SelectMany(n => n.Outputs));
        _graph.Reserve([cut.Input.Name]);
        _fromImage = GraphRoles.FromImage(cut.Input.Name, cut.Nodes);
        ImageSize size = cut.Size;
        _own = new GraphProbe(cut, _graph, 1, size.Height, size.Width);
        _two = new GraphProbe(cut, _graph, 2, size.Height, size.Width);
        _larger = new GraphProbe(cut, _graph, 1, size.Height + MoreHeight, size.Width + MoreWidth);
    }

    /// <summary>The same cut for images of any size and number, as far as that can be told.</summary>
    /// <exception cref="FormatException">The graph does not run on an image of its own size.</exception>
    public static GraphCut MakeRelative(GraphCut cut)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        var sizes = new GraphSizes(cut);
        try
        {
            foreach ((GraphNode node, IReadOnlyList<string> done) in GraphOrder.WithLastUses(cut)) sizes.Take(node, done);
        }
        catch (GraphRunException e)
        {
            throw new FormatException($"The graph of '{cut.Source}' does not run: {e.Message}", e);
        }

        return cut.With(sizes._graph.Nodes, sizes._graph.Initializers, sizes._bound);
    }

    private void Take(GraphNode node, IReadOnlyList<string> done)
    {
        int from = _graph.Nodes.Count;

        // What a size means shows by the shape that comes out.
        _own.Execute(node);
        Rewrite(node);
        foreach (GraphNode made in _graph.Nodes.Skip(from).ToList())
        {
            _two.Try(made);
            _larger.Try(made);
        }

        // Later operators may be told the sizes of what was merged.
        string[] unneeded = [.. done.Where(name => !_merged.Exists(m => m.Name == name))];
        foreach (GraphProbe probe in (GraphProbe[])[_own, _two, _larger]) probe.Forget(unneeded);
    }

    private void Rewrite(GraphNode node)
    {
        bool sees = _fromImage.Contains(node.Input(0));
        switch (node.Op)
        {
            case "Reshape" when sees && IsConstant(node, 1): Reshape(node); break;
            case "Resize" when sees && node.Input(3).Length > 0 && IsConstant(node, 3): Resize(node); break;
            case "Slice" when sees && Enumerable.Range(1, 4).All(i => IsConstant(node, i)): Slice(node); break;
            case "AveragePool" or "MaxPool" when IsGlobal(node):
                _graph.Put(node.Op == "MaxPool" ? "GlobalMaxPool" : "GlobalAveragePool", node.Proto.Name, [node.Input(0)], node.Outputs[0]);
                break;
            case "Concat": Concat(node); break;
            default: _graph.Nodes.Add(node); break;
        }
    }

    private void Reshape(GraphNode node)
    {
        string x = node.Input(0), stem = node.Outputs[0];
        ReshapePart[] parts = Parts(node, x, _own.Shapes[stem]);
        string shape;
        bool isPlain = parts.Count(p => p.IsRest) <= 1
            && parts.Select((p, i) => p.IsRest || p.Axes.Length == 0 || (p.Axes is [var own] && own == i && p.Of == x)).All(kept => kept);
        if (isPlain)
        {
            shape = _graph.Integers(stem, [.. parts.Select(p => p.IsRest ? -1 : p.Axes.Length > 0 ? 0 : p.Constant)]);
        }
        else
        {
            // What remains when all others are known is left to the operator where it is one size alone.
            string[] pieces = [.. parts.Select(p => p.Axes.Length > 0 ? Product(stem, p.Of, p.Axes)
                : _graph.Integers(stem, p.IsRest ? -1 : p.Constant))];
            shape = _graph.Add("Concat", stem, pieces, Of("axis", 0L));
        }

        _graph.Keep(node, [x, shape], "allowzero");
    }

    /// <summary>
    /// What each size of a reshaped tensor is: the smallest groups of neighbouring axes before and after that hold the same values.
    /// </summary>
    private ReshapePart[] Parts(GraphNode node, string x, long[] after)
    {
        long[] before = _own.Shapes[x];
        var parts = new ReshapePart[after.Length];
        for (int i = 0, j = 0; j < after.Length;)
        {
            int from = i, to = j;
            long left = i < before.Length ? before[i++] : 1, right = after[j++];
            while (left != right && (i < before.Length || j < after.Length))
            {
                if (left < right && i < before.Length) left *= before[i++];
                else if (j < after.Length) right *= after[j++];
                else break;
            }

            // Axes of length 1 tell nothing, unless it is the number of images.
            int[] axes = [.. Enumerable.Range(from, i - from).Where(a => before[a] != 1 || GrowsBy(_two, x, a))];
            bool counts = axes.Any(a => GrowsBy(_two, x, a)), grows = axes.Any(a => GrowsBy(_larger, x, a));
            int[] places = [.. Enumerable.Range(to, j - to).Where(p => after[p] != 1 || (counts && p == to))];
            foreach (int place in Enumerable.Range(to, j - to)) parts[place] = new ReshapePart(after[place]);
            if (places is [var only])
            {
                parts[only] = new ReshapePart(after[only], x, axes, axes.Length > 1);
                if (axes.Length > 1 && grows) _merged.Add((x, axes));
            }
            else if (counts)
            {
                // The number of images is the outermost of what an axis counts.
                parts[to] = new ReshapePart(after[to], IsRest: true);
            }
            else if (grows)
            {
                Split(node, parts, places, axes);
            }
        }

        return parts;
    }

    // Rows and columns come apart in which an earlier operator has put them together.
    private void Split(GraphNode node, ReshapePart[] parts, int[] places, int[] axes)
    {
        string x = node.Input(0);
        foreach ((string name, int[] merged) in Enumerable.Reverse(_merged))
        {
            long[] known = _own.Shapes[name];
            if (merged.Length != places.Length || !merged.Zip(places).All(p => known[p.First] == parts[p.Second].Constant)) continue;
            if (!_larger.Shapes.TryGetValue(x, out long[]? own) || !_larger.Shapes.TryGetValue(name, out long[]? origin)) continue;
            if (merged.Aggregate(1L, (product, a) => product * origin[a]) != axes.Aggregate(1L, (product, a) => product * own[a])) continue;
            for (int i = 0; i < places.Length; i++) parts[places[i]] = new ReshapePart(parts[places[i]].Constant, name, [merged[i]]);
            return;
        }

        _bound ??= node.Label;
    }

    /// <summary>A size, or the product of some, of another tensor.</summary>
    private string Product(string stem, string tensor, int[] axes)
    {
        string sizes = _graph.Add("Shape", stem, [tensor]);
        string picked = _graph.Add("Gather", stem, [sizes, _graph.Integers(stem, [.. axes.Select(a => (long)a)])], Of("axis", 0L));
        return axes.Length == 1 ? picked : _graph.Add("ReduceProd", stem, [picked, _graph.Integers(stem, 0)], Of("keepdims", 1L));
    }

    private void Resize(GraphNode node)
    {
        string x = node.Input(0), stem = node.Outputs[0];
        long[] own = _own.Shapes[x], wanted = _own.Shapes[stem];
        if (node.Has("axes"))
        {
            _bound ??= node.Label;
            _graph.Nodes.Add(node);
        }
        else if (own.Zip(wanted).All(p => p.First % p.Second == 0 || p.Second % p.First == 0))
        {
            string scales = _graph.Floats(stem, [.. own.Zip(wanted, (a, b) => (float)b / a)], own.Length);
            _graph.Keep(node, [x, "", scales]);
        }
        else
        {
            _bound ??= node.Label;
            string sizes = _graph.Add("Concat", stem, [Product(stem, x, [0]), _graph.Integers(stem, wanted.AsSpan(1))], Of("axis", 0L));
            _graph.Keep(node, [x, "", "", sizes]);
        }
    }

    // An end that is the tensor's own is the end of any; other places in rows and columns are bound to the size.
    private void Slice(GraphNode node)
    {
        string x = node.Input(0);
        long[] own = _own.Shapes[x], starts = Integers(node.Input(1)), ends = Integers(node.Input(2));
        long[] axes = node.Input(3).Length > 0 ? Integers(node.Input(3)) : [.. Enumerable.Range(0, ends.Length).Select(i => (long)i)];
        long[]? steps = node.Input(4).Length > 0 ? Integers(node.Input(4)) : null;
        for (int i = 0; i < ends.Length; i++)
        {
            int axis = (int)((axes[i] + own.Length) % own.Length);
            if (!GrowsBy(_two, x, axis) && !GrowsBy(_larger, x, axis)) continue;
            if (steps?[i] is not < 0 && ends[i] == own[axis]) ends[i] = long.MaxValue;
            else if (ends[i] > 0 && ends[i] < own[axis] && ends[i] - starts[i] > 1) _bound ??= node.Label;
        }

        string[] inputs = [.. node.Inputs];
        inputs[2] = _graph.Integers(node.Outputs[0], ends);
        _graph.Keep(node, inputs);
    }

    private bool IsGlobal(GraphNode node)
    {
        if (!_own.Shapes.TryGetValue(node.Input(0), out long[]? own) || own.Length != 4) return false;
        return node.Ints("kernel_shape") is { } kernel && kernel.AsSpan().SequenceEqual(own.AsSpan(2))
            && (node.Ints("pads") ?? []).All(p => p == 0) && _own.Shapes[node.Outputs[0]] is [_, _, 1, 1]
            && (node.Ints("dilations") ?? []).All(d => d == 1);
    }

    // What is joined to something of the images, such as a class token, there must be of as many as there are images.
    private void Concat(GraphNode node)
    {
        string? sees = node.Inputs.FirstOrDefault(_fromImage.Contains);
        if (sees is null || node.Int("axis") == 0 || node.Inputs.All(_fromImage.Contains) || !GrowsBy(_two, sees, 0))
        {
            _graph.Nodes.Add(node);
            return;
        }

        string stem = node.Outputs[0], count = Product(stem, sees, [0]);
        long[] ones = [.. Enumerable.Repeat(1L, _own.Shapes[sees].Length - 1)];
        string spread = _graph.Add("Concat", stem, [count, _graph.Integers(stem, ones)], Of("axis", 0L));
        string[] inputs = [.. node.Inputs.Select(name => _fromImage.Contains(name) ? name : _graph.Add("Expand", stem, [name, spread]))];
        _graph.Keep(node, inputs);
    }

    private bool GrowsBy(GraphProbe probe, string name, int axis)
        => probe.Shapes.TryGetValue(name, out long[]? shape) && shape[axis] != _own.Shapes[name][axis];

    private bool IsConstant(GraphNode node, int input) => node.Input(input).Length == 0 || _cut.Initializers.ContainsKey(node.Input(input));

    private long[] Integers(string name) => TensorArrays.Integers(GraphTensors.Read(_cut.Initializers[name]));

    /// <summary>A size of a reshaped tensor.</summary>
    /// <param name="Constant">What it is in the graph as it is.</param>
    /// <param name="Of">The tensor that has it.</param>
    /// <param name="Axes">The axes of that tensor whose product it is; none for a constant.</param>
    /// <param name="IsRest">Whether it can be what remains when all others are known.</param>
    private readonly record struct ReshapePart(long Constant, string Of, int[] Axes, bool IsRest)
    {
        public ReshapePart(long constant, bool IsRest = false)
            : this(constant, "", [], IsRest)
        {
        }

        public ReshapePart(long constant, string of, int[] axes)
            : this(constant, of, axes, false)
        {
        }
    }
}
