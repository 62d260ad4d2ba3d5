using Microsoft.ML.Distillation.Estimators;

namespace Microsoft.ML.Distillation;

/// <summary>The options of <see cref="TrainDetectorEstimator"/>. What is left out adapts to the data.</summary>
public sealed record TrainDetectorOptions : DetectorEstimatorOptions
{
    /// <summary>The network to train. The default is a Faster R-CNN on ResNet-18, which can teach a smaller one.</summary>
    public DetectorPlan Detector { get; init; } = DetectorPlan.FasterRcnn(Backbone.ResNet18);

    internal override TrainingSetup Setup => new(Detector, Distillation: null, this);

    internal override void Validate()
    {
        base.Validate();
        ArgumentNullException.ThrowIfNull(Detector, nameof(Detector));
    }
}
