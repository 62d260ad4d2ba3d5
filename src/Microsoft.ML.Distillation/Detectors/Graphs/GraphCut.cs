using System.Globalization;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;

namespace Microsoft.ML.Distillation.Detectors.Graphs;

/// <summary>
/// The part of an ONNX graph between its image and some of its tensors, in the form that <see cref="GraphNetwork"/> runs: operators of
/// one version, constants computed, sizes relative to the image's where that can be told.
/// </summary>
internal sealed class GraphCut
{
    private const string LearnedKey = "learned", SizeKey = "size", BoundKey = "bound";

    private GraphCut(string source, GraphInput input, IReadOnlyList<string> maps, IReadOnlyList<GraphNode> nodes,
        IReadOnlyDictionary<string, TensorProto> initializers, IReadOnlySet<string> learned)
    {
        (Source, Input, Maps, Nodes, Initializers, Learned) = (source, input, maps, nodes, initializers, learned);
    }

    /// <summary>Where the graph comes from, for messages.</summary>
    public string Source { get; }

    /// <summary>The image.</summary>
    public GraphInput Input { get; }

    /// <summary>The tensors that the cut ends in, as they were named.</summary>
    public IReadOnlyList<string> Maps { get; }

    /// <summary>The operators in the order in which they run.</summary>
    public IReadOnlyList<GraphNode> Nodes { get; }

    /// <summary>The constants and parameters by name. A parameter may be without its values, see <see cref="HasValues"/>.</summary>
    public IReadOnlyDictionary<string, TensorProto> Initializers { get; }

    /// <summary>The parameters, and the statistics of batch normalisations, among <see cref="Initializers"/>.</summary>
    public IReadOnlySet<string> Learned { get; }

    /// <summary>An operator that binds the graph to <see cref="Size"/>; null where none is known.</summary>
    public string? Bound { get; private init; }

    /// <summary>Whether the values of the parameters are there, not their shapes alone.</summary>
    public bool HasValues => Learned.All(name => GraphTensors.HasData(Initializers[name]));

    /// <summary>Whether convolutions have biases and nothing is batch normalisation: an exporter has folded it into them.</summary>
    public bool HasFoldedNorms => Nodes.All(n => n.Op != "BatchNormalization") && Nodes.Any(n => n.Op == "Conv" && n.Input(2).Length > 0);

    /// <summary>The size that the graph was made for, or a usual one where it takes any.</summary>
    public ImageSize Size => new(Input.Width ?? GraphInput.DefaultSize, Input.Height ?? GraphInput.DefaultSize);

    /// <summary>Cuts a file's graph, and holds the cut to what ONNX Runtime answers.</summary>
    /// <inheritdoc cref="Import"/>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static GraphCut Load(string path, IReadOnlyList<string>? maps = null) => OnnxModelFile.LoadAll(path) is [var only]
        ? Import(only.Model, path, maps)
        : throw new FormatException($"'{path}' holds more than one graph, or none.");

    /// <summary>Cuts a graph.</summary>
    /// <param name="source">Where it comes from, for messages.</param>
    /// <param name="maps">The tensors to end in; null for those of <see cref="GraphSuggestion"/>.</param>
    /// <exception cref="ArgumentException">The graph has no tensor of a name.</exception>
    /// <exception cref="NotSupportedException">The graph has no image input, or an operator that is not known.</exception>
    /// <exception cref="FormatException">It is no graph as ONNX defines it.</exception>
    public static GraphCut From(ModelProto model, string source, IReadOnlyList<string>? maps = null)
    {
        maps ??= Suggest(model, source);
        GraphReach reach = GraphReach.Of(model, source, maps);
        if (reach.Image.Type?.TensorType?.Shape?.Dim is [{ DimValue: > 1 } batch, ..]) throw new NotSupportedException(
            $"The graph of '{source}' takes {batch.DimValue} images at once, no more and no fewer; export it for one, or for any number.");
        return GraphSizes.MakeRelative(FromReach(source, reach, maps));
    }

    /// <summary>Cuts a graph, and holds the cut to what ONNX Runtime answers.</summary>
    /// <inheritdoc cref="From"/>
    /// <exception cref="InvalidOperationException">The two part; see <see cref="GraphCheck.Require"/>.</exception>
    public static GraphCut Import(ModelProto model, string source, IReadOnlyList<string>? maps = null)
    {
        GraphCut cut = From(model, source, maps);
        GraphCheck.Require(cut, model);
        return cut;
    }

