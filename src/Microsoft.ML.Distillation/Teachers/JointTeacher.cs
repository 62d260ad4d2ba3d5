using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Tensors;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Teachers;

/// <summary>
/// A teacher that learns while it teaches. It answers in evaluation mode and without gradients, as a finished one does; its views also
/// keep the images, on which its own loss is computed.
/// </summary>
internal sealed class JointTeacher : ITeacher
{
    private readonly ITeacher _teacher;

    /// <param name="teacher">Answers for the detector, to which it belongs.</param>
    /// <param name="detector">The detector that learns.</param>
    public JointTeacher(ITeacher teacher, Detector detector)
    {
        (_teacher, Detector) = (teacher, detector);
        foreach (Tensor parameter in detector.parameters()) parameter.requires_grad_(true);
    }

    /// <summary>The detector that learns.</summary>
    public Detector Detector { get; }

    public ImageSize InputSize => _teacher.InputSize;

    public TeacherAbilities Abilities => _teacher.Abilities;

    public ITeacherView View(DetectionBatch batch)
    {
        Detector.eval();
        return new JointView(_teacher.View(batch), batch.ImagesOf(InputSize).As(batch.Precision));
    }

    /// <summary>What it finds by what it has learned so far.</summary>
    public IReadOnlyList<Detections> Detect(Tensor images, IReadOnlyList<ImageSize> sizes)
    {
        Detector.eval();
        return _teacher.Detect(images, sizes);
    }

    public void Dispose() => _teacher.Dispose();

    /// <summary>What the teacher knows of a batch now, and the batch.</summary>
    /// <param name="Images">[N,3,H,W] of the teacher's input size; not the view's to dispose of.</param>
    internal sealed record JointView(ITeacherView Answers, Tensor Images) : ITeacherView
    {
        public DenseOutput HeadAnswer => Answers.HeadAnswer;

        public Tensor Feature(string name) => Answers.Feature(name);

        public BoxScores ScoreBoxes(IReadOnlyList<Tensor> boxes) => Answers.ScoreBoxes(boxes);

        public AnchorScores ScoreAnchors(Tensor anchors) => Answers.ScoreAnchors(anchors);

        public EdgeScores ScoreEdges(IReadOnlyList<Tensor> boxes) => Answers.ScoreEdges(boxes);

        public void Dispose() => Answers.Dispose();
    }
}
