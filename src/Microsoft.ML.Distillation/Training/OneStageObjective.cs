using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Losses;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training;

/// <summary>
/// The loss of a one-stage detector: against the ground truth, and against the teacher, who is asked about the boxes that the student
/// predicts at some of its locations, as a two-stage student's proposals are asked about (<see cref="SampledLocations"/> chooses them);
/// and the losses between feature maps.
/// </summary>
internal sealed class OneStageObjective : IObjective
{
    private readonly OneStageDetector _student;
    private readonly DistillationOptions _distillation;
    private readonly OneStageWeights _weights;
    private readonly FeatureTerms _features;
    private readonly OneStageDetector? _crossHead;
    private readonly IgnoreRegions _unknown;
    private readonly Tensor _inputSize;
    private readonly int _asked;

    /// <param name="student">The student, already on <paramref name="device"/>.</param>
    /// <param name="squaredRegressionWeight">The weight of the bounded loss without its teacher, the control's.</param>
    /// <param name="distillation">What is learned from the teacher; <see langword="null"/> without one.</param>
    /// <param name="teacher">The teacher of all batches to come.</param>
    /// <param name="device">Where training runs.</param>
    /// <exception cref="ArgumentException">A hint names a feature map that is not there.</exception>
    public OneStageObjective(
        OneStageDetector student, double squaredRegressionWeight, DistillationOptions? distillation, ITeacher? teacher, Device device)
    {
        distillation?.Validate();
        _student = student;
        _distillation = distillation ?? new DistillationOptions();
        if (teacher is not null) OneStageOnly.Require(_distillation, student, teacher);
        _features = new FeatureTerms(_distillation, student, teacher, device, student.LevelMaps);
        _weights = OneStageWeights.Of(squaredRegressionWeight, teacher is null ? null : _distillation, _features.HasCwd);
        _crossHead = _weights.CrossHead > 0 ? teacher!.CrossHead : null;
        _unknown = new IgnoreRegions(teacher?.UnknownClasses ?? []);
        ImageSize size = student.InputSize;
        // As many as a two-stage student of this input samples proposals.
        _asked = Math.Max(size.Width, size.Height) switch { <= 256 => 64, <= 512 => 128, _ => 256 };
        using var scope = NewDisposeScope();
        _inputSize = tensor([(float)size.Width, size.Height, size.Width, size.Height], device: device).DetachFromDisposeScope();
        Description = $"{_weights}; {_distillation with { Hints = null }}; {_features}";
    }

    public Detector Student => _student;

    public IReadOnlyList<nn.Module> Extras => _features.Extras;

    public string Description { get; }

    public IReadOnlyList<LossTerm> Compute(IReadOnlyList<Annotation> annotations, Tensor images, ITeacherView? teacher)
    {
        using var scope = NewDisposeScope();
        IReadOnlyDictionary<string, Tensor> features = _student.Features(images);
        DenseOutput answer = _student.Answer(features);
        Tensor boxes = _student.Coder.Decode(answer.Edges);
        DenseTargets targets = _student.Assign(answer, boxes, [.. annotations.Select(Pixels)], [.. annotations.Select(image => image.Labels)]);

        var terms = new List<LossTerm>();
        Tensor qualities = QualitiesOf(answer, targets);
        AddSupervised(terms, answer, boxes, targets, qualities);
        if (_weights.AsksTeacher || _weights.UnboundedBox > 0)
            AddAsked(terms, answer, boxes, targets, qualities, annotations, _weights.AsksTeacher ? teacher : null);
        if (_crossHead is not null) AddCrossHead(terms, features, teacher!.HeadAnswer);
        _features.AddTo(terms, features, teacher);
        foreach (LossTerm term in terms) term.Value.MoveToOuterDisposeScope();
        return terms;
    }

    public void Dispose()
    {
        _features.Dispose();
        _inputSize.Dispose();
    }

    private void AddSupervised(List<LossTerm> terms, DenseOutput answer, Tensor boxes, DenseTargets targets, Tensor qualities)
    {
        Tensor logits = answer.Logits.flatten(0, 1);
        Tensor own = boxes.reshape(-1, 4).index_select(0, targets.Rows);
        Tensor edges = answer.Edges.flatten(0, 1).index_select(0, targets.Rows);
        Add(terms, "class.hard", _weights.HardClass, () => QualityFocalLoss.Loss(logits, qualities, targets.QualitySum));
        Add(terms, "box", _weights.Box, () => GeneralizedIouLoss.Loss(own, targets.Boxes, targets.Weights, targets.WeightSum));
        Add(terms, "box.edges", _weights.Edges, () => DistributionFocalLoss.Loss(
            edges, _student.Coder.Encode(targets.Boxes, targets.Points), targets.Weights, targets.WeightSum));
    }

