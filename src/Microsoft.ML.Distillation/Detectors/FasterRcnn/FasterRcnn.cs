using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>
/// A two-stage detector (Ren et al., "Faster R-CNN", 2015). The parts of a training step are apart, so that the objective
/// reads as the algorithm and a teacher can be asked about a student's boxes: features, RPN, sampled anchors, proposals,
/// sampled proposals, head. Boxes in here are x0 y0 x1 y1 in pixels of the input.
/// </summary>
internal sealed class FasterRcnn : Detector
{
    private readonly BackboneNetwork _backbone;
    private readonly FeaturePyramid? _pyramid;
    private readonly RpnHead _rpn;
    private readonly BoxHead _head;
    private readonly IReadOnlyList<int> _levels;
    private readonly IReadOnlyList<FeatureMap> _maps;
    private readonly IReadOnlyList<string> _sources;
    private readonly RegionPooling _pooling;
    private readonly ProposalSelector _proposals;
    private readonly DetectionSelector _detections;
    private readonly TargetSampler _targets;

    public FasterRcnn(FasterRcnnConfig config)
        : base(nameof(FasterRcnn))
    {
        Config = config;
        _backbone = BackboneNetwork.Create(config.Backbone, config.OutputStride);
        _levels = BackboneNetwork.Levels(config.Backbone, _backbone.Maps);
        FeatureMap[] used = [.. _levels.Select(l => _backbone.Maps[l])];
        int channels = used[^1].Channels;
        if (config.Backbone.FpnChannels is int width)
        {
            _pyramid = new FeaturePyramid(used.Select(m => m.Channels), width);
            channels = width;
            used = [.. used.Select((m, i) => new FeatureMap($"fpn{i}", width, m.Stride))];
        }

        _maps = _pyramid is null ? _backbone.Maps : [.. _backbone.Maps, .. used];
        _sources = [.. used.Select(m => m.Name)];
        (float[] anchors, List<(int, int)> ranges, int perCell) = AnchorLayout.Of(config, used);
        int regressors = config.ClassAgnosticBoxes ? 1 : config.ClassNames.Count;
        _rpn = new RpnHead(channels, config.RpnChannels, perCell);
        _head = new BoxHead(
            channels * config.RoiSize * config.RoiSize, config.HeadWidth, config.HeadLayers, config.ClassNames.Count, regressors);
        _pooling = new RegionPooling(new RoiAlign(config.RoiSize, config.AlignedRois), [.. used.Select(m => m.Stride)]);
        _proposals = new ProposalSelector(config, anchors, ranges);
        _detections = new DetectionSelector(config);
        _targets = new TargetSampler(config, anchors);

        register_module("backbone", _backbone);
        if (_pyramid is not null) register_module("fpn", _pyramid);
        register_module("rpn", _rpn);
        register_module("head", _head);
        register_buffer("anchors", TensorArrays.Boxes(anchors, CPU), persistent: false);
        register_buffer("pixel_scale", tensor(PixelNormalisation.Scale, [1, 3, 1, 1]), persistent: false);
        register_buffer("pixel_shift", tensor(PixelNormalisation.Shift, [1, 3, 1, 1]), persistent: false);
    }

    /// <summary>The coding of the RPN's deltas.</summary>
    public static BoxCoder RpnCoder => BoxCoder.Unit;

    /// <summary>The coding of the head's deltas.</summary>
    public static BoxCoder HeadCoder => BoxCoder.Head;

    /// <summary>Everything that defines the network but its weights.</summary>
    public FasterRcnnConfig Config { get; }

    /// <summary>The anchors [A,4], in pixels of the input, the same for every image.</summary>
    public Tensor Anchors => get_buffer("anchors")!;

    /// <inheritdoc/>
    public override ImageSize InputSize => Config.InputSize;

    /// <inheritdoc/>
    public override IReadOnlyList<string> ClassNames => Config.ClassNames;

    /// <inheritdoc/>
    public override IReadOnlyList<(string Name, int Channels)> FeatureMaps => [.. _maps.Select(m => (m.Name, m.Channels))];

    /// <summary>The names of the maps that RPN and head look at, finest first.</summary>
    public IReadOnlyList<string> SourceMaps => _sources;

    /// <inheritdoc/>
    public override string Describe() => Config.ToJson();

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> Features(Tensor images)
    {
        Require(images);
        using DisposeScope scope = NewDisposeScope();
        Tensor normalised = (images * get_buffer("pixel_scale")!).add_(get_buffer("pixel_shift")!);
        IReadOnlyList<Tensor> maps = _backbone.Run(ChannelsLast(normalised));
        var features = new Dictionary<string, Tensor>();
        for (int i = 0; i < maps.Count; i++) features[_backbone.Maps[i].Name] = maps[i].MoveToOuterDisposeScope();
        if (_pyramid is null) return features;
        IReadOnlyList<Tensor> pyramid = _pyramid.Run([.. _levels.Select(l => maps[l])]);
        for (int i = 0; i < pyramid.Count; i++) features[_sources[i]] = pyramid[i].MoveToOuterDisposeScope();
        return features;
    }

