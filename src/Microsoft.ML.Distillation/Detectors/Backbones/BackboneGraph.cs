using System.Security.Cryptography;
using System.Text.Json.Serialization;
using Google.Protobuf;
using Microsoft.ML.Distillation.Detectors.Graphs;
using Microsoft.ML.Distillation.Detectors.Weights;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using Microsoft.ML.Distillation.Published;

namespace Microsoft.ML.Distillation.Detectors.Backbones;

/// <summary>
/// The part of an ONNX graph that a backbone is: in memory with the graph's own parameters, in a detector's description without
/// them.
/// </summary>
internal sealed record BackboneGraph
{
    /// <summary>The most bytes that a description may hold of operators and constants.</summary>
    public const int MaxBytes = 16 << 20;

    /// <summary>The largest stride of a map.</summary>
    public const int LargestStride = 128;

    private const int MaxMaps = 64;
    private const int MaxValues = 1 << 29;

    private readonly Lazy<GraphCut> _cut;
    private readonly bool _isImported;

    /// <summary>Of a description.</summary>
    /// <param name="cut">An ONNX model of operators and constants alone.</param>
    /// <param name="sha256">The hash of the file that it was cut from.</param>
    /// <exception cref="FormatException">It is too large.</exception>
    [JsonConstructor]
    public BackboneGraph(byte[] cut, OnnxPreprocessing preprocessing, string sha256)
    {
        if (cut is not { Length: <= MaxBytes })
            throw new FormatException($"The detector's description holds no graph of its backbone of at most {MaxBytes} bytes.");
        (Cut, Preprocessing, Sha256) = (cut, preprocessing, sha256);
        _cut = new Lazy<GraphCut>(() => Parse(cut));
    }

    private BackboneGraph(GraphCut cut, OnnxPreprocessing preprocessing, string sha256)
        : this(Described(cut), preprocessing, sha256) => (_cut, _isImported) = (new Lazy<GraphCut>(cut), true);

    /// <summary>The operators and constants, an ONNX model without the values of its parameters.</summary>
    public byte[] Cut { get; }

    /// <summary>What the graph wants to see.</summary>
    public OnnxPreprocessing Preprocessing { get; }

    /// <summary>The hash of the file that the graph was cut from, in hexadecimal digits.</summary>
    public string Sha256 { get; }

    /// <summary>The names of the maps, finest first, and those of one resolution in the order in which they are computed.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Maps => _cut.Value.Maps;

    /// <summary>What the maps are and why these, for the log; null of a description.</summary>
    [JsonIgnore]
    public string? MapsText { get; private init; }

    /// <summary>What the parameters are.</summary>
    [JsonIgnore]
    public WeightsOrigin Origin => new(Path.GetFileName(_cut.Value.Source), Sha256);

