using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Detectors.Quantization;
using Microsoft.ML.Distillation.Detectors.Weights;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>
/// A detector network of this library, of any family. Its state dict and <see cref="Describe"/> together are the
/// whole model: the exporter writes both into the ONNX file, from which the network can be rebuilt.
/// </summary>
internal abstract class Detector(string name) : nn.Module(name)
{
    /// <summary>The one size of image that the network takes.</summary>
    public abstract ImageSize InputSize { get; }

    /// <summary>The classes that the network knows; a label is an index into this list.</summary>
    public abstract IReadOnlyList<string> ClassNames { get; }

    /// <summary>The feature maps that can serve as hint or guided layers, in the order of depth, with their channels.</summary>
    public abstract IReadOnlyList<(string Name, int Channels)> FeatureMaps { get; }

    /// <summary>The network that makes the maps.</summary>
    public abstract BackboneNetwork Backbone { get; }

    /// <summary>Where the network's parameters are, and it computes.</summary>
    public Device Device => parameters().First().device;

    /// <summary>The bits that the layers compute with; <see langword="null"/> for full precision.</summary>
    public LowPrecision? Precision { get; private set; }

    /// <summary>
    /// What its parameters started from, before any training; <see langword="null"/> for random ones, or where it is not known.
    /// </summary>
    public WeightsOrigin? Weights { get; set; }

    /// <summary>
    /// The names in the state dict of the layers that predict classes and boxes; they stay in full precision unless they are asked for.
    /// </summary>
    public abstract IReadOnlyList<string> PredictionLayers { get; }

    /// <summary>Those of them that stayed in full precision before models said which did.</summary>
    public virtual IReadOnlyList<string> PredictionLayersOfOldModels => PredictionLayers;

    /// <summary>The layers, beside the first, that a low precision leaves as they are unless it is of all layers.</summary>
    public IReadOnlyList<string> SparedLayers { get; private set; } = [];

    /// <summary>Makes the layers compute with few bits; their weights stay as they are behind the rounded ones.</summary>
    /// <param name="spared">See <see cref="SparedLayers"/>; <see langword="null"/>: <see cref="PredictionLayers"/>.</param>
    public void LowerPrecision(LowPrecision precision, IReadOnlyList<string>? spared = null)
    {
        if (Precision is not null) throw new InvalidOperationException($"The detector is of low precision already ({Precision}).");
        SparedLayers = spared ?? PredictionLayers;
        LowPrecisionLayers.Quantize(this, precision, SparedLayers);
        Precision = precision;
    }

    /// <summary>
    /// A copy, in evaluation mode, that detects everything that this detector chooses from: overlapping boxes, weak ones, and any number.
    /// </summary>
    public Detector Unselective()
    {
        Detector copy = CreateUnselective();
        if (Precision is not null) copy.LowerPrecision(Precision, SparedLayers);
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        Dictionary<string, Tensor> values = state_dict();
        foreach ((string name, Tensor target) in copy.state_dict()) target.copy_(values[name]);
        copy.eval();
        return copy;
    }

    /// <summary>The named feature maps, each [N,C,h,w], of images [N,3,H,W] (RGB, 0 to 1) of <see cref="InputSize"/>.</summary>
    public abstract IReadOnlyDictionary<string, Tensor> Features(Tensor images);

    /// <summary>Writes what makes <see cref="Features"/> in evaluation mode into an ONNX graph.</summary>
    /// <param name="images">The value that holds the images, float [N,3,H,W], RGB, 0 to 1.</param>
    /// <returns>The values that hold the maps, by the maps' names.</returns>
    public abstract IReadOnlyDictionary<string, string> WriteFeatures(GraphBuilder graph, string images);