    /// <summary>The last tensors of the strides 8, 16 and 32, as far as the graph can be run.</summary>
    /// <inheritdoc cref="From" path="/exception"/>
    public static IReadOnlyList<string> Suggest(ModelProto model, string source) => GraphSuggestion.Of(model, source);

    /// <summary>A cut that <see cref="ToModel"/> has written.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static GraphCut FromModel(ModelProto model)
    {
        Dictionary<string, string> metadata = model.MetadataProps.ToDictionary(p => p.Key, p => p.Value);
        if (model.Graph is not { Input.Count: 1 } || !metadata.TryGetValue(LearnedKey, out string? learned)
            || !metadata.TryGetValue(SizeKey, out string? size)) throw new FormatException("The graph is no cut of a network.");
        return new GraphCut(
            model.Graph.Name,
            GraphInput.Parse(model.Graph.Input[0].Name, size),
            [.. model.Graph.Output.Select(o => o.Name)],
            [.. model.Graph.Node.Select(n => new GraphNode(n))],
            model.Graph.Initializer.ToDictionary(t => t.Name),
            learned.Split('\n', StringSplitOptions.RemoveEmptyEntries).ToHashSet())
        {
            Bound = metadata.GetValueOrDefault(BoundKey),
        };
    }

    /// <summary>The cut as a model of its own, from which <see cref="FromModel"/> makes it again.</summary>
    /// <param name="values">Whether with the parameters' values; otherwise with their shapes alone.</param>
    public ModelProto ToModel(bool values)
    {
        var graph = new GraphProto { Name = Source };
        graph.Node.AddRange(Nodes.Select(n => n.Proto));
        graph.Input.Add(new ValueInfoProto { Name = Input.Name });
        graph.Output.AddRange(Maps.Select(name => new ValueInfoProto { Name = name }));
        foreach ((string name, TensorProto tensor) in Initializers)
        {
            TensorProto stored = tensor;
            if (!values && Learned.Contains(name))
            {
                stored = new TensorProto { Name = name, DataType = (int)TensorProto.Types.DataType.Float };
                stored.Dims.AddRange(tensor.Dims);
            }

            graph.Initializer.Add(stored);
        }

        var model = new ModelProto { IrVersion = 8, Graph = graph };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = OpsetUpgrade.Version });
        model.MetadataProps.Add(new StringStringEntryProto { Key = LearnedKey, Value = string.Join('\n', Learned) });
        model.MetadataProps.Add(new StringStringEntryProto { Key = SizeKey, Value = Input.ToText() });
        if (Bound is not null) model.MetadataProps.Add(new StringStringEntryProto { Key = BoundKey, Value = Bound });
        return model;
    }

    /// <summary>The part of the cut that ends in some of its maps, in their order.</summary>
    public GraphCut To(IReadOnlyList<string> maps)
        => new GraphCut(Source, Input, maps, Nodes, Initializers, Learned).With(Nodes, Initializers, Bound);

    /// <summary>The same cut of other nodes and constants; what nothing needs is left out.</summary>
    /// <param name="bound">See <see cref="Bound"/>.</param>
    public GraphCut With(IEnumerable<GraphNode> nodes, IReadOnlyDictionary<string, TensorProto> initializers, string? bound = null)
    {
        var needed = Maps.ToHashSet();
        var kept = new List<GraphNode>();
        foreach (GraphNode node in nodes.Reverse())
        {
            if (!node.Outputs.Any(needed.Contains)) continue;
            needed.UnionWith(node.Inputs);
            kept.Add(node);
        }

        kept.Reverse();
        Dictionary<string, TensorProto> used = initializers.Where(p => needed.Contains(p.Key)).ToDictionary(p => p.Key, p => p.Value);
        return new GraphCut(Source, Input, Maps, kept, used, GraphRoles.Learned(Input.Name, kept, used))
        {
            Bound = kept.Exists(n => n.Label == bound) ? bound : null,
        };
    }

    /// <summary>The cut before its sizes are made relative.</summary>
    internal static GraphCut FromReach(string source, GraphReach reach, IReadOnlyList<string> maps)
    {
        var input = GraphInput.Of(reach, source);
        GraphEditor upgraded = OpsetUpgrade.Run(reach);
        GraphEditor folded = GraphFolding.Run(upgraded);
        return new GraphCut(source, input, maps, [], folded.Initializers, new HashSet<string>()).With(folded.Nodes, folded.Initializers);
    }
}

