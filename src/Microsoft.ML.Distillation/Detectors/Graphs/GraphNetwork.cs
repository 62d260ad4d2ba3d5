using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Distributed;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Graphs;

/// <summary>
/// A part of an ONNX graph as a network that trains. Its state dict has the names of the graph's initialisers, in letters, digits and
/// underscores.
/// </summary>
internal sealed class GraphNetwork : BackboneNetwork, ISharedLayer
{
    private readonly IReadOnlyList<GraphStep> _steps;
    private readonly GraphLayers _layers;
    private readonly IReadOnlyList<GraphMap> _maps;

    // The initialisers that no layer holds: constants, and names of parameters.
    private readonly Dictionary<string, Constant> _constants = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _learned = new(StringComparer.Ordinal);

    /// <summary>The network with fresh layers; <see cref="ConvLayer.MakeAll"/> gives its convolutions weights.</summary>
    /// <param name="height">The height of images, in pixels.</param>
    /// <param name="width">The width of images, in pixels.</param>
    /// <exception cref="ArgumentException">The graph cannot run on images of that size, or a tensor is no map of it.</exception>
    public GraphNetwork(GraphCut cut, int height, int width)
        : base(nameof(GraphNetwork))
    {
        Cut = cut;
        _maps = FindMaps(cut, height, width);
        var names = new GraphNames();
        _layers = new GraphLayers(this, cut, names);
        _steps = _layers.Steps;
        foreach (string name in cut.Initializers.Keys.Order(StringComparer.Ordinal).Where(_layers.Loose.Contains))
        {
            string safe = names.Of(name);
            TensorProto stored = cut.Initializers[name];
            if (cut.Learned.Contains(name))
            {
                register_parameter(safe, new Parameter(FreshParameters.Of(name, cut)));
                _learned[name] = safe;
            }
            else
            {
                using DisposeScope scope = NewDisposeScope();
                register_module(safe, _constants[name] = new Constant(GraphTensors.Read(stored)));
            }
        }
    }

    /// <summary>What it was made of.</summary>
    public GraphCut Cut { get; }

    /// <summary>What it is and how it trains, for the log.</summary>
    public string Description => $"The backbone is the graph of '{Path.GetFileName(Cut.Source)}' up to "
        + $"{string.Join(", ", Cut.Maps.Select(name => $"'{name}'"))}; "
        + (Cut.HasFoldedNorms
            ? "its batch normalisations have been folded into its convolutions, and it trains as it is, without any"
            : $"its {Cut.Nodes.Count(node => node.Op == "BatchNormalization")} batch normalisations follow the batches");

    /// <inheritdoc/>
    public RankGroup SharedBy { get; set; } = RankGroup.Alone;

    public override IReadOnlyList<FeatureMap> Maps => [.. _maps.Select(m => m.Map)];

    /// <summary>The network of a cut, with its weights where the cut has them, otherwise with random ones.</summary>
    /// <param name="ranks">
    /// For the convolutions that are in parts, by their names in the network's state dict, the channels in the middle.
    /// </param>
    /// <inheritdoc cref="GraphNetwork(GraphCut, int, int)" path="/exception"/>
    public static GraphNetwork Create(GraphCut cut, int height, int width, IReadOnlyDictionary<string, IReadOnlyList<int>>? ranks = null)
    {
        var network = new GraphNetwork(cut, height, width);
        ConvLayer.MakeAll(network, ranks);
        if (cut.HasValues) network.LoadWeights();
        return network;
    }

    public override IReadOnlyList<Tensor> Run(Tensor images)
    {
        using DisposeScope scope = NewDisposeScope();
        var run = new GraphRun(name => Known(name, images.dtype), images.device, images.dtype) { SharedBy = SharedBy };
        run[Cut.Input.Name] = GraphValue.Of(Cut.Input.ChannelsLast ? images.permute(0, 2, 3, 1) : images.alias());
        foreach (GraphStep step in _steps) step.Run(run);
        return [.. _maps.Select(map => (map.ChannelsLast ? run[map.Name].Tensor.permute(0, 3, 1, 2) : run[map.Name].Tensor.alias())
            .MoveToOuterDisposeScope())];
    }

    public override IReadOnlyList<string> Write(GraphBuilder graph, string images, string name)
    {
        var writer = new GraphWriter(graph, name, Cut,
            value => _learned.TryGetValue(value, out string? part) ? (part, get_parameter(part)!) : null);
        writer[Cut.Input.Name] = Cut.Input.ChannelsLast ? graph.Add("Transpose", [images], ("perm", new long[] { 0, 2, 3, 1 })) : images;
        foreach (GraphStep step in _steps) step.Write(writer);
        return [.. _maps.Select(map => map.ChannelsLast ? graph.Add("Transpose", [writer[map.Name]], ("perm", new long[] { 0, 3, 1, 2 }))
            : writer[map.Name])];
    }

    /// <summary>Takes the weights of the cut; layers in parts are left as they are.</summary>
    public void LoadWeights()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        foreach ((string name, string part) in _learned) get_parameter(part)!.copy_(GraphTensors.Read(Cut.Initializers[name]));
        _layers.Load();
    }

    /// <summary>The maps of a cut for images of a size, in its order.</summary>
    /// <inheritdoc cref="GraphNetwork(GraphCut, int, int)" path="/exception"/>
    public static IReadOnlyList<GraphMap> FindMaps(GraphCut cut, int height, int width)
    {
        if (cut.Bound is not null && (height != cut.Size.Height || width != cut.Size.Width)) throw new ArgumentException(
            $"The graph of '{cut.Source}' takes images of {cut.Size.Width}×{cut.Size.Height} pixels alone, not of {width}×{height}: "
            + $"{cut.Bound} spells out sizes that cannot be told from others. Export it for that size, or cut before it.");
        try
        {
            Dictionary<string, long[]> shapes = GraphShapes.Of(cut, 1, height, width);
            return [.. cut.Maps.Select(name => GraphMap.Of(name, shapes[name], height, width) ?? throw new ArgumentException(
                $"The tensor '{name}' of '{cut.Source}' is no map of an image of {width}×{height} pixels: its shape is "
                + $"[{string.Join(',', shapes[name])}]."))];
        }
        catch (GraphRunException e)
        {
            string own = cut.Input is { Height: { } h, Width: { } w } ? $" It was made for {w}×{h}." : "";
            throw new ArgumentException(
                $"The graph of '{cut.Source}' does not run on images of {width}×{height} pixels.{own} {e.Message}", e);
        }
    }

    private GraphValue? Known(string name, ScalarType type)
        => _learned.TryGetValue(name, out string? part) ? GraphValue.Of(get_parameter(part)!.As(type))
        : _constants.TryGetValue(name, out Constant? constant) ? GraphValue.Of(constant) : null;
}