    /// <summary>Detects objects in images [N,3,H,W] (RGB, 0 to 1) of <see cref="InputSize"/>. Call in evaluation mode.</summary>
    public IReadOnlyList<Detections> Detect(Tensor images)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        return Detect(Features(images));
    }

    /// <summary>Detects objects by what <see cref="Features"/> gave. Call in evaluation mode.</summary>
    public abstract IReadOnlyList<Detections> Detect(IReadOnlyDictionary<string, Tensor> features);

    /// <summary>A fresh network of the same architecture that makes no choice among its boxes.</summary>
    protected abstract Detector CreateUnselective();

    /// <summary>The architecture as JSON, from which <c>DetectorFactory</c> rebuilds it.</summary>
    public abstract string Describe();

    /// <summary>
    /// Writes the network in evaluation mode into an ONNX graph.
    /// </summary>
    /// <param name="graph">The graph to write into. Parameters keep the names of the state dict.</param>
    /// <param name="images">The value that holds the image, float [1,3,H,W], RGB, 0 to 1.</param>
    /// <returns>
    /// The detections, best first: boxes float [1,K,4] in shares of the image, scores float [1,K], class ids int64 [1,K].
    /// </returns>
    public abstract DetectionValues Write(GraphBuilder graph, string images);
}

/// <summary>The names of the three values in an ONNX graph that hold a detector's answer.</summary>
internal readonly record struct DetectionValues(string Boxes, string Scores, string Classes);

/// <summary>
/// What a backbone sees of an image, written as value × scale + shift for each channel: the usual standardisation (mean and standard
/// deviation of ImageNet's pixels, values 0 to 1), or what an ONNX graph wants to see.
/// </summary>
internal sealed class PixelNormalisation : nn.Module
{
    private static readonly float[] Mean = [0.485f, 0.456f, 0.406f];
    private static readonly float[] Deviation = [0.229f, 0.224f, 0.225f];

    private readonly Constant _scale;
    private readonly Constant _shift;
    private readonly (float[] Scale, float[] Shift, bool BlueFirst) _values;

    /// <summary>The usual one.</summary>
    public PixelNormalisation()
        : this((Scale, Shift, false))
    {
    }

    /// <summary>That of a backbone.</summary>
    public PixelNormalisation(Backbone backbone)
        : this(backbone.Graph is { } graph ? Of(graph.Preprocessing) : (Scale, Shift, false))
    {
    }

    private PixelNormalisation((float[] Scale, float[] Shift, bool BlueFirst) values)
        : base(nameof(PixelNormalisation))
    {
        _values = values;
        _scale = new Constant(tensor(values.Scale, [1, 3, 1, 1]));
        _shift = new Constant(tensor(values.Shift, [1, 3, 1, 1]));
        RegisterComponents();
    }

    /// <summary>The usual one's, for red, green and blue.</summary>
    public static float[] Scale { get; } = Array.ConvertAll(Deviation, d => 1 / d);

    /// <summary>The usual one's, for red, green and blue.</summary>
    public static float[] Shift { get; } = [.. Mean.Zip(Deviation, (m, d) => -m / d)];

    /// <summary>The standardised images [N,3,H,W], of the same element type, in the order in memory that convolutions run in.</summary>
    /// <param name="images">[N,3,H,W], RGB, 0 to 1.</param>
    public Tensor Run(Tensor images)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor seen = _values.BlueFirst ? images.flip(1) : images;
        return ChannelsLast.Of(seen).mul(_scale.On(images.device)).PlusInPlace(_shift.On(images.device)).As(images)
            .MoveToOuterDisposeScope();
    }

    /// <summary>Writes it into an ONNX graph, for an image [1,3,H,W], RGB, 0 to 1.</summary>
    public string Write(GraphBuilder graph, string images)
    {
        if (_values.BlueFirst) images = graph.Add("Gather", [images, graph.Integers(2, 1, 0)], ("axis", 1));
        string scaled = graph.Add("Mul", [images, graph.Floats(_values.Scale, 1, 3, 1, 1)]);
        return graph.Add("Add", [scaled, graph.Floats(_values.Shift, 1, 3, 1, 1)]);
    }

    private static (float[] Scale, float[] Shift, bool BlueFirst) Of(OnnxPreprocessing wanted) => (
        [.. wanted.StandardDeviation.Select(deviation => 255 * wanted.Scale / deviation)],
        [.. wanted.Mean.Zip(wanted.StandardDeviation, (mean, deviation) => -mean / deviation)],
        wanted.Channels == ChannelOrder.Bgr);
}
