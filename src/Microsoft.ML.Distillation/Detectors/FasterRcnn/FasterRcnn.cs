using Microsoft.ML.Distillation.Compression;
using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>
/// A two-stage detector (Ren et al., "Faster R-CNN", 2015). The parts of a training step are apart, so that the objective
/// reads as the algorithm and a teacher can be asked about a student's boxes: features, RPN, sampled anchors, proposals,
/// sampled proposals, head. Boxes in here are x0 y0 x1 y1 in pixels of the input.
/// </summary>
internal sealed class FasterRcnn : Detector, ICompressible<FasterRcnn>
{
    private readonly BackboneNetwork backbone;
    private readonly FeaturePyramid? fpn;
    private readonly RpnHead rpn;
    private readonly BoxHead head;
    private readonly IReadOnlyList<int> _levels;
    private readonly IReadOnlyList<FeatureMap> _maps;
    private readonly IReadOnlyList<string> _sources;
    private readonly PixelNormalisation _normalisation;
    private readonly AnchorLayout _anchors;
    private readonly Constant _anchorBoxes;
    private readonly RegionPooling _pooling;
    private readonly ProposalSelector _proposals;
    private readonly DetectionSelector _detections;
    private readonly TargetSampler _targets;

    /// <param name="mostValues">The parameters that there are for it (see <see cref="DetectorFactory.FromDescription"/>).</param>
    public FasterRcnn(FasterRcnnConfig config, double mostValues = double.PositiveInfinity)
        : base(nameof(FasterRcnn))
    {
        Config = config;
        _normalisation = new PixelNormalisation(config.Backbone);
        backbone = BackboneNetwork.Create(config.Backbone, config.OutputStride,
            CompressibleLayers.RanksUnder(CompressibleLayers.BackbonePrefix, config.Ranks), config.InputSize);
        _levels = BackboneNetwork.Levels(config.Backbone, backbone.Maps);
        FeatureMap[] used = [.. _levels.Select(l => backbone.Maps[l])];
        int channels = used[^1].Channels;
        DetectorDescription.CheckSize(config, used, mostValues);
        if (config.Backbone.FpnChannels is int width)
        {
            fpn = new FeaturePyramid(used.Select(m => m.Channels), width, CompressibleLayers.RanksUnder("fpn.", config.Ranks));
            channels = width;
            used = [.. used.Select((m, i) => new FeatureMap($"fpn{i}", width, m.Stride))];
        }

        _maps = fpn is null ? backbone.Maps : [.. backbone.Maps, .. used];
        _sources = [.. used.Select(m => m.Name)];
        _anchors = new AnchorLayout(config, used);
        int regressors = config.ClassAgnosticBoxes ? 1 : config.ClassNames.Count;
        rpn = new RpnHead(channels, config.RpnChannels, _anchors.Levels[0].Grid.PerCell,
            CompressibleLayers.RanksUnder("rpn.", config.Ranks));
        head = new BoxHead(
            channels * config.RoiSize * config.RoiSize, config.HeadWidths, config.Ranks, config.HeadDropout, config.ClassNames.Count,
            regressors);
        IRoiPooling pooling = config.RoiPooling == RoiPoolingKind.Max ? new RoiMaxPool(config.RoiSize)
            : new RoiAlign(config.RoiSize, config.AlignedRois);
        _pooling = new RegionPooling(pooling, [.. used.Select(m => m.Stride)]);
        _proposals = new ProposalSelector(config, _anchors);
        _detections = new DetectionSelector(config);
        _targets = new TargetSampler(config, _anchors.Boxes);

        _anchorBoxes = new Constant(TensorArrays.Boxes(_anchors.Boxes, CPU));
        RegisterComponents();
    }

    /// <summary>The coding of the RPN's deltas.</summary>
    public static BoxCoder RpnCoder => BoxCoder.Unit;

    /// <summary>The coding of the head's deltas.</summary>
    public static BoxCoder HeadCoder => BoxCoder.Head;

    /// <summary>Everything that defines the network but its weights.</summary>
    public FasterRcnnConfig Config { get; }

    /// <summary>The anchors [A,4], in pixels of the input, the same for every image.</summary>
    public Tensor Anchors => _anchorBoxes.On(Device);

    /// <inheritdoc/>
    public override BackboneNetwork Backbone => backbone;

