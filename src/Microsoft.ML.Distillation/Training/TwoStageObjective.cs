using System.Globalization;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Distributed;
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
/// and against the teacher, who is asked about the very same anchors and proposals; and the losses between feature maps. With the losses
/// of Chen et al. 2017 (equations 1 to 6) L = L_RPN + L_RCN + γ L_hint, in each part L_cls = μ L_hard + (1 − μ) L_soft and L_reg = L_1 +
/// ν L_b.
/// Of the losses to the labels μ is <see cref="SoftClasses.LabelWeight"/>, or 1 without soft classes, and smooth L1 has 1.
/// </summary>
internal sealed class TwoStageObjective : IObjective
{
    /// <summary>
    /// What the RPN's deltas are multiplied with before they are squared. They are not divided by standard deviations as the box head's
    /// are, so their squares would weigh nothing; 3 is the σ of the RPN's smooth L1 loss, the unit in which that loss turns square.
    /// </summary>
    private const double RpnSquareScale = 3;

    private readonly FasterRcnn _student;
    private readonly double _squaredRegressionWeight;
    private readonly DistillationTerms _teaching;
    private readonly IgnoreRegions _ignored;
    private readonly RankGroup _ranks;
    private readonly Tensor _inputSize;
    private readonly Tensor _anchorShares;

    /// <param name="student">The student, already on <paramref name="device"/>.</param>
    /// <param name="squaredRegressionWeight">The weight of the squared regression loss to the ground truth.</param>
    /// <param name="losses">What is learned from the teacher; <see langword="null"/>: what is by default.</param>
    /// <param name="teacher">The teacher of all batches to come; <see langword="null"/>: the labels alone teach.</param>
    /// <param name="device">Where training runs.</param>
    /// <param name="ranks">The processes that train together; <see langword="null"/>: this one alone.</param>
    /// <exception cref="ArgumentException">
    /// A loss does not fit student and teacher, or a hint names a feature map that is not there.
    /// </exception>
    public TwoStageObjective(
        FasterRcnn student, double squaredRegressionWeight, LossSelection? losses, ITeacher? teacher, Device device,
        RankGroup? ranks = null)
    {
        _student = student;
        _squaredRegressionWeight = squaredRegressionWeight;
        _ranks = ranks ?? RankGroup.Alone;
        _teaching = new DistillationTerms(losses, student, teacher, device, GuidedMaps(student), _ranks);
        _ignored = new IgnoreRegions(teacher?.Abilities.UnknownClasses ?? []);

        using var scope = NewDisposeScope();
        float width = student.InputSize.Width, height = student.InputSize.Height;
        _inputSize = tensor([width, height, width, height], device: device).DetachFromDisposeScope();
        _anchorShares = student.Anchors.to(device).div(_inputSize).DetachFromDisposeScope();
        Description = string.Create(CultureInfo.InvariantCulture, $"squared regression {squaredRegressionWeight}; {_teaching.Description}");
    }

    public Detector Student => _student;

    public IReadOnlyList<nn.Module> Extras => _teaching.Extras;

    public string Summary => _teaching.Summary;

    public string Description { get; }

    public bool AsksTeacher => _teaching.AsksTeacher;

    public double Progress
    {
        set => _teaching.Progress = value;
    }

    public void Tell(Action<string> say) => _teaching.Known.Tell(say);

    public IReadOnlyList<LossTerm> Compute(IReadOnlyList<Annotation> annotations, Tensor images, ITeacherView? teacher)
    {
        using var scope = NewDisposeScope();
        (Tensor[] boxes, Tensor[] labels) = GroundTruth(annotations);
        IReadOnlyDictionary<string, Tensor> features = _student.Features(images);
        RpnOutput rpn = _student.Rpn(features);
        int first = _ranks.Rank * annotations.Count;
        RpnTargets anchors = _student.SampleAnchors(boxes, first);
        RoiTargets rois = _student.SampleProposals(_student.Propose(rpn, training: true), boxes, labels, first);
        HeadOutput head = _student.Head(features, rois.Boxes);

        double[] sampled = _ranks.Normalisers(anchors.IsObject.shape[0], rois.Labels.shape[0]);
        var terms = new List<LossTerm>();
        AddRpn(terms, rpn, anchors, sampled[0], annotations, teacher);
        AddRcn(terms, head, rois, sampled[1], annotations, teacher);
        _teaching.AddTo(terms, features, teacher);
        _teaching.Known.EndBatch(annotations.Count);

        foreach (LossTerm term in terms) term.Value.MoveToOuterDisposeScope();
        return terms;
    }

    public void Dispose()
    {
        _teaching.Dispose();
        _anchorShares.Dispose();
        _inputSize.Dispose();
    }

