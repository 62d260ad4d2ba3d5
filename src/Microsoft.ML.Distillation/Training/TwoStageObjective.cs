using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Losses;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static Microsoft.ML.Distillation.Training.TeacherAnswers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.Distillation.Training;

/// <summary>
/// The loss of a Faster R-CNN: of its RPN on sampled anchors and of its RCN on sampled proposals, each against the ground truth
/// and against the teacher, who is asked about the very same anchors and proposals; and the hint loss between feature maps.
/// </summary>
internal sealed class TwoStageObjective : IObjective
{
    /// <summary>
    /// What the RPN's deltas are multiplied with before they are squared. They are not divided by standard deviations as the box head's
    /// are, so their squares would weigh nothing; 3 is the σ of the RPN's smooth L1 loss, the unit in which that loss turns square.
    /// </summary>
    private const double RpnSquareScale = 3;

    private readonly FasterRcnn _student;
    private readonly DistillationOptions _distillation;
    private readonly TwoStageWeights _weights;
    private readonly FeatureTerms _features;
    private readonly double _relations;
    private readonly IgnoreRegions _unknown;
    private readonly Tensor _inputSize;
    private readonly Tensor _anchorShares;

    /// <param name="student">The student, already on <paramref name="device"/>.</param>
    /// <param name="squaredRegressionWeight">The weight of the squared regression loss to the ground truth.</param>
    /// <param name="distillation">What is learned from the teacher; <see langword="null"/> without one.</param>
    /// <param name="teacher">The teacher of all batches to come.</param>
    /// <param name="device">Where training runs.</param>
    /// <exception cref="ArgumentException">A hint names a feature map that is not there.</exception>
    public TwoStageObjective(
        FasterRcnn student, double squaredRegressionWeight, DistillationOptions? distillation, ITeacher? teacher, Device device)
    {
        distillation?.Validate();
        _student = student;
        _distillation = distillation ?? new DistillationOptions();
        _weights = TwoStageWeights.Of(squaredRegressionWeight, teacher is null ? null : _distillation);
        OneStageOnly.Refuse(distillation);
        _relations = teacher is null ? 0 : _distillation.DistWeight;
        _features = new FeatureTerms(_distillation, student, teacher, device);
        _unknown = new IgnoreRegions(teacher?.UnknownClasses ?? []);

        using var scope = NewDisposeScope();
        float width = student.InputSize.Width, height = student.InputSize.Height;
        _inputSize = tensor([width, height, width, height], device: device).DetachFromDisposeScope();
        _anchorShares = student.Anchors.to(device).div(_inputSize).DetachFromDisposeScope();
        Description = $"{_weights}; {_distillation with { Hints = null }}; {_features}";
    }

    public Detector Student => _student;

    public IReadOnlyList<nn.Module> Extras => _features.Extras;

    public string Description { get; }

    public IReadOnlyList<LossTerm> Compute(IReadOnlyList<Annotation> annotations, Tensor images, ITeacherView? teacher)
    {
        using var scope = NewDisposeScope();
        (Tensor[] boxes, Tensor[] labels) = GroundTruth(annotations);
        IReadOnlyDictionary<string, Tensor> features = _student.Features(images);
        RpnOutput rpn = _student.Rpn(features);
        RpnTargets anchors = _student.SampleAnchors(boxes);
        RoiTargets rois = _student.SampleProposals(_student.Propose(rpn, training: true), boxes, labels);
        HeadOutput head = _student.Head(features, rois.Boxes);

        var terms = new List<LossTerm>();
        AddRpn(terms, rpn, anchors, annotations, teacher);
        AddRcn(terms, head, rois, annotations, teacher);
        _features.AddTo(terms, features, teacher);

        foreach (LossTerm term in terms) term.Value.MoveToOuterDisposeScope();
        return terms;
    }

    public void Dispose()
    {
        _features.Dispose();
        _anchorShares.Dispose();
        _inputSize.Dispose();
    }

    private void AddRpn(List<LossTerm> terms, RpnOutput rpn, RpnTargets anchors, IReadOnlyList<Annotation> annotations, ITeacherView? teacher)
    {
        PartWeights weights = _weights.Rpn;
        long sampled = anchors.IsObject.shape[0];
        using Scalar anchorsPerImage = rpn.Objectness.shape[1];
        Tensor rows = anchors.ImageIndex.mul(anchorsPerImage).Plus(anchors.AnchorIndex);
        Tensor positiveRows = rows.index_select(0, anchors.PositiveRows);
        Tensor logits = rpn.Objectness.reshape(-1).index_select(0, rows);
        Tensor deltas = rpn.Deltas.reshape(-1, 4).index_select(0, positiveRows);

        Add(terms, "rpn.class.hard", weights.HardClass, () => functional.binary_cross_entropy_with_logits(logits, anchors.IsObject));
        if (weights.AsksTeacher)
        {
            AnchorScores scores = teacher!.ScoreAnchors(_anchorShares);
            Tensor? away = _unknown.AwayFrom(annotations, [.. annotations.Select(_ => _anchorShares)]);
            Add(terms, "rpn.class.soft", weights.SoftClass, () =>
            {
                // Where the teacher has no opinion the ground truth speaks for it.
                Tensor known = Both(scores.Known.reshape(-1), away)!.index_select(0, rows);
                Tensor targets = where(known, scores.Objectness.reshape(-1).index_select(0, rows), anchors.IsObject);
                return WeightedSoftCrossEntropy.BinaryLoss(logits, targets, _distillation.BackgroundWeight, _distillation.Temperature);
            });
            Add(terms, $"rpn.{TeacherBoxTerm}", weights.BoundedBox, () =>
            {
                Tensor positives = anchors.AnchorIndex.index_select(0, anchors.PositiveRows);
                Tensor refined = scores.RefinedBoxes.reshape(-1, 4).index_select(0, positiveRows).mul(_inputSize);
                Tensor known = Both((scores.KnownBoxes ?? scores.Known).reshape(-1), away)!.index_select(0, positiveRows);
                Tensor theirs = FasterRcnn.RpnCoder.Encode(refined, _student.Anchors.index_select(0, positives));
                return TeacherBoxLoss(deltas, theirs, known, anchors.DeltaTargets, sampled, RpnSquareScale);
            });
        }

        Add(terms, "rpn.box", weights.Box, () => BoxRegression.SmoothL1(deltas, anchors.DeltaTargets, sampled));
        Add(terms, "rpn.box.squared", weights.SquaredBox, () => BoxRegression.Squared(deltas, anchors.DeltaTargets, sampled, RpnSquareScale));
    }

