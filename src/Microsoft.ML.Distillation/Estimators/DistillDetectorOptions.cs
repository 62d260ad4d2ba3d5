using Microsoft.ML.Distillation.Estimators;

namespace Microsoft.ML.Distillation;

/// <summary>The options of <see cref="DistillDetectorEstimator"/>. Only the teacher must be given; what is left out adapts to the data.</summary>
public sealed record DistillDetectorOptions : DetectorEstimatorOptions
{
    /// <summary>The detector to learn from. It may have another backbone, input size and head than the student, and more classes.</summary>
    public required Teacher Teacher { get; init; }

    /// <summary>The network to train. The default is a Faster R-CNN on ShuffleNetV2 ×0.5.</summary>
    public StudentDetector Student { get; init; } = StudentDetector.FasterRcnn(Backbone.ShuffleNetV2_x0_5);

    /// <summary>What the student learns from the teacher, and how strongly.</summary>
    public DistillationOptions Distillation { get; init; } = new();

    internal override Candidate Candidate => new(Student, new Lesson(Teacher, Distillation), this);

    internal override void Validate()
    {
        base.Validate();
        ArgumentNullException.ThrowIfNull(Teacher, nameof(Teacher));
        ArgumentNullException.ThrowIfNull(Student, nameof(Student));
        ArgumentNullException.ThrowIfNull(Distillation, nameof(Distillation));
        Distillation.Validate();
    }
}
