using Microsoft.ML.Distillation.Estimators;

namespace Microsoft.ML.Distillation;

/// <summary>The options that all detector estimators have: how training goes, and the names of the columns.</summary>
public abstract record DetectorEstimatorOptions : TrainingOptions
{
    private protected DetectorEstimatorOptions()
    {
    }

    /// <summary>In: the classes of the image's objects, a vector of keys.</summary>
    public string LabelColumnName { get; init; } = "Label";

    /// <summary>In: the boxes of the image's objects, a vector of x0 y0 x1 y1 in pixels of the loaded image.</summary>
    public string BoundingBoxColumnName { get; init; } = "BoundingBoxes";

    /// <summary>In: the image. The only column that a fitted model needs.</summary>
    public string ImageColumnName { get; init; } = "Image";

    /// <summary>Out: the classes of the detections, a vector of keys.</summary>
    public string PredictedLabelColumnName { get; init; } = "PredictedLabel";

    /// <summary>Out: the scores of the detections, 0 to 1, best first.</summary>
    public string ScoreColumnName { get; init; } = "Score";

    /// <summary>Out: the boxes of the detections, x0 y0 x1 y1 of each in pixels of the image.</summary>
    public string PredictedBoundingBoxColumnName { get; init; } = "PredictedBoundingBoxes";

    /// <summary>
    /// Images to measure the model on during training; the best model by COCO's AP is kept. It has the same columns as the training
    /// data, so it goes through the same preparing steps. <see langword="null"/>: the last model is kept.
    /// </summary>
    public IDataView? ValidationSet { get; init; }

    /// <summary>
    /// A trained detector to start from, in the place of a fresh network: its architecture and input size count, not those of the
    /// planned network, and it stays as it is itself. With it comes a tenth of the usual learning rate, unless one is set.
    /// <see langword="null"/>: start fresh.
    /// </summary>
    public TrainedDetector? InitialStudent { get; init; }

    /// <summary>What these options ask to be trained.</summary>
    internal abstract Candidate Candidate { get; }

    internal DetectorColumns Columns => new(ImageColumnName, PredictedLabelColumnName, ScoreColumnName, PredictedBoundingBoxColumnName);
}