    /// <summary>The RPN's answer for every anchor.</summary>
    public RpnOutput Rpn(IReadOnlyDictionary<string, Tensor> features) => _rpn.Run(Sources(features));

    /// <summary>The proposals of each image, [P_i,4] in pixels, best first, without gradient.</summary>
    public IReadOnlyList<Tensor> Propose(RpnOutput rpn, bool training)
        => [.. ProposeRows(rpn, training).Select(rows => TensorArrays.Boxes(rows, rpn.Deltas.device))];

    /// <summary>The head's answer for regions.</summary>
    /// <param name="boxes">For each image [R_i,4] in pixels.</param>
    public HeadOutput Head(IReadOnlyDictionary<string, Tensor> features, IReadOnlyList<Tensor> boxes)
    {
        using Tensor regions = _pooling.Pool(Sources(features), boxes);
        return _head.Run(regions);
    }

    /// <summary>Draws the anchors to learn from.</summary>
    /// <param name="objects">For each image [G_i,4] in pixels.</param>
    public RpnTargets SampleAnchors(IReadOnlyList<Tensor> objects) => _targets.SampleAnchors(objects, Anchors.device);

    /// <summary>Draws the proposals to learn from; the objects themselves are among the candidates.</summary>
    /// <param name="proposals">For each image [P_i,4] in pixels, from <see cref="Propose"/>.</param>
    /// <param name="objects">For each image [G_i,4] in pixels.</param>
    /// <param name="labels">For each image [G_i] int64, 0-based indices into <see cref="ClassNames"/>, without background.</param>
    public RoiTargets SampleProposals(IReadOnlyList<Tensor> proposals, IReadOnlyList<Tensor> objects, IReadOnlyList<Tensor> labels)
        => _targets.SampleProposals(proposals, objects, labels, Anchors.device);

    /// <inheritdoc/>
    public override IReadOnlyList<Detections> Detect(Tensor images)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        IReadOnlyDictionary<string, Tensor> features = Features(images);
        float[][] proposals = ProposeRows(Rpn(features), training: false);
        HeadOutput head = Head(features, [.. proposals.Select(p => TensorArrays.Boxes(p, images.device))]);
        float[] probabilities = TensorArrays.Floats(head.ClassLogits.softmax(1)), deltas = TensorArrays.Floats(head.Deltas);

        var detections = new List<Detections>();
        int start = 0, classes = ClassNames.Count + 1, step = 4 * (Config.ClassAgnosticBoxes ? 1 : ClassNames.Count);
        foreach (float[] boxes in proposals)
        {
            int count = boxes.Length / 4;
            detections.Add(_detections.Select(
                boxes, probabilities.AsSpan(start * classes, count * classes), deltas.AsSpan(start * step, count * step)));
            start += count;
        }

        return detections;
    }

    /// <inheritdoc/>
    public override DetectionValues Write(GraphBuilder graph, string images)
        => throw new NotSupportedException();

    /// <summary>
    /// The same images with the channels next to each other in memory; the layers keep that order. Convolutions are faster so, and
    /// on CPUs with AVX-512 right: libtorch's oneDNN (3.7) pads channels to a multiple of 16 in the other order, and leaves
    /// garbage in the padding of 3×3 convolutions, which makes NaN of it where the garbage is no number.
    /// </summary>
    private static Tensor ChannelsLast(Tensor images) => images.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);

    private float[][] ProposeRows(RpnOutput rpn, bool training)
    {
        int images = (int)rpn.Objectness.shape[0], anchors = (int)rpn.Objectness.shape[1];
        float[] objectness = TensorArrays.Floats(rpn.Objectness), deltas = TensorArrays.Floats(rpn.Deltas);
        var proposals = new float[images][];
        for (int n = 0; n < images; n++)
            proposals[n] = _proposals.Select(objectness.AsSpan(n * anchors, anchors), deltas.AsSpan(4 * n * anchors, 4 * anchors), training);
        return proposals;
    }

    private Tensor[] Sources(IReadOnlyDictionary<string, Tensor> features) => [.. _sources.Select(name => features[name])];

    private void Require(Tensor images)
    {
        long[] shape = images.shape;
        if (shape.Length == 4 && shape[1] == 3 && shape[2] == InputSize.Height && shape[3] == InputSize.Width) return;
        throw new ArgumentException(
            $"The detector takes images of [N,3,{InputSize.Height},{InputSize.Width}], not [{string.Join(',', shape)}].", nameof(images));
    }
}
