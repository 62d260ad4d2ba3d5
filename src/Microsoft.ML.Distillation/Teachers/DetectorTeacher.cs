using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
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