    /// <inheritdoc/>
    public IReadOnlyList<LayerShape> FullyConnected
    {
        get
        {
            int from = (Config.Backbone.FpnChannels ?? backbone.Maps[^1].Channels) * Config.RoiSize * Config.RoiSize;
            return [.. Config.HeadWidths.Select((width, i) => new LayerShape(BoxHead.LayerName(i), i == 0 ? from
                : Config.HeadWidths[i - 1], width))];
        }
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, IReadOnlyList<int>> Ranks => Config.Ranks;

    /// <inheritdoc/>
    public override ImageSize InputSize => Config.InputSize;

    /// <inheritdoc/>
    public override IReadOnlyList<string> ClassNames => Config.ClassNames;

    /// <inheritdoc/>
    public override IReadOnlyList<(string Name, int Channels)> FeatureMaps => [.. _maps.Select(m => (m.Name, m.Channels))];

    /// <summary>The names of the maps that RPN and head look at, finest first.</summary>
    public IReadOnlyList<string> SourceMaps => _sources;

    /// <inheritdoc/>
    public override IReadOnlyList<string> PredictionLayers => ["rpn.cls_logits", "rpn.bbox_pred", "head.cls_score", "head.bbox_pred"];

    /// <inheritdoc/>
    public override string Describe() => Config.ToJson();

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> Features(Tensor images)
    {
        Require(images);
        using DisposeScope scope = NewDisposeScope();
        Tensor normalised = _normalisation.Run(images);
        IReadOnlyList<Tensor> maps = backbone.Run(normalised);
        var features = new Dictionary<string, Tensor>();
        for (int i = 0; i < maps.Count; i++) features[backbone.Maps[i].Name] = maps[i].MoveToOuterDisposeScope();
        if (fpn is null) return features;
        IReadOnlyList<Tensor> pyramid = fpn.Run([.. _levels.Select(l => maps[l])]);
        for (int i = 0; i < pyramid.Count; i++) features[_sources[i]] = pyramid[i].MoveToOuterDisposeScope();
        return features;
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> WriteFeatures(GraphBuilder graph, string images)
    {
        IReadOnlyList<string> maps = backbone.Write(graph, _normalisation.Write(graph, images), "backbone");
        IEnumerable<string> all = fpn is null ? maps : [.. maps, .. fpn.Write(graph, [.. _levels.Select(l => maps[l])], "fpn")];
        return _maps.Zip(all).ToDictionary(pair => pair.First.Name, pair => pair.Second);
    }

    /// <summary>The RPN's answer for every anchor.</summary>
    public RpnOutput Rpn(IReadOnlyDictionary<string, Tensor> features) => rpn.Run(Sources(features));

    /// <summary>The proposals of each image, [P_i,4] in pixels, best first, without gradient.</summary>
    public IReadOnlyList<Tensor> Propose(RpnOutput answer, bool training)
        => [.. ProposeRows(answer, training).Select(rows => TensorArrays.Boxes(rows, answer.Deltas.device))];

    /// <summary>The head's answer for regions.</summary>
    /// <param name="boxes">For each image [R_i,4] in pixels.</param>
    public HeadOutput Head(IReadOnlyDictionary<string, Tensor> features, IReadOnlyList<Tensor> boxes)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor[] maps = Sources(features);
        HeadOutput answer = head.Run(_pooling.Pool([.. maps.Select(map => map.Single())], boxes).As(maps[0]));
        return new HeadOutput(answer.ClassLogits.MoveToOuterDisposeScope(), answer.Deltas.MoveToOuterDisposeScope());
    }

    /// <summary>Draws the anchors to learn from.</summary>
    /// <param name="objects">For each image [G_i,4] in pixels.</param>
    /// <param name="first">The place of the first image in the batch, of which this process may have a part.</param>
    public RpnTargets SampleAnchors(IReadOnlyList<Tensor> objects, int first = 0) => _targets.SampleAnchors(objects, Device, first);

    /// <summary>Draws the proposals to learn from; the objects themselves are among the candidates.</summary>
    /// <param name="proposals">For each image [P_i,4] in pixels, from <see cref="Propose"/>.</param>
    /// <param name="objects">For each image [G_i,4] in pixels.</param>
    /// <param name="labels">For each image [G_i] int64, 0-based indices into <see cref="ClassNames"/>, without background.</param>
    /// <param name="first">The place of the first image in the batch, of which this process may have a part.</param>
    public RoiTargets SampleProposals(
        IReadOnlyList<Tensor> proposals, IReadOnlyList<Tensor> objects, IReadOnlyList<Tensor> labels, int first = 0)
        => _targets.SampleProposals(proposals, objects, labels, Device, first);

    /// <inheritdoc/>
    public override IReadOnlyList<Detections> Detect(IReadOnlyDictionary<string, Tensor> features)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        return Detect(features, Rpn(features));
    }

    /// <summary>Detects objects by what <see cref="Features"/> and <see cref="Rpn"/> gave. Call in evaluation mode.</summary>
    public IReadOnlyList<Detections> Detect(IReadOnlyDictionary<string, Tensor> features, RpnOutput rpn)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        float[][] proposals = ProposeRows(rpn, training: false);
        HeadOutput head = Head(features, [.. proposals.Select(p => TensorArrays.Boxes(p, rpn.Deltas.device))]);
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
    public void RunConvolutions(Tensor images) => Rpn(Features(images));

    /// <inheritdoc/>
    public FasterRcnn InParts(IReadOnlyDictionary<string, IReadOnlyList<int>> ranks) => new(Config with { Ranks = ranks });

    /// <inheritdoc/>
    public override DetectionValues Write(GraphBuilder graph, string images)
    {
        var writer = new FasterRcnnWriter(graph, Config);
        IReadOnlyDictionary<string, string> features = WriteFeatures(graph, images);
        string[] sources = [.. _sources.Select(name => features[name])];
        var levels = new List<(AnchorLevel, string, string)>();
        for (int i = 0; i < sources.Length; i++)
        {
            (string objectness, string moves) = rpn.Write(graph, sources[i], "rpn");
            levels.Add((_anchors.Levels[i], objectness, moves));
        }

        (string regions, string boxes) = writer.Regions(sources, writer.Proposals(levels), _pooling);
        (string logits, string deltas) = head.Write(graph, regions, "head");
        return writer.Detections(boxes, logits, deltas);
    }

    /// <inheritdoc/>
    protected override Detector CreateUnselective() => new FasterRcnn(Config.Unselective);

    private float[][] ProposeRows(RpnOutput answer, bool training)
    {
        int images = (int)answer.Objectness.shape[0], anchors = (int)answer.Objectness.shape[1];
        float[] objectness = TensorArrays.Floats(answer.Objectness), deltas = TensorArrays.Floats(answer.Deltas);
        var proposals = new float[images][];
        for (int n = 0; n < images; n++)
            proposals[n] = _proposals.Select(objectness.AsSpan(n * anchors, anchors), deltas.AsSpan(4 * n * anchors, 4 * anchors),
                training);
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