    private void AddRpn(
        List<LossTerm> terms, RpnOutput rpn, RpnTargets anchors, double sampled, IReadOnlyList<Annotation> annotations,
        ITeacherView? teacher)
    {
        using Scalar anchorsPerImage = rpn.Objectness.shape[1];
        Tensor rows = anchors.ImageIndex.mul(anchorsPerImage).Plus(anchors.AnchorIndex);
        Tensor positiveRows = rows.index_select(0, anchors.PositiveRows);
        Tensor logits = rpn.Objectness.reshape(-1).index_select(0, rows);
        Tensor deltas = rpn.Deltas.reshape(-1, 4).index_select(0, positiveRows);

        Add(terms, "rpn.class.hard", _teaching.LabelWeightOf(LossParts.Anchors),
            () => InAll(functional.binary_cross_entropy_with_logits(logits, anchors.IsObject), logits.shape[0], sampled));
        if (_teaching.Ask(LossParts.Anchors))
        {
            AnchorScores scores = teacher!.ScoreAnchors(_anchorShares);
            Tensor? away = _ignored.AwayFrom(annotations, [.. annotations.Select(_ => _anchorShares)]);
            var answers = new AnchorAnswers(
                logits, anchors.IsObject, scores.Objectness.reshape(-1).index_select(0, rows),
                Both(scores.Known.reshape(-1), away)!.index_select(0, rows), scores.AreQualities, sampled, Boxes);
            _teaching.AddTo(terms, LossParts.Anchors, "rpn.", loss => loss.OfAnchors(answers));
            _teaching.Known.Add("anchors", ObjectsOf(anchors), answers.Known.index_select(0, anchors.PositiveRows),
                answers.Objectness.index_select(0, anchors.PositiveRows));

            DeltaAnswers Boxes()
            {
                Tensor positives = anchors.AnchorIndex.index_select(0, anchors.PositiveRows);
                Tensor refined = scores.RefinedBoxes.reshape(-1, 4).index_select(0, positiveRows).mul(_inputSize);
                Tensor known = Both((scores.KnownBoxes ?? scores.Known).reshape(-1), away)!.index_select(0, positiveRows);
                Tensor theirs = FasterRcnn.RpnCoder.Encode(refined, _student.Anchors.index_select(0, positives));
                return new DeltaAnswers(deltas, theirs, known, anchors.DeltaTargets, sampled, RpnSquareScale);
            }
        }

        Add(terms, "rpn.box", 1, () => BoxRegression.SmoothL1(deltas, anchors.DeltaTargets, sampled));
        Add(terms, "rpn.box.squared", _squaredRegressionWeight,
            () => BoxRegression.Squared(deltas, anchors.DeltaTargets, sampled, RpnSquareScale));
    }

    private void AddRcn(
        List<LossTerm> terms, HeadOutput head, RoiTargets rois, double sampled, IReadOnlyList<Annotation> annotations,
        ITeacherView? teacher)
    {
        using Scalar one = 1;
        Tensor classes = rois.Labels.index_select(0, rois.PositiveRows).sub(one);
        Tensor deltas = OfClass(head.Deltas.index_select(0, rois.PositiveRows), classes);

        Add(terms, "rcn.class.hard", _teaching.LabelWeightOf(LossParts.Proposals),
            () => InAll(functional.cross_entropy(head.ClassLogits, rois.Labels), rois.Labels.shape[0], sampled));
        if (_teaching.Ask(LossParts.Proposals))
        {
            Tensor[] shares = [.. rois.Boxes.Select(boxes => boxes.div(_inputSize))];
            BoxScores scores = teacher!.ScoreBoxes(shares);
            Tensor? away = _ignored.AwayFrom(annotations, shares);
            var answers = new ProposalAnswers(
                head.ClassLogits, rois.Labels, scores.Probabilities, Both(scores.Known, away), scores.AreQualities, sampled, _ranks, Boxes);
            _teaching.AddTo(terms, LossParts.Proposals, "rcn.", loss => loss.OfProposals(answers));
            _teaching.Known.Add("proposals", ObjectsOf(rois), answers.Known?.index_select(0, rois.PositiveRows),
                scores.Probabilities.select(1, 0).index_select(0, rois.PositiveRows).Complement());

            DeltaAnswers Boxes()
            {
                Tensor refined = OfClass(scores.RefinedBoxes.index_select(0, rois.PositiveRows), classes).mul(_inputSize);
                Tensor references = cat([.. rois.Boxes]).index_select(0, rois.PositiveRows);
                Tensor theirs = FasterRcnn.HeadCoder.Encode(refined, references);
                Tensor? known = Both(scores.KnownBoxes ?? scores.Known, away)?.index_select(0, rois.PositiveRows);
                return new DeltaAnswers(deltas, theirs, known, rois.DeltaTargets, sampled, Scale: 1);
            }
        }

        Add(terms, "rcn.box", 1, () => BoxRegression.SmoothL1(deltas, rois.DeltaTargets, sampled));
        Add(terms, "rcn.box.squared", _squaredRegressionWeight, () => BoxRegression.Squared(deltas, rois.DeltaTargets, sampled));
    }

    /// <summary>The maps that learn: those that RPN and head look at; where it is one, also the backbone's map before it.</summary>
    private static IReadOnlyList<string> GuidedMaps(FasterRcnn student)
        => student.SourceMaps.Count > 1 ? student.SourceMaps
            : [.. student.FeatureMaps.TakeLast(2).Select(map => map.Name)];

    /// <summary>The boxes [P,4] of the objects that the sampled anchors are to find, in pixels.</summary>
    private Tensor ObjectsOf(RpnTargets anchors)
        => FasterRcnn.RpnCoder.Decode(
            anchors.DeltaTargets, _student.Anchors.index_select(0, anchors.AnchorIndex.index_select(0, anchors.PositiveRows)));

    /// <summary>The boxes [P,4] of the objects that the sampled proposals are to find, in pixels.</summary>
    private static Tensor ObjectsOf(RoiTargets rois)
        => FasterRcnn.HeadCoder.Decode(rois.DeltaTargets, cat([.. rois.Boxes]).index_select(0, rois.PositiveRows));

    /// <summary>From a mean over what this rank has sampled to its part of the mean over what all have.</summary>
    private static Tensor InAll(Tensor mean, long own, double sampled)
    {
        if (own == sampled) return mean;
        using Scalar share = own / sampled;
        return mean.mul(share);
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
