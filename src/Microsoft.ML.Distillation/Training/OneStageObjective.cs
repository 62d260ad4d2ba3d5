using System.Globalization;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Distributed;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Losses;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static Microsoft.ML.Distillation.Training.TeacherAnswers;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training;

/// <summary>
/// The loss of a one-stage detector: against the ground truth, and against the teacher, who is asked about the boxes that the student
/// predicts at some of its locations, as a two-stage student's proposals are asked about (<see cref="SampledLocations"/> chooses them);
/// and the losses between feature maps. L = μ L_QF + 2 L_GIoU + ¼ L_DF to the labels, the weights of Generalized Focal Loss (Li et al.
/// 2020),
/// with μ = <see cref="SoftClasses.LabelWeight"/>, or 1 without soft classes; beside them what the student learns from the teacher.
/// </summary>
internal sealed class OneStageObjective : IObjective
{
    private readonly OneStageDetector _student;
    private readonly double _squaredRegressionWeight;
    private readonly DistillationTerms _teaching;
    private readonly CrossedMaps? _crossed;
    private readonly IgnoreRegions _ignored;
    private readonly RankGroup _ranks;
    private readonly Tensor _inputSize;
    private readonly int _sampled;

    /// <param name="student">The student, already on <paramref name="device"/>.</param>
    /// <param name="squaredRegressionWeight">The weight of the bounded loss without its teacher, the control's.</param>
    /// <param name="losses">What is learned from the teacher; <see langword="null"/>: what is by default.</param>
    /// <param name="teacher">The teacher of all batches to come; <see langword="null"/>: the labels alone teach.</param>
    /// <param name="device">Where training runs.</param>
    /// <param name="ranks">The processes that train together; <see langword="null"/>: this one alone.</param>
    /// <exception cref="ArgumentException">
    /// A loss does not fit student and teacher, or a hint names a feature map that is not there.
    /// </exception>
    public OneStageObjective(
        OneStageDetector student, double squaredRegressionWeight, LossSelection? losses, ITeacher? teacher, Device device,
        RankGroup? ranks = null)
    {
        _student = student;
        _squaredRegressionWeight = squaredRegressionWeight;
        _ranks = ranks ?? RankGroup.Alone;
        _teaching = new DistillationTerms(losses, student, teacher, device, student.LevelMaps, _ranks);
        if (_teaching.Ask(LossParts.Heads)) _crossed = new CrossedMaps(student, teacher!.Abilities.CrossHead!, device, _ranks);
        _ignored = new IgnoreRegions(teacher?.Abilities.UnknownClasses ?? []);
        ImageSize size = student.InputSize;
        // As many as a two-stage student of this input samples proposals.
        _sampled = Math.Max(size.Width, size.Height) switch { <= 256 => 64, <= 512 => 128, _ => 256 };
        using var scope = NewDisposeScope();
        _inputSize = tensor([(float)size.Width, size.Height, size.Width, size.Height], device: device).DetachFromDisposeScope();
        Description = string.Create(CultureInfo.InvariantCulture, $"squared regression {squaredRegressionWeight}; {_teaching.Description}");
    }

    public Detector Student => _student;

    public IReadOnlyList<nn.Module> Extras => [.. _teaching.Extras, .. _crossed?.Extras ?? []];

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
        IReadOnlyDictionary<string, Tensor> features = _student.Features(images);
        DenseOutput answer = _student.Answer(features);
        Tensor boxes = _student.Coder.Decode(answer.Edges);
        DenseTargets targets = _student.Assign(answer, boxes, [.. annotations.Select(Pixels)],
            [.. annotations.Select(image => image.Labels)], _ranks);

