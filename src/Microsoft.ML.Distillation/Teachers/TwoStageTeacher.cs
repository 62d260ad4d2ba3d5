using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers.Dense;
using Microsoft.ML.Distillation.Tensors;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Teachers;

/// <summary>
/// A Faster R-CNN of this library as a teacher: it runs its own RPN and its own box head on the student's anchors and proposals
/// (Chen et al., Learning Efficient Object Detection Models with Knowledge Distillation, NIPS 2017).
/// </summary>
internal sealed class TwoStageTeacher : ITeacher
{
    private readonly FrozenDetector<FasterRcnn> _own;
    private readonly ClassColumns _columns;
    private readonly Tensor _inputSize;
    private readonly Dictionary<Tensor, AnchorMap?> _anchorMaps = new(ReferenceEqualityComparer.Instance);

    /// <param name="detector">The detector, which from now on belongs to the teacher.</param>
    /// <param name="studentClasses">The student's classes, in whose order the teacher answers.</param>
    /// <param name="device">Where the teacher runs.</param>
    /// <exception cref="ArgumentException">The two have no class in common.</exception>
    public TwoStageTeacher(FasterRcnn detector, IReadOnlyList<string> studentClasses, Device device)
    {
        _own = new FrozenDetector<FasterRcnn>(detector, studentClasses, device);
        _columns = new ClassColumns(_own.Classes, device);
        float width = detector.InputSize.Width, height = detector.InputSize.Height;
        _inputSize = tensor([width, height, width, height], device: device).DetachFromDisposeScope();
        Abilities = _own.Abilities(confidentScore: 0.5);
    }

    public ImageSize InputSize => _own.InputSize;

    public TeacherAbilities Abilities { get; }

    public ITeacherView View(DetectionBatch batch) => new BatchView(this, _own.Features(batch));

    public IReadOnlyList<Detections> Detect(Tensor images, IReadOnlyList<ImageSize> sizes) => _own.Detect(images);

    public void Dispose()
    {
        foreach (AnchorMap? map in _anchorMaps.Values) map?.Dispose();
        _inputSize.Dispose();
        _columns.Dispose();
        _own.Dispose();
    }

    /// <summary>The match of a student's anchors, made once for all batches; <see langword="null"/> where there is none.</summary>
    private AnchorMap? MapAnchors(Tensor anchors)
    {
        if (!_anchorMaps.TryGetValue(anchors, out AnchorMap? map))
        {
            using var scope = NewDisposeScope();
            _anchorMaps[anchors] = map = AnchorMap.Between(anchors, _own.Network.Anchors.to(_own.Device).div(_inputSize));
        }

        return map;
    }

    /// <summary>The detector's knowledge of one batch; the feature maps, which all questions share, are computed once.</summary>
    private sealed class BatchView(TwoStageTeacher teacher, IReadOnlyDictionary<string, Tensor> features) : ITeacherView
    {
        private RpnOutput? _rpn;

        public DenseOutput HeadAnswer
            => throw new NotSupportedException("A Faster R-CNN has no head that could be run on a student's maps.");

        public Tensor Feature(string name) => features[name];

        public BoxScores ScoreBoxes(IReadOnlyList<Tensor> boxes)
        {
            using var scope = NewDisposeScope();
            using IDisposable frozen = no_grad();
            Tensor[] pixels = [.. boxes.Select(shares => shares.mul(teacher._inputSize))];
            HeadOutput head = teacher._own.Network.Head(features, pixels);
            Tensor asked = cat(pixels), probabilities = head.ClassLogits.softmax(1);
            Tensor refined = FasterRcnn.HeadCoder.Decode(head.Deltas, asked.unsqueeze(1)).div(teacher._inputSize);
            return new BoxScores(
                teacher._columns.Probabilities(probabilities).MoveToOuterDisposeScope(),
                teacher._columns.Boxes(refined, probabilities, asked.div(teacher._inputSize)).MoveToOuterDisposeScope());
        }

        public AnchorScores ScoreAnchors(Tensor anchors)
        {
            using var scope = NewDisposeScope();
            using IDisposable frozen = no_grad();
            RpnOutput rpn = _rpn ??= Rpn();
            Tensor objectness = rpn.Objectness.sigmoid();
            Tensor refined = FasterRcnn.RpnCoder.Decode(rpn.Deltas, teacher._own.Network.Anchors).div(teacher._inputSize);
            AnchorScores scores = teacher.MapAnchors(anchors) is { } map
                ? new AnchorScores(map.Select(objectness), map.Select(refined),
                    ones([objectness.shape[0], anchors.shape[0]], ScalarType.Bool, objectness.device))
                : RefinedAnchors.Score(anchors, objectness, refined);
            if (teacher._own.Classes.IgnoredClasses.Count > 0)
            {
                Tensor away = AwayFromIgnored(anchors, rpn);
                scores = scores with { Known = scores.Known.logical_and(away), KnownBoxes = scores.KnownBoxes?.logical_and(away) };
            }

            return new AnchorScores(
                scores.Objectness.MoveToOuterDisposeScope(), scores.RefinedBoxes.MoveToOuterDisposeScope(),
                scores.Known.MoveToOuterDisposeScope())
            {
                KnownBoxes = scores.KnownBoxes?.MoveToOuterDisposeScope(),
            };
        }

