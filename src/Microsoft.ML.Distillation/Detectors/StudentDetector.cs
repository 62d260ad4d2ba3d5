using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;

namespace Microsoft.ML.Distillation;

/// <summary>
/// A plan of a detector network, to be built when the training data are known: which family, which backbone, how large an
/// input. Students and teachers are planned alike.
/// </summary>
public abstract record StudentDetector
{
    private protected StudentDetector()
    {
    }

    /// <summary>A two-stage detector, Faster R-CNN (Ren et al. 2015).</summary>
    /// <param name="backbone">The network that makes the feature maps.</param>
    /// <param name="inputSize">The longer side of the input in pixels.</param>
    /// <param name="options">Further settings; its <see cref="FasterRcnnOptions.InputSize"/> gives way to <paramref name="inputSize"/>.</param>
    /// <exception cref="ArgumentException">A setting cannot be; the message names it.</exception>
    public static StudentDetector FasterRcnn(Backbone backbone, int inputSize = 320, FasterRcnnOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(backbone);
        var plan = new FasterRcnnPlan(backbone, (options ?? new FasterRcnnOptions()) with { InputSize = inputSize });
        plan.Validate();
        return plan;
    }

    /// <summary>A one-stage detector without anchors, of the GFL family (Li et al., Generalized Focal Loss, 2020).</summary>
    /// <param name="backbone">The network that makes the feature maps, without a pyramid of its own.</param>
    /// <param name="inputSize">The longer side of the input in pixels.</param>
    /// <param name="options">Further settings; its <see cref="OneStageOptions.InputSize"/> gives way to <paramref name="inputSize"/>.</param>
    /// <exception cref="ArgumentException">A setting cannot be; the message names it.</exception>
    public static StudentDetector OneStage(Backbone backbone, int inputSize = 320, OneStageOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(backbone);
        var plan = new OneStagePlan(backbone, (options ?? new OneStageOptions()) with { InputSize = inputSize });
        plan.Validate();
        return plan;
    }

    /// <summary>A detector with fresh weights for data of this kind.</summary>
    internal abstract Detector Build(DataStatistics data);
}
