using System.Text.Json.Serialization;
using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Detectors.Weights;

namespace Microsoft.ML.Distillation;

/// <summary>
/// The network that turns an image into feature maps. Take one of the static members and change it with <c>with</c>:
/// <c>Backbone.ResNet18 with { Stages = 3 }</c> is ResNet-18 without its last stage,
/// <c>Backbone.ResNet50 with { FpnChannels = 128 }</c> has a feature pyramid on top.
/// </summary>
public sealed record Backbone
{
    [JsonConstructor]
    private Backbone()
    {
    }

    /// <summary>The family.</summary>
    [JsonInclude]
    public BackboneKind Kind { get; private init; }

    /// <summary>The channels of the convolutions of a plain backbone; empty for the other families.</summary>
    [JsonInclude]
    public IReadOnlyList<int> Widths { get; private init; } = [];

    /// <summary>
    /// How many of the network's stages to use: 1 to 4 for ResNet and MobileNetV3, 1 to 3 for ShuffleNetV2, 1 to 5 for AlexNet and the
    /// VGGs, 1 to the number of convolutions
    /// for a plain one, and of an ONNX graph 1 to the number of <see cref="Maps"/>, finest first. <see langword="null"/>: all.
    /// </summary>
    public int? Stages { get; init; }

    /// <summary>
    /// The most pixels of the input that one cell of the deepest map may stand for: 4, 8, 16 or 32. Stages that would go
    /// beyond it keep the resolution of the stage before. <see langword="null"/>: for a single map, chosen from the size of
    /// the training boxes; with a feature pyramid, and for AlexNet and the VGGs, the network's own. An ONNX graph keeps its strides:
    /// it ends in the maps that are no coarser, or in its finest ones where all are.
    /// </summary>
    public int? OutputStride { get; init; }

    /// <summary>
    /// Whether layers behind a stride that <see cref="OutputStride"/> drops are dilated in its place, so that pre-trained filters
    /// see the scale that they have learned; the multiplications stay the same. Not for an ONNX graph, which keeps its strides.
    /// <see langword="null"/>: no.
    /// </summary>
    public bool? Dilates { get; init; }

    /// <summary>
    /// The channels of a feature pyramid (Lin et al. 2017) over the last map of each resolution from stride 8 on.
    /// <see langword="null"/>: no pyramid, the deepest map alone is used.
    /// </summary>
    public int? FpnChannels { get; init; }

    /// <summary>
    /// Where the parameters come from when a detector is built to be trained: <see cref="PretrainedWeights.Auto"/> by default,
    /// <see cref="PretrainedWeights.ImageNet"/>, <see cref="PretrainedWeights.None"/>, or a file, also as its path alone. An ONNX graph
    /// brings its own, unless it is to start from <see cref="PretrainedWeights.None"/>. Not kept in the detector's model, which has
    /// parameters of its own.
    /// </summary>
    [JsonIgnore]
    public PretrainedWeights Weights { get; init; } = PretrainedWeights.Auto;

    /// <summary>
    /// Takes the layers of the backbone, and those of the head, apart into smaller ones when a detector is built to be trained.
    /// </summary>
    [JsonIgnore]
    public CompressionOptions? Compression { get; init; }

    /// <summary>The graph of <see cref="FromOnnx"/>.</summary>
    [JsonInclude]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    internal BackboneGraph? Graph { get; private init; }

    /// <summary>
    /// The tensors of an ONNX graph that are the feature maps, finest first, by whose names losses on maps find them; empty for the
    /// other families.
    /// </summary>
    [JsonIgnore]
    public IReadOnlyList<string> Maps => Graph?.Maps ?? [];

    /// <summary>What an ONNX graph wants to see; <see langword="null"/> for the other families.</summary>
    [JsonIgnore]
    public OnnxPreprocessing? Preprocessing => Graph?.Preprocessing;

    /// <summary>ShuffleNetV2 ×0.5: 342 thousand parameters up to its last stage.</summary>
    public static Backbone ShuffleNetV2_x0_5 { get; } = new() { Kind = BackboneKind.ShuffleNetV2_x0_5 };

    /// <summary>ShuffleNetV2 ×1.0.</summary>
    public static Backbone ShuffleNetV2_x1_0 { get; } = new() { Kind = BackboneKind.ShuffleNetV2_x1_0 };

    /// <summary>ResNet-18: 11.2 million parameters, 2.8 million without its last stage.</summary>
    public static Backbone ResNet18 { get; } = new() { Kind = BackboneKind.ResNet18 };

    /// <summary>ResNet-34: 21.3 million parameters, 8.2 million without its last stage.</summary>
    public static Backbone ResNet34 { get; } = new() { Kind = BackboneKind.ResNet34 };

    /// <summary>ResNet-50: 23.5 million parameters, 8.5 million without its last stage.</summary>
    public static Backbone ResNet50 { get; } = new() { Kind = BackboneKind.ResNet50 };

