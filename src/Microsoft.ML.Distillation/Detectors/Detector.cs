using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors.Quantization;
using Microsoft.ML.Distillation.Onnx;
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

    /// <summary>Where the network's parameters are, and it computes.</summary>
    public Device Device => parameters().First().device;

    /// <summary>The bits that the layers compute with; <see langword="null"/> for full precision.</summary>
    public LowPrecision? Precision { get; private set; }

    /// <summary>The names in the state dict of the layers that predict classes and boxes.</summary>
    protected virtual IReadOnlyList<string> PredictionLayers => [];

    /// <summary>Makes the layers compute with few bits; their weights stay as they are behind the rounded ones.</summary>
    public void LowerPrecision(LowPrecision precision)
    {
        if (Precision is not null) throw new InvalidOperationException($"The detector is of low precision already ({Precision}).");
        LowPrecisionLayers.Quantize(this, precision, PredictionLayers);
        Precision = precision;
    }

    /// <summary>
    /// A copy, in evaluation mode, that detects everything that this detector chooses from: overlapping boxes, weak ones, and any number.
    /// </summary>
    public Detector Unselective()
    {
        Detector copy = CreateUnselective();
        if (Precision is not null) copy.LowerPrecision(Precision);
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        Dictionary<string, Tensor> values = state_dict();
        foreach ((string name, Tensor target) in copy.state_dict()) target.copy_(values[name]);
        copy.eval();
        return copy;
    }

    /// <summary>The named feature maps, each [N,C,h,w], of images [N,3,H,W] (RGB, 0 to 1) of <see cref="InputSize"/>.</summary>
    public abstract IReadOnlyDictionary<string, Tensor> Features(Tensor images);

    /// <summary>Detects objects in images [N,3,H,W] (RGB, 0 to 1) of <see cref="InputSize"/>. Call in evaluation mode.</summary>
    public abstract IReadOnlyList<Detections> Detect(Tensor images);

    /// <summary>A fresh network of the same architecture that makes no choice among its boxes.</summary>
    protected abstract Detector CreateUnselective();

    /// <summary>The architecture as JSON, from which <c>DetectorFactory</c> rebuilds it.</summary>
    public abstract string Describe();

    /// <summary>
    /// Writes the network in evaluation mode into an ONNX graph.
    /// </summary>
    /// <param name="graph">The graph to write into. Parameters keep the names of the state dict.</param>
    /// <param name="images">The value that holds the image, float [1,3,H,W], RGB, 0 to 1.</param>
    /// <returns>The detections, best first: boxes float [1,K,4] in shares of the image, scores float [1,K], class ids int64 [1,K].</returns>
    public abstract DetectionValues Write(GraphBuilder graph, string images);
}

/// <summary>The names of the three values in an ONNX graph that hold a detector's answer.</summary>
internal readonly record struct DetectionValues(string Boxes, string Scores, string Classes);
