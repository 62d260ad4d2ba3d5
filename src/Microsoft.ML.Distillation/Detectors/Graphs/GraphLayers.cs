using Microsoft.ML.Distillation.Detectors.Backbones;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Graphs;

/// <summary>
/// The steps of a network, and the layers among them that have modules of their own: convolutions of the usual form, which can be taken
/// apart and computed with few bits, and batch normalisations.
/// </summary>
internal sealed class GraphLayers
{
    private readonly GraphCut _cut;
    private readonly GraphNames _names;
    private readonly nn.Module _owner;
    private readonly Dictionary<ConvKey, (string Name, ConvLayer Layer)> _convolutions = [];
    private readonly List<(GraphNode Node, BatchNorm2d Norm)> _norms = [];
    private readonly List<GraphStep> _steps = [];

    /// <param name="owner">The network, in which the layers are registered.</param>
    public GraphLayers(nn.Module owner, GraphCut cut, GraphNames names)
    {
        (_owner, _cut, _names) = (owner, cut, names);
        ILookup<string, GraphNode> users = cut.Nodes.SelectMany(n => n.Inputs.Distinct().Select(name => (name, n)))
            .ToLookup(p => p.name, p => p.n);
        ILookup<ConvKey, GraphNode> sharing = cut.Nodes.Where(n => ConvKey.Of(n, cut) is not null).ToLookup(n => ConvKey.Of(n, cut)!);

        // By the outcome of a convolution, the norm that nothing else stands between or beside.
        var followers = new Dictionary<string, GraphNode>(StringComparer.Ordinal);
        foreach (IGrouping<ConvKey, GraphNode> group in sharing.Where(g => g.Count() == 1))
        {
            string outcome = group.Single().Outputs[0];
            if (cut.Maps.Contains(outcome) || users[outcome].Count() != 1) continue;
            if (users[outcome].Single() is { Op: "BatchNormalization" } next && IsNorm(next) && next.Input(0) == outcome)
                followers[outcome] = next;
        }

        Dictionary<string, GraphNode> givers = cut.Nodes.SelectMany(n => n.Outputs.Where(name => name.Length > 0).Select(name => (name, n)))
            .ToDictionary(p => p.name, p => p.n);
        HashSet<GraphNode> gates = [.. cut.Nodes.Select(n => Gate(n)).OfType<GraphNode>()];
        var norms = new Dictionary<GraphNode, BatchNorm2d>();
        var before = new Dictionary<string, ConvLayer>(StringComparer.Ordinal);
        foreach ((GraphNode node, IReadOnlyList<string> done) in GraphOrder.WithLastUses(cut))
        {
            if (ConvKey.Of(node, cut) is { } key)
            {
                GraphNode? norm = followers.GetValueOrDefault(node.Outputs[0]);
                if (!_convolutions.TryGetValue(key, out (string Name, ConvLayer Layer) conv))
                {
                    conv = (names.Layer(key.Weight), key.Make(norm is null ? null : () => norms[norm]));
                    owner.register_module(conv.Name, conv.Layer);
                    _convolutions[key] = conv;
                }

                if (norm is not null) before[node.Outputs[0]] = conv.Layer;
                _steps.Add(new ConvStep(node, done, conv.Layer, conv.Name));
            }
            else if (node.Op == "BatchNormalization" && IsNorm(node))
            {
                _steps.Add(Norm(node, done, norms, before.GetValueOrDefault(node.Input(0))));
            }
            else if (Gate(node) is { } gate)
            {
                _steps.Add(new SwishStep(gate, node, done));
            }
            else if (ReluStep.Fits(node, givers.GetValueOrDefault(node.Input(0)), Uses(node.Input(0))))
            {
                _steps.Add(new ReluStep(node, done));
            }
            else if (!gates.Contains(node))
            {
                foreach (string name in node.Inputs.Where(cut.Initializers.ContainsKey)) Loose.Add(name);
                _steps.Add(new OperatorStep(node, done));
            }
        }

        foreach (string name in cut.Maps.Where(cut.Initializers.ContainsKey)) Loose.Add(name);

        // The sigmoid of a Swish that ends in a product.
        GraphNode? Gate(GraphNode product) => product.Inputs.Select(givers.GetValueOrDefault)
            .FirstOrDefault(sigmoid => sigmoid is not null && SwishStep.Fits(sigmoid, product, Uses(sigmoid.Outputs[0])));

        // A map is used by whoever asked for it too.
        int Uses(string name) => users[name].Sum(n => n.Inputs.Count(input => input == name)) + cut.Maps.Count(map => map == name);
    }