    /// <summary>MobileNetV3-Small: 0.9 million parameters up to its last block.</summary>
    public static Backbone MobileNetV3Small { get; } = new() { Kind = BackboneKind.MobileNetV3Small };

    /// <summary>MobileNetV3-Large: 2.8 million parameters up to its last block.</summary>
    public static Backbone MobileNetV3Large { get; } = new() { Kind = BackboneKind.MobileNetV3Large };

    /// <summary>
    /// AlexNet (torchvision's: Krizhevsky's second version) in the classic form of Faster R-CNN: convolutions up to conv5 at
    /// stride 16, regions of 6×6, and fc6 and fc7 as the head; with 20 classes 58 million parameters.
    /// </summary>
    public static Backbone AlexNet { get; } = new() { Kind = BackboneKind.AlexNet };

    /// <summary>
    /// AlexNet with its layers taken apart by Tucker decomposition, as in Chen et al. 2017: <see cref="AlexNet"/> with
    /// <see cref="Compression"/>.
    /// </summary>
    /// <param name="flopsShare">The multiplications that remain, as a share, above 0 and up to 1.</param>
    /// <param name="headFlopsShare">
    /// Those that remain of fc6 and fc7; <see langword="null"/>: <paramref name="flopsShare"/>. They hold most of the parameters: the
    /// paper's 11 million at a share of 0.375 ask for about 0.17 here.
    /// </param>
    /// <exception cref="ArgumentException">A share is out of range.</exception>
    public static Backbone TuckerAlexNet(double flopsShare, double? headFlopsShare = null)
    {
        var options = new CompressionOptions { FlopsShare = flopsShare, HeadFlopsShare = headFlopsShare };
        options.Validate();
        return AlexNet with { Compression = options };
    }

    /// <summary>VGG-M with fc7 of 1024, in the classic form as <see cref="AlexNet"/>; with 20 classes 87 million parameters.</summary>
    public static Backbone VggM { get; } = new() { Kind = BackboneKind.VggM };

    /// <summary>VGG16 in the classic form as <see cref="AlexNet"/>, with regions of 7×7; with 20 classes 136 million parameters.</summary>
    public static Backbone Vgg16 { get; } = new() { Kind = BackboneKind.Vgg16 };

    /// <summary>
    /// A few 3×3 convolutions, each with batch normalisation and ReLU. The first three halve the resolution, so the map of
    /// three or more has stride 8.
    /// </summary>
    /// <param name="widths">The channels of each convolution, for example 8, 16, 24, 32.</param>
    /// <exception cref="ArgumentException">There are no widths, or one is below 1.</exception>
    public static Backbone Plain(params int[] widths)
    {
        ArgumentNullException.ThrowIfNull(widths);
        if (widths.Length == 0 || widths.Any(w => w < 1))
            throw new ArgumentException("A plain backbone needs at least one convolution, each of at least one channel.", nameof(widths));
        return new Backbone { Kind = BackboneKind.Plain, Widths = [.. widths] };
    }

    /// <summary>
    /// A network that someone published as ONNX, classifier or detector: the part between its image and some of its tensors becomes a
    /// backbone that trains, is exported and reloaded like those of this library. Its parameters start as they are in the file; batch
    /// normalisations that an exporter has folded into convolutions stay folded.
    /// </summary>
    /// <remarks>
    /// The file is read here, and what the network computes is held to what ONNX Runtime computes; the file is not needed again,
    /// neither by a model nor by a checkpoint. Graphs that were made for one size of image run on others where nothing in them spells
    /// the size out.
    /// </remarks>
    /// <param name="path">The .onnx file.</param>
    /// <param name="maps">
    /// The tensors that become feature maps, each [N, channels, height, width] (or with the channels last), in any order: one for a
    /// single map, several strides for a pyramid or a one-stage detector. They need not be outputs of the graph, and what lies behind
    /// them, such as a head, is left out. <see langword="null"/>: where the stages of the strides 8, 16 and 32 end.
    /// </param>
    /// <param name="preprocessing">
    /// What the network wants to see, of which the colours count alone (<see cref="OnnxPreprocessing.Channels"/>,
    /// <see cref="OnnxPreprocessing.Scale"/>, <see cref="OnnxPreprocessing.Mean"/>,
    /// <see cref="OnnxPreprocessing.StandardDeviation"/>): images are stretched into the detector's input as for any backbone.
    /// <see langword="null"/>: <see cref="OnnxPreprocessing.ImageNet"/>.
    /// </param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">It is no ONNX model.</exception>
    /// <exception cref="ArgumentException">
    /// The graph has no tensor of a name, one is no map of the image, or the preprocessing cannot be.
    /// </exception>
    /// <exception cref="NotSupportedException">
    /// An operator between the image and a map is not known; the message names it, and tensors before it.
    /// </exception>
    /// <exception cref="InvalidOperationException">
    /// The network does not compute what ONNX Runtime computes; the message says where they part.
    /// </exception>
    public static Backbone FromOnnx(string path, IReadOnlyList<string>? maps = null, OnnxPreprocessing? preprocessing = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (maps is not null && (maps.Count == 0 || maps.Any(string.IsNullOrEmpty) || maps.Distinct().Count() < maps.Count))
            throw new ArgumentException("The maps are one or more names of tensors, each named once.", nameof(maps));
        preprocessing ??= OnnxPreprocessing.ImageNet;
        preprocessing.Validate();
        return new Backbone { Kind = BackboneKind.Onnx, Graph = BackboneGraph.Load(path, maps, preprocessing) };
    }

