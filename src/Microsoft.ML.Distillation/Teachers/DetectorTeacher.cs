using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Teachers;

/// <summary>
/// A Faster R-CNN of this library as a teacher: it runs its own RPN and its own box head on the student's anchors and proposals
/// (Chen et al., Learning Efficient Object Detection Models with Knowledge Distillation, NIPS 2017).
/// </summary>
internal sealed class DetectorTeacher : ITeacher
{
    private readonly FasterRcnn _detector;
    private readonly Device _device;
    private readonly ClassMap _classes;
    private readonly Tensor _inputSize;
    private readonly Dictionary<Tensor, AnchorMap> _anchorMaps = new(ReferenceEqualityComparer.Instance);

    /// <param name="detector">The detector, which from now on belongs to the teacher.</param>
    /// <param name="studentClasses">The student's classes, in whose order the teacher answers.</param>
    /// <param name="device">Where the teacher runs.</param>
    /// <exception cref="ArgumentException">The detector lacks a class of the student; the message names it.</exception>
    public DetectorTeacher(FasterRcnn detector, IReadOnlyList<string> studentClasses, Device device)
    {
        _classes = new ClassMap(detector.ClassNames, studentClasses, device);
        _device = device;
        _detector = detector.to(device);
        _detector.eval();
        foreach (Tensor parameter in _detector.parameters()) parameter.requires_grad_(false);
        float width = detector.InputSize.Width, height = detector.InputSize.Height;
        _inputSize = tensor([width, height, width, height], device: device).DetachFromDisposeScope();
    }

    public ImageSize InputSize => _detector.InputSize;

    public IReadOnlyList<(string Name, int Channels)> FeatureMaps => _detector.FeatureMaps;

    public bool ComputesInBFloat16 => true;

    public ITeacherView View(Tensor images)
    {
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        IReadOnlyDictionary<string, Tensor> features = _detector.Features(images.to(_device));
        foreach (Tensor map in features.Values) map.DetachFromDisposeScope();
        return new BatchView(this, features);
    }

    public IReadOnlyList<Detections> Detect(Tensor images, IReadOnlyList<ImageSize> sizes)
        => [.. _detector.Detect(images.to(_device)).Select(_classes.Detections)];

    public void Dispose()
    {
        foreach (AnchorMap map in _anchorMaps.Values) map.Dispose();
        _inputSize.Dispose();
        _classes.Dispose();
        _detector.Dispose();
    }

    /// <summary>The match of a student's anchors, made once for all batches.</summary>
    private AnchorMap MapAnchors(Tensor anchors)
    {
        if (!_anchorMaps.TryGetValue(anchors, out AnchorMap? map))
        {
            using var scope = NewDisposeScope();
            _anchorMaps[anchors] = map = AnchorMap.Between(anchors, _detector.Anchors.to(_device).div(_inputSize));
        }

        return map;
    }

    /// <summary>The detector's knowledge of one batch; the feature maps, which all questions share, are computed once.</summary>
    private sealed class BatchView(DetectorTeacher teacher, IReadOnlyDictionary<string, Tensor> features) : ITeacherView
    {
        private RpnOutput? _rpn;

        public Tensor Feature(string name) => features[name];

        public BoxScores ScoreBoxes(IReadOnlyList<Tensor> boxes)
        {
            using var scope = NewDisposeScope();
            using IDisposable frozen = no_grad();
            Tensor[] pixels = [.. boxes.Select(shares => shares.mul(teacher._inputSize))];
            HeadOutput head = teacher._detector.Head(features, pixels);
            Tensor refined = FasterRcnn.HeadCoder.Decode(head.Deltas, cat(pixels).unsqueeze(1)).div(teacher._inputSize);
            Tensor probabilities = teacher._classes.Probabilities(head.ClassLogits.softmax(1));
            return new BoxScores(probabilities.MoveToOuterDisposeScope(), teacher._classes.Boxes(refined).MoveToOuterDisposeScope());
        }

        public AnchorScores ScoreAnchors(Tensor anchors)
        {
            using var scope = NewDisposeScope();
            using IDisposable frozen = no_grad();
            AnchorMap map = teacher.MapAnchors(anchors);
            RpnOutput rpn = _rpn ??= Rpn();
            Tensor refined = FasterRcnn.RpnCoder.Decode(rpn.Deltas, teacher._detector.Anchors).div(teacher._inputSize);
            return new AnchorScores(
                map.Select(rpn.Objectness.sigmoid()).MoveToOuterDisposeScope(), map.Select(refined).MoveToOuterDisposeScope(),
                map.Known.unsqueeze(0).expand(rpn.Objectness.shape[0], -1).MoveToOuterDisposeScope());
        }

        public void Dispose()
        {
            foreach (Tensor map in features.Values) map.Dispose();
            _rpn?.Objectness.Dispose();
            _rpn?.Deltas.Dispose();
        }