    private void AddRcn(List<LossTerm> terms, HeadOutput head, RoiTargets rois, IReadOnlyList<Annotation> annotations, ITeacherView? teacher)
    {
        PartWeights weights = _weights.Rcn;
        long sampled = rois.Labels.shape[0];
        using Scalar one = 1;
        Tensor classes = rois.Labels.index_select(0, rois.PositiveRows).sub(one);
        Tensor deltas = OfClass(head.Deltas.index_select(0, rois.PositiveRows), classes);

        Add(terms, "rcn.class.hard", weights.HardClass, () => functional.cross_entropy(head.ClassLogits, rois.Labels));
        if (weights.AsksTeacher || _relations > 0)
        {
            Tensor[] shares = [.. rois.Boxes.Select(boxes => boxes.div(_inputSize))];
            BoxScores scores = teacher!.ScoreBoxes(shares);
            Tensor? away = _unknown.AwayFrom(annotations, shares);
            Add(terms, "rcn.class.soft", weights.SoftClass, () =>
            {
                Tensor targets = Both(scores.Known, away) is not { } known
                    ? scores.Probabilities
                    : where(known.unsqueeze(1), scores.Probabilities, functional.one_hot(rois.Labels, scores.Probabilities.shape[1]).to(scores.Probabilities.dtype));
                return WeightedSoftCrossEntropy.Loss(head.ClassLogits, targets, _distillation.BackgroundWeight, _distillation.Temperature);
            });
            Add(terms, "rcn.class.relations", _relations, () => TeacherAnswers.Relations(head.ClassLogits.softmax(1), scores.Probabilities, Both(scores.Known, away)));
            Add(terms, $"rcn.{TeacherBoxTerm}", weights.BoundedBox, () =>
            {
                Tensor refined = OfClass(scores.RefinedBoxes.index_select(0, rois.PositiveRows), classes).mul(_inputSize);
                Tensor references = cat([.. rois.Boxes]).index_select(0, rois.PositiveRows);
                Tensor theirs = FasterRcnn.HeadCoder.Encode(refined, references);
                Tensor? known = Both(scores.KnownBoxes ?? scores.Known, away)?.index_select(0, rois.PositiveRows);
                return TeacherBoxLoss(deltas, theirs, known, rois.DeltaTargets, sampled, scale: 1);
            });
        }

        Add(terms, "rcn.box", weights.Box, () => BoxRegression.SmoothL1(deltas, rois.DeltaTargets, sampled));
        Add(terms, "rcn.box.squared", weights.SquaredBox, () => BoxRegression.Squared(deltas, rois.DeltaTargets, sampled));
    }

    private string TeacherBoxTerm => _distillation.Boxes == BoxDistillation.Squared ? "box.teacher" : "box.bounded";

    /// <summary>
    /// The loss against the teacher's deltas [P,4]. Where it has no opinion on a box the bound asks for nothing, and the ground truth
    /// is the target of the squared loss.
    /// </summary>
    /// <param name="known">[P]: where it has an opinion; <see langword="null"/>: everywhere.</param>
    private Tensor TeacherBoxLoss(Tensor deltas, Tensor theirs, Tensor? known, Tensor targets, long sampled, double scale)
    {
        Tensor? rows = known?.unsqueeze(1);
        if (_distillation.Boxes == BoxDistillation.Squared)
            return BoxRegression.Squared(deltas, rows is null ? theirs : where(rows, theirs, targets), sampled, scale);
        using Scalar infinity = double.PositiveInfinity;
        if (rows is not null) theirs = theirs.masked_fill(rows.logical_not(), infinity);
        return TeacherBoundedRegression.Loss(deltas, theirs, targets, sampled, _distillation.Margin, scale);
    }

    private static void Add(List<LossTerm> terms, string name, double weight, Func<Tensor> loss)
    {
        if (weight > 0) terms.Add(new LossTerm(name, loss(), weight));
    }

    /// <summary>The boxes in pixels and the labels of each image, on the CPU, where anchors and proposals are matched.</summary>
    private (Tensor[] Boxes, Tensor[] Labels) GroundTruth(IReadOnlyList<Annotation> annotations)
    {
        float[] size = [_student.InputSize.Width, _student.InputSize.Height];
        return (
            [.. annotations.Select(image => TensorArrays.Boxes([.. image.Boxes.Select((share, i) => share * size[i & 1])], CPU))],
            [.. annotations.Select(image => TensorArrays.Vector(Array.ConvertAll(image.Labels, label => (long)label), CPU))]);
    }
}
