using Microsoft.ML.Distillation.Compression;
using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Distributed;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Rows;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>
/// A one-stage detector without anchors, of the GFL family (Li et al., Generalized Focal Loss, 2020): every location of a few maps
/// gives each class a score, which also says how well its box sits, and to each side of its box a distribution of distances. Boxes in
/// here are x0 y0 x1 y1 in pixels of the input.
/// </summary>
internal sealed class OneStageDetector : Detector, ICompressible<OneStageDetector>
{
    private readonly BackboneNetwork backbone;
    private readonly PathAggregation neck;
    private readonly OneStageHead head;
    private readonly DistanceCoder coder;
    private readonly int[] _used;
    private readonly PixelNormalisation _normalisation;
    private readonly DenseSelector _detections;
    private readonly IPointAssigner _assigner;

    public OneStageDetector(OneStageConfig config)
        : base(nameof(OneStageDetector))
    {
        Config = config;
        _normalisation = new PixelNormalisation(config.Backbone);
        Grid = new PointGrid(config.InputSize, config.Strides);
        backbone = BackboneNetwork.Create(config.Backbone, config.Backbone.LargestStride,
            CompressibleLayers.RanksUnder(CompressibleLayers.BackbonePrefix, config.Ranks), config.InputSize,
            givesStem: config.Strides[0] == OneStagePlan.StemStride);

        // Of each stride that both have, the backbone's last map.
        _used = [.. config.Strides
            .Select(stride => Enumerable.Range(0, backbone.Maps.Count).LastOrDefault(i => backbone.Maps[i].Stride == stride, -1))
            .Where(i => i >= 0)];
        LevelMaps = [.. config.Strides.Select((_, i) => $"neck{i}")];
        int levels = config.Strides.Count;
        neck = new PathAggregation(
            [.. _used.Select(i => backbone.Maps[i].Channels)], levels, config.Channels, config.Separable, config.Neck == OneStageNeck.Pan,
            CompressibleLayers.RanksUnder("neck.", config.Ranks));
        head = new OneStageHead(
            config.Channels, levels, config.HeadLayers, config.Separable, config.ClassNames.Count, config.Bins,
            CompressibleLayers.RanksUnder("head.", config.Ranks));
        coder = new DistanceCoder(Grid, config.Bins);
        _detections = new DenseSelector(config.Selection, config.InputSize);
        _assigner = config.Assignment == OneStageAssignment.Atss ? new AtssAssigner(Grid) : new TaskAlignedAssigner(Grid);

        RegisterComponents();
    }

    /// <summary>Everything that defines the network but its weights.</summary>
    public OneStageConfig Config { get; }

    /// <inheritdoc/>
    public override BackboneNetwork Backbone => backbone;

    /// <inheritdoc/>
    public IReadOnlyList<LayerShape> FullyConnected => [];

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, IReadOnlyList<int>> Ranks => Config.Ranks;

    /// <summary>The locations.</summary>
    public PointGrid Grid { get; }

    /// <summary>The coding of boxes at these locations.</summary>
    public DistanceCoder Coder => coder;

    /// <summary>The head's layers.</summary>
    public OneStageHead Head => head;

    /// <summary>The names of the maps that the head looks at, finest first.</summary>
    public IReadOnlyList<string> LevelMaps { get; }

    /// <inheritdoc/>
    public override ImageSize InputSize => Config.InputSize;

    /// <inheritdoc/>
    public override IReadOnlyList<string> ClassNames => Config.ClassNames;

    /// <inheritdoc/>
    public override IReadOnlyList<(string Name, int Channels)> FeatureMaps =>
        [.. backbone.Maps.Select(map => (map.Name, map.Channels)), .. LevelMaps.Select(name => (name, Config.Channels))];

    /// <inheritdoc/>
    public override IReadOnlyList<string> PredictionLayers => ["head.classes", "head.edges"];

    /// <inheritdoc/>
    public override IReadOnlyList<string> PredictionLayersOfOldModels => [];

