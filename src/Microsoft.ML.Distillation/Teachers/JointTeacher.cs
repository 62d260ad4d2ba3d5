using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Images;
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

    public IReadOnlyList<(string Name, int Channels)> FeatureMaps => _teacher.FeatureMaps;

    public bool ComputesInBFloat16 => _teacher.ComputesInBFloat16;

    public ITeacherView View(Tensor images)
    {
        Detector.eval();
        return new JointView(_teacher.View(images), images);
    }

    public void Dispose() => _teacher.Dispose();

    /// <summary>What the teacher knows of a batch now, and the batch.</summary>
    /// <param name="Images">[N,3,H,W] of the teacher's input size; not the view's to dispose of.</param>
    internal sealed record JointView(ITeacherView Answers, Tensor Images) : ITeacherView
    {
        public Tensor Feature(string name) => Answers.Feature(name);

        public BoxScores ScoreBoxes(IReadOnlyList<Tensor> boxes) => Answers.ScoreBoxes(boxes);

        public AnchorScores ScoreAnchors(Tensor anchors) => Answers.ScoreAnchors(anchors);

        public void Dispose() => Answers.Dispose();
    }
}