        private RpnOutput Rpn()
        {
            RpnOutput rpn = teacher._detector.Rpn(features);
            rpn.Objectness.DetachFromDisposeScope();
            rpn.Deltas.DetachFromDisposeScope();
            return rpn;
        }
    }
}

/// <summary>Finds for each of a student's anchors the teacher's anchor that is most like it.</summary>
/// <param name="Rows">For each of the student's A anchors the index of the teacher's [A]; <see langword="null"/> where both have the same.</param>
/// <param name="Known">Whether the two overlap enough for the teacher's answer to mean anything [A].</param>
internal sealed record AnchorMap(Tensor? Rows, Tensor Known) : IDisposable
{
    /// <summary>The overlap (IoU) from which on two anchors ask about the same thing.</summary>
    private const double LeastOverlap = 0.5;

    private const long ChunkElements = 4 << 20;

    /// <summary>Matches the anchors, both in shares of the image.</summary>
    public static AnchorMap Between(Tensor student, Tensor teacher)
    {
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        if (student.shape[0] == teacher.shape[0] && student.allclose(teacher, rtol: 0, atol: 1e-5))
            return new AnchorMap(null, ones(student.shape[0], ScalarType.Bool, student.device).DetachFromDisposeScope());

        var rows = new List<Tensor>();
        var overlaps = new List<Tensor>();
        foreach (Tensor chunk in student.split(Math.Max(1, ChunkElements / teacher.shape[0])))
        {
            using var inner = NewDisposeScope();
            (Tensor best, Tensor index) = BoxOps.Iou(chunk, teacher).max(1);
            overlaps.Add(best.MoveToOuterDisposeScope());
            rows.Add(index.MoveToOuterDisposeScope());
        }

        using Scalar least = LeastOverlap;
        return new AnchorMap(cat(rows).DetachFromDisposeScope(), cat(overlaps).ge(least).DetachFromDisposeScope());
    }

    /// <summary>From answers for the teacher's anchors [N,A_t,...] those for the student's [N,A,...].</summary>
    public Tensor Select(Tensor teacher) => Rows is null ? teacher.alias() : teacher.index_select(1, Rows);

    /// <inheritdoc/>
    public void Dispose()
    {
        Rows?.Dispose();
        Known.Dispose();
    }
}

/// <summary>
/// Brings a teacher's answers into the student's order of classes. Classes are the same where their names are; what a teacher
/// knows beyond the student's classes counts as background.
/// </summary>
internal sealed class ClassMap : IDisposable
{
    private readonly Tensor? _columns;
    private readonly int[] _studentOf;

    /// <exception cref="ArgumentException">The teacher lacks a class of the student; the message names it.</exception>
    public ClassMap(IReadOnlyList<string> teacherClasses, IReadOnlyList<string> studentClasses, Device device)
    {
        string[] missing = [.. studentClasses.Except(teacherClasses)];
        if (missing.Length > 0)
        {
            throw new ArgumentException(
                $"The teacher does not know the class {string.Join(", ", missing.Select(name => $"'{name}'"))}; it knows "
                + $"{string.Join(", ", teacherClasses.Select(name => $"'{name}'"))}. Classes are matched by name.");
        }

        _studentOf = [.. teacherClasses.Select(name => studentClasses.ToList().IndexOf(name))];
        long[] columns = [.. studentClasses.Select(name => (long)teacherClasses.ToList().IndexOf(name))];
        bool same = teacherClasses.Count == columns.Length && columns.Select((column, c) => column == c).All(equal => equal);
        _columns = same ? null : tensor(columns, device: device).DetachFromDisposeScope();
    }

    /// <summary>Probabilities [R,C_t+1], background first, as [R,C_s+1].</summary>
    public Tensor Probabilities(Tensor teacher)
    {
        if (_columns is null) return teacher.alias();
        using var scope = NewDisposeScope();
        using Scalar one = 1;
        Tensor objects = teacher.index_select(1, _columns.add(one, one));
        Tensor background = objects.sum(1, keepdim: true).Complement().relu_();
        return cat([background, objects], 1).MoveToOuterDisposeScope();
    }

    /// <summary>Boxes [R,C_t,4] as [R,C_s,4]; [R,1,4] stays as it is.</summary>
    public Tensor Boxes(Tensor teacher) => _columns is null || teacher.shape[1] == 1 ? teacher.alias() : teacher.index_select(1, _columns);

    /// <summary>Detections in the student's classes, without those of other classes.</summary>
    public Detections Detections(Detections teacher)
    {
        int[] known = [.. Enumerable.Range(0, teacher.Count).Where(i => _studentOf[teacher.Labels[i]] >= 0)];
        return new Detections(
            [.. known.SelectMany(i => teacher.Boxes[(4 * i)..(4 * i + 4)])],
            [.. known.Select(i => teacher.Scores[i])],
            [.. known.Select(i => _studentOf[teacher.Labels[i]])]);
    }

    /// <inheritdoc/>
    public void Dispose() => _columns?.Dispose();
}