        var terms = new List<LossTerm>();
        Tensor qualities = QualitiesOf(answer, targets);
        AddSupervised(terms, answer, boxes, targets, qualities);
        if (_teaching.Ask(LossParts.Locations) || _squaredRegressionWeight > 0)
            AddSampled(terms, answer, boxes, targets, qualities, annotations, teacher);
        if (_crossed is not null) _teaching.AddTo(terms, _crossed.Run(features, teacher!, targets.Rows.shape[0]));
        _teaching.AddTo(terms, features, teacher);
        _teaching.Known.EndBatch(annotations.Count);
        foreach (LossTerm term in terms) term.Value.MoveToOuterDisposeScope();
        return terms;
    }

    public void Dispose()
    {
        _teaching.Dispose();
        _crossed?.Dispose();
        _inputSize.Dispose();
    }

    private void AddSupervised(List<LossTerm> terms, DenseOutput answer, Tensor boxes, DenseTargets targets, Tensor qualities)
    {
        Tensor logits = answer.Logits.flatten(0, 1);
        Tensor own = boxes.reshape(-1, 4).index_select(0, targets.Rows);
        Tensor edges = answer.Edges.flatten(0, 1).index_select(0, targets.Rows);
        Add(terms, "class.hard", _teaching.LabelWeightOf(LossParts.Locations),
            () => QualityFocalLoss.Loss(logits, qualities, targets.QualitySum));
        Add(terms, "box", GeneralizedIouLoss.BoxFactor,
            () => GeneralizedIouLoss.Loss(own, targets.Boxes, targets.Weights, targets.WeightSum));
        Add(terms, "box.edges", DistributionFocalLoss.EdgesFactor, () => DistributionFocalLoss.Loss(
            edges, _student.Coder.Encode(targets.Boxes, targets.Points), targets.Weights, targets.WeightSum));
    }

    private void AddSampled(
        List<LossTerm> terms, DenseOutput answer, Tensor boxes, DenseTargets targets, Tensor qualities,
        IReadOnlyList<Annotation> annotations, ITeacherView? teacher)
    {
        SampledLocations sampled = SampledLocations.Of(answer.Logits, targets, _sampled);
        Tensor positives = sampled.Rows.index_select(0, sampled.PositiveRows);
        Tensor own = boxes.reshape(-1, 4).index_select(0, positives);
        Tensor objects = targets.Boxes.index_select(0, sampled.Targets), weights = targets.Weights.index_select(0, sampled.Targets);
        if (_teaching.Ask(LossParts.Locations))
        {
            Tensor[] shares = [.. sampled.Images.Select((points, n) => Shares(boxes.select(0, n), points))];
            BoxScores scores = teacher!.ScoreBoxes(shares);
            Tensor? away = Away(annotations, shares, sampled, targets);
            var answers = new LocationAnswers(
                answer.Logits.flatten(0, 1).index_select(0, sampled.Rows), scores.Probabilities.narrow(1, 1, answer.Logits.shape[2]),
                Both(scores.Known, away), sampled.PositiveRows, qualities.index_select(0, positives), targets.QualitySum, _ranks,
                Boxes,
                () => Edges(answer, targets, sampled, teacher.ScoreEdges(shares), away));
            _teaching.AddTo(terms, LossParts.Locations, "", loss => loss.OfLocations(answers));
            _teaching.Known.Add("locations", objects, answers.Known?.index_select(0, sampled.PositiveRows),
                scores.Probabilities.select(1, 0).index_select(0, sampled.PositiveRows).Complement());

            OverlapAnswers Boxes()
            {
                Tensor classes = targets.Classes.index_select(0, sampled.Targets);
                Tensor refined = OfClass(scores.RefinedBoxes.index_select(0, sampled.PositiveRows), classes).mul(_inputSize);
                if (Both(scores.KnownBoxes ?? scores.Known, away) is { } known)
                {
                    using Scalar infinity = double.PositiveInfinity;
                    refined = refined.masked_fill(known.index_select(0, sampled.PositiveRows).logical_not().unsqueeze(1), infinity);
                }

                return new OverlapAnswers(own, refined, objects, weights, targets.WeightSum);
            }
        }

        Add(terms, "box.unbounded", GeneralizedIouLoss.BoxFactor * _squaredRegressionWeight,
            () => GeneralizedIouLoss.Loss(own, objects, weights, targets.WeightSum));
    }

    /// <summary>
    /// The sides at the locations with an object where the teacher has distributions, with its bins' places among the student's.
    /// </summary>
    private EdgeAnswers Edges(DenseOutput answer, DenseTargets targets, SampledLocations sampled, EdgeScores scores, Tensor? away)
    {
        Tensor known = Both(scores.Known, away)!.index_select(0, sampled.PositiveRows);
        Tensor chosen = known.nonzero().squeeze(1);
        Tensor rows = sampled.PositiveRows.index_select(0, chosen);
        Tensor points = targets.Points.index_select(0, sampled.Targets.index_select(0, chosen)), steps = _student.Coder.StepsAt(points);
        Tensor places = scores.Places.index_select(0, rows).mul(_inputSize.unsqueeze(1));
        places = (places - _student.Coder.PointsAt(points).unsqueeze(2)) / steps.unsqueeze(2);
        Tensor locations = sampled.Rows.index_select(0, rows);
        Tensor weights = answer.Logits.detach().flatten(0, 1).index_select(0, locations).sigmoid().amax([1]);
        return new EdgeAnswers(
            answer.Edges.flatten(0, 1).index_select(0, locations), scores.Probabilities.index_select(0, rows), places, weights,
            _ranks.Normaliser(weights.sum()));
    }

    /// <summary>
    /// For each box that was asked about, whether it is away from the objects of classes that the teacher lacks, by its place and by what
    /// it is to learn; <see langword="null"/> where there are none.
    /// </summary>
    private Tensor? Away(
        IReadOnlyList<Annotation> annotations, IReadOnlyList<Tensor> shares, SampledLocations sampled, DenseTargets targets)
    {
        if (_ignored.AwayFrom(annotations, shares) is not { } away) return null;
        return away.logical_and(ones_like(away).scatter(0, sampled.PositiveRows,
            _ignored.AreKnown(targets.Classes.index_select(0, sampled.Targets))));
    }

    /// <summary>The boxes at some locations of an image as shares of it, limited to it, without gradient.</summary>
    private Tensor Shares(Tensor boxes, Tensor points)
    {
        using Scalar zero = 0, one = 1;
        return boxes.detach().index_select(0, points).div(_inputSize).clamp(zero, one);
    }

    /// <summary>The target scores [N·P,C].</summary>
    private static Tensor QualitiesOf(DenseOutput answer, DenseTargets targets)
    {
        using Scalar classes = answer.Logits.shape[2];
        Tensor all = zeros(answer.Logits.numel(), device: answer.Logits.device);
        return all.scatter_(0, targets.Rows.mul(classes).Plus(targets.Classes), targets.Qualities).view(-1, answer.Logits.shape[2]);
    }

    private static void Add(List<LossTerm> terms, string name, double weight, Func<Tensor> loss)
    {
        if (weight > 0) terms.Add(new LossTerm(name, loss(), weight));
    }

    private float[] Pixels(Annotation image)
        => [.. image.Boxes.Select((share, i) => share * ((i & 1) == 0 ? _student.InputSize.Width : _student.InputSize.Height))];
}