    /// <summary>Cuts a file's graph, and holds what it computes here to what ONNX Runtime computes.</summary>
    /// <param name="maps">The tensors to end in; <see langword="null"/>: the last of the strides 8, 16 and 32.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">It is no graph as ONNX defines it.</exception>
    /// <exception cref="NotSupportedException">The graph has no image input, or an operator that is not known.</exception>
    /// <exception cref="ArgumentException">The graph has no tensor of a name, or one is no map of the image.</exception>
    /// <exception cref="InvalidOperationException">What it computes is not what ONNX Runtime computes.</exception>
    public static BackboneGraph Load(string path, IReadOnlyList<string>? maps, OnnxPreprocessing preprocessing)
    {
        SessionLoader.CheckFile(path);
        byte[] content = File.ReadAllBytes(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(content);
        ModelProto model = OnnxModelFile.Parse(content, path).Model;
        TensorProto[] elsewhere = [.. model.Graph.Initializer.Where(t => t.DataLocation == TensorProto.Types.DataLocation.External)];
        ExternalData.Fill(model, path);
        foreach (TensorProto tensor in elsewhere) hash.AppendData(tensor.RawData.Span);
        GraphCut cut = InOrder(GraphCut.Import(model, path, maps));
        return new BackboneGraph(cut, preprocessing, Convert.ToHexStringLower(hash.GetHashAndReset()))
        {
            MapsText = TextOf(cut, maps is null ? GraphSuggestion.WhatEnds(model, path) : null, maps is null),
        };
    }

    /// <summary>The network for images of a size.</summary>
    /// <param name="stages">How many of the maps to make; <see langword="null"/>: all.</param>
    /// <param name="outputStride">The largest stride of a map; where all are larger, the finest is made.</param>
    /// <param name="input">The size of the images; <see langword="null"/>: the graph's own.</param>
    /// <param name="ranks">See <see cref="BackboneNetwork.Create"/>.</param>
    /// <param name="fresh">Whether the parameters are random though the graph's own are here.</param>
    /// <exception cref="ArgumentException">The graph does not run on images of that size, or not in whole cells.</exception>
    public BackboneNetwork Network(
        int? stages, int outputStride, ImageSize? input, IReadOnlyDictionary<string, IReadOnlyList<int>>? ranks, bool fresh = false)
    {
        GraphCut cut = fresh ? Parse(Cut) : _cut.Value;
        try
        {
            return Network(cut, stages, outputStride, input, ranks);
        }
        catch (Exception e) when (!_isImported && e is not FormatException && IsOfTheGraph(e))
        {
            throw new FormatException($"The graph of the backbone in the detector's description cannot be run: {e.Message}", e);
        }
    }

    private static GraphNetwork Network(
        GraphCut cut, int? stages, int outputStride, ImageSize? input, IReadOnlyDictionary<string, IReadOnlyList<int>>? ranks)
    {
        ImageSize size = input ?? cut.Size;
        GraphMap[] maps = [.. GraphNetwork.FindMaps(cut, size.Height, size.Width).Take(stages ?? cut.Maps.Count)];
        GraphMap[] wanted = [.. maps.Where(map => map.Stride <= outputStride)];
        if (wanted.Length == 0) wanted = [.. maps.TakeWhile(map => map.Stride == maps[0].Stride)];
        foreach (GraphMap map in wanted) CheckCells(map, size);
        return GraphNetwork.Create(cut.To([.. wanted.Select(map => map.Name)]), size.Height, size.Width, ranks);
    }

    /// <param name="end">Why the graph cannot be run to its end.</param>
    /// <param name="chosen">Whether nobody named the maps.</param>
    private static string TextOf(GraphCut cut, string? end, bool chosen)
    {
        IEnumerable<string> maps = GraphNetwork.FindMaps(cut, cut.Size.Height, cut.Size.Width)
            .Select(map => $"'{map.Name}' (stride {map.Stride}, {map.Channels} channels)");
        string text = $"Its maps are {string.Join(", ", maps)}";
        if (!chosen) return text + ", as they were named";
        return text + ": where its stages of the strides 8, 16 and 32 end, as no tensors were named"
            + (end is null ? "" : $". What comes later is left out and cannot be run: {end}");
    }

    /// <summary>Whether an error comes of what a graph says, not of this machine.</summary>
    private static bool IsOfTheGraph(Exception e)
        => e is ArgumentException or NotSupportedException or InvalidOperationException or KeyNotFoundException or IndexOutOfRangeException
            or OverflowException or GraphRunException or System.Runtime.InteropServices.ExternalException;

    private static GraphCut InOrder(GraphCut cut)
    {
        Dictionary<string, int> place = cut.Nodes.SelectMany(node => node.Outputs).Select((name, i) => (name, i))
            .Where(pair => pair.name.Length > 0).ToDictionary(pair => pair.name, pair => pair.i);
        return cut.To([.. GraphNetwork.FindMaps(cut, cut.Size.Height, cut.Size.Width)
            .OrderBy(map => map.Stride).ThenBy(map => place.GetValueOrDefault(map.Name)).Select(map => map.Name)]);
    }

    /// <summary>Detectors lay their grids as if every halving rounded up.</summary>
    private static void CheckCells(GraphMap map, ImageSize size)
    {
        if (map.Stride is < 1 or > LargestStride || (map.Stride & (map.Stride - 1)) != 0) throw new ArgumentException(
            $"The map '{map.Name}' is of stride {map.Stride}; detectors take maps of the strides 2, 4, 8 and so on.");
        (int columns, int rows) = (Cells(size.Width, map.Stride), Cells(size.Height, map.Stride));
        if ((map.Width, map.Height) == (columns, rows)) return;
        string does = map.Width <= columns && map.Height <= rows ? "loses" : map.Width >= columns && map.Height >= rows ? "adds"
            : "loses and adds";
        throw new ArgumentException(
            $"The map '{map.Name}' has {map.Width}×{map.Height} cells for an image of {size.Width}×{size.Height} pixels, and a stride of "
            + $"{map.Stride} wants {columns}×{rows}: the graph {does} cells at the borders. Cut before the layers that do, or choose "
            + "another input size.");
    }

    private static int Cells(int pixels, int stride) => (pixels + stride - 1) / stride;

    private static byte[] Described(GraphCut cut)
    {
        ModelProto model = cut.ToModel(values: false);
        // Where the file lay says something of its machine, and nothing of the network.
        model.Graph.Name = Path.GetFileName(cut.Source);
        byte[] bytes = model.ToByteArray();
        return bytes.Length <= MaxBytes ? bytes : throw new NotSupportedException(
            $"The constants of '{cut.Source}' between the image and the maps take {bytes.Length} bytes; at most {MaxBytes} can be kept in "
            + "a detector's description.");
    }

    private static GraphCut Parse(byte[] bytes)
    {
        try
        {
            GraphCut cut = GraphCut.FromModel(ModelProto.Parser.ParseFrom(bytes));
            if (cut.Maps.Count is 0 or > MaxMaps) throw new FormatException("The graph of the backbone has no maps, or too many.");
            double values = cut.Initializers.Values.Sum(tensor => tensor.Dims.Aggregate(1.0, (product, size) => product * size));
            if (!(values <= MaxValues) || cut.Initializers.Values.Any(tensor => tensor.Dims.Any(size => size < 0)))
                throw new FormatException($"The graph of the backbone has {values:0} parameters, more than {MaxValues}.");
            return cut;
        }
        catch (Exception e) when (e is InvalidProtocolBufferException || (e is not FormatException && IsOfTheGraph(e)))
        {
            throw new FormatException($"The graph of the backbone in the detector's description cannot be read: {e.Message}", e);
        }
    }
}