        public EdgeScores ScoreEdges(IReadOnlyList<Tensor> boxes)
            => throw new NotSupportedException("The boxes of a Faster R-CNN are no distributions.");

        public void Dispose()
        {
            foreach (Tensor map in features.Values) map.Dispose();
            _rpn?.Objectness.Dispose();
            _rpn?.Deltas.Dispose();
        }

        private RpnOutput Rpn()
        {
            RpnOutput rpn = teacher._own.Network.Rpn(features);
            rpn.Objectness.DetachFromDisposeScope();
            rpn.Deltas.DetachFromDisposeScope();
            return rpn;
        }

        /// <summary>
        /// For each image and anchor whether the RPN can be taken at its word, [N,A] bool. An RPN tells objects of all its classes from
        /// background; which class it is the head says.
        /// </summary>
        private Tensor AwayFromIgnored(Tensor anchors, RpnOutput rpn) => stack(
            [.. teacher._own.Network.Detect(features, rpn).Select(found => IgnoredObjects.AwayFrom(anchors, found, teacher._own.Classes))]);
    }
}

/// <summary>Brings a head's answers into the student's classes. What a teacher knows beyond them counts as background.</summary>
internal sealed class ClassColumns : IDisposable
{
    /// <summary>
    /// The k-th of the teacher's classes that mean each of the student's, [C_s] int64; C_t where there are not so many. None where the
    /// lists are the same.
    /// </summary>
    private readonly Tensor[] _ranks;

    public ClassColumns(ClassMatch match, Device device)
    {
        if (match.IsIdentity)
        {
            _ranks = [];
            return;
        }

        long none = match.TeacherClasses;
        int[] theirs = [.. Enumerable.Range(0, match.TeacherClasses)];
        int[][] meanings = [.. Enumerable.Range(0, match.StudentClasses).Select(s => Array.FindAll(theirs, t => match.StudentOf(t) == s))];
        _ranks = [.. Enumerable.Range(0, meanings.Max(classes => classes.Length)).Select(k =>
            tensor([.. meanings.Select(classes => k < classes.Length ? classes[k] : none)], device: device).DetachFromDisposeScope())];
    }

    /// <summary>Probabilities [R,C_t+1], background first, as [R,C_s+1]. Several classes of one meaning are added up.</summary>
    public Tensor Probabilities(Tensor teacher)
    {
        if (_ranks.Length == 0) return teacher.alias();
        using var scope = NewDisposeScope();
        Tensor all = Objects(teacher), objects = all.index_select(1, _ranks[0]);
        foreach (Tensor further in _ranks[1..]) objects = objects.Plus(all.index_select(1, further));
        Tensor background = objects.sum(1, keepdim: true).Complement().relu_();
        return cat([background, objects], 1).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Boxes [R,C_t,4] as [R,C_s,4]; [R,1,4] stays as it is. Of several classes of one meaning the likeliest's; of a class that the
    /// teacher lacks
    /// the box that was asked about.
    /// </summary>
    /// <param name="probabilities">[R,C_t+1].</param>
    /// <param name="asked">[R,4].</param>
    public Tensor Boxes(Tensor teacher, Tensor probabilities, Tensor asked)
    {
        if (_ranks.Length == 0 || teacher.shape[1] == 1) return teacher.alias();
        using var scope = NewDisposeScope();
        Tensor objects = Objects(probabilities), all = cat([teacher, asked.unsqueeze(1)], 1);
        Tensor boxes = all.index_select(1, _ranks[0]), best = objects.index_select(1, _ranks[0]);
        foreach (Tensor further in _ranks[1..])
        {
            Tensor others = objects.index_select(1, further);
            boxes = where(others.gt(best).unsqueeze(2), all.index_select(1, further), boxes);
            best = maximum(best, others);
        }

        return boxes.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor rank in _ranks) rank.Dispose();
    }

    /// <summary>The probabilities of the teacher's classes without background, and a class that is never there [R,C_t+1].</summary>
    private static Tensor Objects(Tensor probabilities)
        => cat([probabilities.narrow(1, 1, probabilities.shape[1] - 1), zeros_like(probabilities.narrow(1, 0, 1))], 1);
}