    /// <summary>What an ONNX graph's parameters start from; null where they are random, and for the other families.</summary>
    internal WeightsOrigin? GraphOrigin => Weights.Choice == WeightsChoice.None ? null : Graph?.Origin;

    /// <summary>The largest stride of a map where nothing asks for a smaller one.</summary>
    internal int LargestStride => OutputStride ?? (Graph is null ? 32 : BackboneGraph.LargestStride);

    /// <summary>The stages that there are.</summary>
    internal int AllStages => Kind switch
    {
        BackboneKind.Onnx => Maps.Count,
        BackboneKind.Plain => Widths.Count,
        BackboneKind.ShuffleNetV2_x0_5 or BackboneKind.ShuffleNetV2_x1_0 => 3,
        _ => ClassicShape.Of(Kind)?.Stages ?? 4,
    };

    /// <summary>
    /// Throws an <see cref="ArgumentException"/> (for a missing file a <see cref="FileNotFoundException"/>) that names the first setting
    /// that cannot be.
    /// </summary>
    internal void Validate()
    {
        if (Stages is int stages && (stages < 1 || stages > AllStages))
        {
            string what = Graph is null ? $"{Kind}" : "an ONNX graph, the number of its maps,";
            throw new ArgumentException($"{nameof(Backbone)}.{nameof(Stages)} of {what} is from 1 to {AllStages}, not {stages}.");
        }

        if (OutputStride is not (null or 4 or 8 or 16 or 32))
            throw new ArgumentException($"{nameof(Backbone)}.{nameof(OutputStride)} is 4, 8, 16 or 32, not {OutputStride}.");
        if (FpnChannels < 1)
            throw new ArgumentException($"{nameof(Backbone)}.{nameof(FpnChannels)} is at least 1, not {FpnChannels}.");
        Compression?.Validate();
        if (Weights is null) throw new ArgumentException($"{nameof(Backbone)}.{nameof(Weights)} is not set.");
        if (Graph is not null && Dilates == true)
            throw new ArgumentException($"{nameof(Backbone)}.{nameof(Dilates)} is not for an ONNX graph, which keeps its strides.");
        if (Graph is not null && Weights.Choice is (WeightsChoice.ImageNet or WeightsChoice.File))
            throw new ArgumentException($"{nameof(Backbone)}.{nameof(Weights)} is not for an ONNX graph, which brings its own: it takes "
                + $"{nameof(PretrainedWeights.Auto)} or {nameof(PretrainedWeights.None)}.");
        if (Weights.Choice == WeightsChoice.ImageNet && PublishedWeights.Of(this) is null) throw StartingWeights.NotPublished(this);
        if (Weights.Path is { } path && !File.Exists(path))
            throw new FileNotFoundException($"{nameof(Backbone)}.{nameof(Weights)}: there is no file '{path}'.", path);
    }
}

/// <summary>The families of backbone networks.</summary>
public enum BackboneKind
{
    /// <summary>A few 3×3 convolutions.</summary>
    Plain,

    /// <summary>ShuffleNetV2 (Ma et al. 2018) at half width.</summary>
    ShuffleNetV2_x0_5,

    /// <summary>ShuffleNetV2 (Ma et al. 2018).</summary>
    ShuffleNetV2_x1_0,

    /// <summary>ResNet-18 (He et al. 2015).</summary>
    ResNet18,

    /// <summary>ResNet-34 (He et al. 2015).</summary>
    ResNet34,

    /// <summary>ResNet-50 (He et al. 2015).</summary>
    ResNet50,

    /// <summary>MobileNetV3-Small (Howard et al. 2019).</summary>
    MobileNetV3Small,

    /// <summary>MobileNetV3-Large (Howard et al. 2019).</summary>
    MobileNetV3Large,

    /// <summary>AlexNet (Krizhevsky et al. 2012).</summary>
    AlexNet,

    /// <summary>VGG-M, CNN-M-1024 (Chatfield et al. 2014).</summary>
    VggM,

    /// <summary>VGG16 (Simonyan and Zisserman 2014).</summary>
    Vgg16,

    /// <summary>An ONNX graph of anyone's (<see cref="Backbone.FromOnnx"/>).</summary>
    Onnx,
}