/// <summary>The image that a graph takes.</summary>
/// <param name="ChannelsLast">Whether it is [N,H,W,3] rather than [N,3,H,W].</param>
/// <param name="Height">In pixels; null where the graph takes any.</param>
/// <param name="Width">In pixels; null where the graph takes any.</param>
/// <param name="IsBytes">Whether its values are bytes rather than real numbers.</param>
internal sealed record GraphInput(string Name, bool ChannelsLast, int? Height, int? Width, bool IsBytes = false)
{
    /// <summary>The sides of images where a graph takes any.</summary>
    public const int DefaultSize = 224;

    // 4096 × 4096: what a network makes of an image has many times its pixels.
    private const long MostPixels = 1 << 24;

    /// <summary>Reads the shape of the one input of a graph's part.</summary>
    public static GraphInput Of(GraphReach reach, string source)
    {
        ValueInfoProto input = reach.Image;
        TypeProto.Types.Tensor? type = input.Type?.TensorType;
        if (type is not null && (TensorProto.Types.DataType)type.ElemType is not (TensorProto.Types.DataType.Float
            or TensorProto.Types.DataType.Double or TensorProto.Types.DataType.Uint8 or TensorProto.Types.DataType.Undefined))
        {
            throw new NotSupportedException($"The input '{input.Name}' of '{source}' takes numbers of the type "
                + $"{(TensorProto.Types.DataType)type.ElemType}; only images of single precision are supported.");
        }

        long[]? dims = type?.Shape is { } shape ? [.. shape.Dim.Select(d => d.DimValue)] : null;
        if (dims is null) return new GraphInput(input.Name, TakesLast(reach, input.Name), null, null);
        if (dims.Length != 4) throw new NotSupportedException(
            $"The input '{input.Name}' of '{source}' has {dims.Length} dimensions; an image has 4.");
        bool last = dims[1] != 3 && (dims[3] == 3 || (dims[1] <= 0 && TakesLast(reach, input.Name)));
        long channels = last ? dims[3] : dims[1];
        if (channels > 0 && channels != 3) throw new NotSupportedException(
            $"The input '{input.Name}' of '{source}' is of {channels} channels; images here have 3.");
        (long height, long width) = last ? (dims[1], dims[2]) : (dims[2], dims[3]);
        if (!IsBounded(height, width)) throw new NotSupportedException(string.Create(CultureInfo.InvariantCulture,
            $"The input '{input.Name}' of '{source}' takes images of {width}×{height} pixels, which is more than the "
            + $"{MostPixels:N0} that are run here; export it for smaller ones, or for any size."));
        return new GraphInput(input.Name, last, height > 0 ? (int)height : null, width > 0 ? (int)width : null,
            type!.ElemType == (int)TensorProto.Types.DataType.Uint8);
    }

    /// <summary>Reads what <see cref="ToText"/> wrote.</summary>
    public static GraphInput Parse(string name, string text)
    {
        string[] parts = text.Split(' ');
        if (parts.Length != 3) throw new FormatException("The graph is no cut of a network.");
        var input = new GraphInput(name, parts[0] == "last", Number(parts[1]), Number(parts[2]));
        return input is { Height: null or > 0, Width: null or > 0 } && IsBounded(input.Height ?? 0, input.Width ?? 0)
            ? input : throw new FormatException($"The graph takes images of {parts[2]}×{parts[1]} pixels, which is not run.");

        static int? Number(string part) => int.TryParse(part, CultureInfo.InvariantCulture, out int number) ? number : null;
    }

    /// <summary>Layout and size in one line.</summary>
    public string ToText() => string.Create(CultureInfo.InvariantCulture,
        $"{(ChannelsLast ? "last" : "first")} {Height?.ToString(CultureInfo.InvariantCulture) ?? "?"} "
        + $"{Width?.ToString(CultureInfo.InvariantCulture) ?? "?"}");

    /// <summary>Whether an image is small enough to be run; a side may be any (0).</summary>
    private static bool IsBounded(long height, long width)
        => (height > 0 ? height : DefaultSize) <= MostPixels / (width > 0 ? width : DefaultSize);

    private static bool TakesLast(GraphReach reach, string name) => reach.Nodes.Any(n => n.Op == "Transpose"
        && n.Input(0) == name && n.Ints("perm") is [0, 3, 1, 2]);
}