    public IReadOnlyList<GraphStep> Steps => _steps;

    /// <summary>The initialisers that no layer holds.</summary>
    public HashSet<string> Loose { get; } = new(StringComparer.Ordinal);

    /// <summary>Takes the layers' weights from the cut.</summary>
    public void Load()
    {
        foreach ((ConvKey key, (_, ConvLayer layer)) in _convolutions)
        {
            if (!layer.IsWhole) continue;
            layer.Weight.copy_(Read(key.Weight));
            layer.Bias?.copy_(Read(key.Bias));
        }

        foreach ((GraphNode node, BatchNorm2d norm) in _norms)
        {
            norm.weight!.copy_(Read(node.Input(1)));
            norm.bias!.copy_(Read(node.Input(2)));
            norm.running_mean!.copy_(Read(node.Input(3)));
            norm.running_var!.copy_(Read(node.Input(4)));
        }
    }

    private NormStep Norm(
        GraphNode node, IReadOnlyList<string> done, Dictionary<GraphNode, BatchNorm2d> norms, ConvLayer? conv)
    {
        BatchNorm2d norm = nn.BatchNorm2d(_cut.Initializers[node.Input(1)].Dims[0], node.Float("epsilon", 1e-5f), NormStep.Share);
        string name = _names.Layer(node.Input(1));
        _owner.register_module(name, norm);
        norms[node] = norm;
        _norms.Add((node, norm));
        return new NormStep(node, done, norm, conv, name);
    }

    private bool IsNorm(GraphNode node) => Enumerable.Range(1, 4).All(i => _cut.Initializers.ContainsKey(node.Input(i)));

    private Tensor Read(string name) => GraphTensors.Read(_cut.Initializers[name]);
}

/// <summary>A convolution of the form that <see cref="ConvLayer"/> has: square, the padding half the (dilated) kernel.</summary>
internal sealed record ConvKey(string Weight, string Bias, int From, int To, int Kernel, int Stride, int Groups, int Dilation)
{
    /// <summary>Of an operator; null where it is none of that form.</summary>
    public static ConvKey? Of(GraphNode node, GraphCut cut)
    {
        string weight = node.Input(1), bias = node.Input(2);
        if (node.Op != "Conv" || !cut.Initializers.TryGetValue(weight, out var stored) || stored.Dims.Count != 4) return null;
        if (bias.Length > 0 && !cut.Initializers.ContainsKey(bias)) return null;
        long[] strides = node.Ints("strides") ?? [1, 1], dilations = node.Ints("dilations") ?? [1, 1];
        long kernel = stored.Dims[2], half = kernel / 2, groups = node.Int("group", 1);
        if (kernel != stored.Dims[3] || strides[0] != strides[1] || dilations[0] != dilations[1]) return null;
        bool padded = node.Text("auto_pad", "NOTSET") switch
        {
            "VALID" => half == 0,
            "SAME_UPPER" or "SAME_LOWER" => strides[0] == 1 && kernel % 2 == 1,
            _ => (node.Ints("pads") ?? [0, 0, 0, 0]).All(p => p == half * dilations[0]),
        };
        return padded ? new ConvKey(weight, bias, (int)(stored.Dims[1] * groups), (int)stored.Dims[0], (int)kernel, (int)strides[0],
            (int)groups, (int)dilations[0]) : null;
    }

    /// <summary>The layer.</summary>
    /// <param name="norm">Gives the batch normalisation behind it; or none.</param>
    public ConvLayer Make(Func<BatchNorm2d>? norm)
        => new(From, To, Kernel, Stride, Groups, Bias.Length > 0, nn.init.FanInOut.FanOut, Dilation) { NormSource = norm };
}