    /// <inheritdoc/>
    public override string Describe() => Config.ToJson();

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> Features(Tensor images)
    {
        Require(images);
        using DisposeScope scope = NewDisposeScope();
        Tensor normalised = _normalisation.Run(images);
        IReadOnlyList<Tensor> maps = backbone.Run(normalised);
        IReadOnlyList<Tensor> levels = neck.Run([.. _used.Select(i => maps[i])]);
        var features = new Dictionary<string, Tensor>();
        for (int i = 0; i < maps.Count; i++) features[backbone.Maps[i].Name] = maps[i].MoveToOuterDisposeScope();
        for (int i = 0; i < levels.Count; i++) features[LevelMaps[i]] = levels[i].MoveToOuterDisposeScope();
        return features;
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> WriteFeatures(GraphBuilder graph, string images)
    {
        IReadOnlyList<string> maps = backbone.Write(graph, _normalisation.Write(graph, images), "backbone");
        IReadOnlyList<string> levels = neck.Write(graph, [.. _used.Select(i => maps[i])], "neck");
        return FeatureMaps.Zip([.. maps, .. levels]).ToDictionary(pair => pair.First.Name, pair => pair.Second);
    }

    /// <summary>The maps of <see cref="Features"/> that the head looks at, finest first.</summary>
    public IReadOnlyList<Tensor> Levels(IReadOnlyDictionary<string, Tensor> features) => [.. LevelMaps.Select(name => features[name])];

    /// <summary>The head's answer at every location.</summary>
    public DenseOutput Answer(IReadOnlyDictionary<string, Tensor> features) => head.Run(Levels(features));

    /// <summary>What the locations of a batch are to learn.</summary>
    /// <param name="boxes">The boxes of the answer [N,P,4], in pixels.</param>
    /// <param name="objects">Of each image 4G values, in pixels.</param>
    /// <param name="labels">Of each image G indices into <see cref="ClassNames"/>.</param>
    /// <param name="ranks">The processes whose images are one batch.</param>
    public DenseTargets Assign(
        DenseOutput answer, Tensor boxes, IReadOnlyList<float[]> objects, IReadOnlyList<int[]> labels, RankGroup? ranks = null)
        => DenseTargets.Of(_assigner, answer, boxes, objects, labels, ranks ?? RankGroup.Alone);

    /// <inheritdoc/>
    public override IReadOnlyList<Detections> Detect(IReadOnlyDictionary<string, Tensor> features)
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        DenseOutput answer = Answer(features);
        float[] scores = TensorArrays.Floats(answer.Logits.sigmoid()), boxes = TensorArrays.Floats(coder.Decode(answer.Edges));
        int points = Grid.Count, classes = ClassNames.Count;
        return [.. Enumerable.Range(0, (int)answer.Logits.shape[0]).Select(n =>
            _detections.Select(boxes.AsSpan(4 * n * points, 4 * points), scores.AsSpan(n * points * classes, points * classes)))];
    }

    /// <inheritdoc/>
    public void RunConvolutions(Tensor images) => Answer(Features(images));

    /// <inheritdoc/>
    public OneStageDetector InParts(IReadOnlyDictionary<string, IReadOnlyList<int>> ranks) => new(Config with { Ranks = ranks });

    /// <inheritdoc/>
    public override DetectionValues Write(GraphBuilder graph, string images)
    {
        IReadOnlyDictionary<string, string> features = WriteFeatures(graph, images);
        return new OneStageWriter(graph, Config, Grid).Detections(
            [.. LevelMaps.Select((map, level) => head.Write(graph, features[map], "head", level, ClassNames.Count))]);
    }

    /// <inheritdoc/>
    protected override Detector CreateUnselective() => new OneStageDetector(Config.Unselective);

    private void Require(Tensor images)
    {
        long[] shape = images.shape;
        if (shape.Length == 4 && shape[1] == 3 && shape[2] == InputSize.Height && shape[3] == InputSize.Width) return;
        throw new ArgumentException(
            $"The detector takes images of [N,3,{InputSize.Height},{InputSize.Width}], not [{string.Join(',', shape)}].", nameof(images));
    }
}