    private void AddAsked(
        List<LossTerm> terms, DenseOutput answer, Tensor boxes, DenseTargets targets, Tensor qualities,
        IReadOnlyList<Annotation> annotations, ITeacherView? teacher)
    {
        SampledLocations asked = SampledLocations.Of(answer.Logits, targets, _asked);
        Tensor positives = boxes.reshape(-1, 4).index_select(0, asked.Rows.index_select(0, asked.PositiveRows));
        Tensor objects = targets.Boxes.index_select(0, asked.Targets), weights = targets.Weights.index_select(0, asked.Targets);
        if (teacher is not null)
        {
            Tensor[] shares = [.. asked.Images.Select((points, n) => Shares(boxes.select(0, n), points))];
            BoxScores scores = teacher.ScoreBoxes(shares);
            Tensor? away = Away(annotations, shares, asked, targets);
            Add(terms, "class.soft", _weights.SoftClass, () => SoftClass(answer, targets, qualities, asked, scores, away));
            Add(terms, "class.relations", _weights.Relations, () => TeacherAnswers.Relations(
                answer.Logits.flatten(0, 1).index_select(0, asked.Rows).sigmoid(),
                scores.Probabilities.narrow(1, 1, answer.Logits.shape[2]), TeacherAnswers.Both(scores.Known, away)));
            Add(terms, "box.distribution", _weights.Localization, () => Localization(answer, targets, asked, teacher.ScoreEdges(shares), away));
            Add(terms, "box.bounded", _weights.BoundedBox, () =>
            {
                Tensor classes = targets.Classes.index_select(0, asked.Targets);
                Tensor refined = TeacherAnswers.OfClass(scores.RefinedBoxes.index_select(0, asked.PositiveRows), classes).mul(_inputSize);
                if (TeacherAnswers.Both(scores.KnownBoxes ?? scores.Known, away) is { } known)
                {
                    using Scalar infinity = double.PositiveInfinity;
                    refined = refined.masked_fill(known.index_select(0, asked.PositiveRows).logical_not().unsqueeze(1), infinity);
                }

                return TeacherBoundedRegression.OverlapLoss(positives, refined, objects, weights, targets.WeightSum, _distillation.Margin);
            });
        }

        Add(terms, "box.unbounded", _weights.UnboundedBox, () => GeneralizedIouLoss.Loss(positives, objects, weights, targets.WeightSum));
    }

    /// <summary>The quality focal loss at locations with an object, their target scores shared out as the teacher says.</summary>
    private Tensor SoftClass(DenseOutput answer, DenseTargets targets, Tensor qualities, SampledLocations asked, BoxScores scores, Tensor? away)
    {
        Tensor rows = asked.Rows.index_select(0, asked.PositiveRows);
        Tensor theirs = scores.Probabilities.index_select(0, asked.PositiveRows).narrow(1, 1, answer.Logits.shape[2]);
        Tensor? known = TeacherAnswers.Both(scores.Known, away)?.index_select(0, asked.PositiveRows);
        Tensor wanted = TeacherAnswers.SharedOut(qualities.index_select(0, rows), theirs, known, _distillation.Temperature);
        return QualityFocalLoss.Loss(answer.Logits.flatten(0, 1).index_select(0, rows), wanted, targets.QualitySum);
    }

    /// <summary>LD at the locations with an object where the teacher has distributions, brought into the student's bins.</summary>
    private Tensor Localization(DenseOutput answer, DenseTargets targets, SampledLocations asked, EdgeScores scores, Tensor? away)
    {
        Tensor known = TeacherAnswers.Both(scores.Known, away)!.index_select(0, asked.PositiveRows);
        Tensor chosen = known.nonzero().squeeze(1);
        Tensor rows = asked.PositiveRows.index_select(0, chosen);
        Tensor points = targets.Points.index_select(0, asked.Targets.index_select(0, chosen)), steps = _student.Coder.StepsAt(points);
        Tensor places = scores.Places.index_select(0, rows).mul(_inputSize.unsqueeze(1));
        places = (places - _student.Coder.PointsAt(points).unsqueeze(2)) / steps.unsqueeze(2);
        Tensor wanted = LocalizationLoss.Rebin(scores.Probabilities.index_select(0, rows), places, _student.Coder.Bins);
        Tensor logits = answer.Edges.flatten(0, 1).index_select(0, asked.Rows.index_select(0, rows));
        return LocalizationLoss.Loss(logits, wanted, _distillation.LocalizationTemperature);
    }

    /// <summary>CrossKD: the student's maps before the head's last layer go through the teacher's last layer.</summary>
    private void AddCrossHead(List<LossTerm> terms, IReadOnlyDictionary<string, Tensor> features, DenseOutput own)
    {
        IReadOnlyList<Tensor> maps = _student.Head.Begin(_student.Levels(features), _student.Head.Layers - 1);
        DenseOutput crossed = _crossHead!.Head.Finish(maps, _crossHead.Head.Layers - 1);
        Tensor classes = own.Logits.flatten(0, 1);
        terms.Add(new LossTerm("crosshead.class", CrossHeadLoss.Classes(crossed.Logits.flatten(0, 1), classes), _weights.CrossHead));
        terms.Add(new LossTerm("crosshead.box", CrossHeadLoss.Boxes(crossed.Edges.flatten(0, 1), own.Edges.flatten(0, 1), classes), _weights.CrossHead));
    }

    /// <summary>
    /// For each box that was asked about, whether it is away from the objects of classes that the teacher lacks, by its place and by what
    /// it is to learn; <see langword="null"/> where there are none.
    /// </summary>
    private Tensor? Away(IReadOnlyList<Annotation> annotations, IReadOnlyList<Tensor> shares, SampledLocations asked, DenseTargets targets)
    {
        if (_unknown.AwayFrom(annotations, shares) is not { } away) return null;
        return away.logical_and(ones_like(away).scatter(0, asked.PositiveRows, _unknown.AreKnown(targets.Classes.index_select(0, asked.Targets))));
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
