using Microsoft.ML.Distillation.Estimators;
using Microsoft.ML.Distillation.Model;

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
    /// The bits that the network's layers compute with, in training and in the fitted model. <see langword="null"/>: full precision.
    /// </summary>
    public LowPrecision? Precision { get; init; }

    /// <summary>
    /// A trained full-precision detector to start from, in the place of a fresh network: its architecture and input size count, not those
    /// of the planned network, and it stays as it is itself. With it comes a tenth of the usual learning rate, unless one is set.
    /// <see langword="null"/>: start fresh.
    /// </summary>
    public TrainedDetector? InitialStudent { get; init; }

    /// <summary>
    /// Further images with labels of less worth than those of the training data, as <c>LabelWithTeacher</c> generates them; with the same
    /// columns. Those without any label are not used. In each batch they have 1 − <see cref="LabelledShare"/>. An epoch then shows as
    /// many images as both sets have together:
    /// of 40 and 160 images, 200, of which 120 are drawn from the 40 and 80 from the 160. Default numbers of epochs count them all.
    /// </summary>
    public IDataView? GeneratedSet { get; init; }

    /// <summary>
    /// The share of the labelled images in every batch, where there are others too; above 0 and below 1. 0.6 is that of Radosavovic et
    /// al., Data Distillation (CVPR 2018). Where the batch size does not allow it, batches take turns so that it holds over them.
    /// </summary>
    public double LabelledShare { get; init; } = 0.6;

    /// <summary>
    /// A file for the trained weights (.safetensors), written as soon as training has ended and before anything is exported, and left
    /// there: whatever happens then, <see cref="TrainedDetector.FromModel(string)"/> takes up from it. <see langword="null"/>: they are
    /// written only where something fails after training, to <see cref="TrainingOptions.CheckpointDirectory"/> or the user's folder for
    /// application data; the error names the file.
    /// </summary>
    public string? TrainedWeightsPath { get; init; }

    internal override void Validate()
    {
        base.Validate();
        if (MixedPrecision && Precision is not null)
            throw new ArgumentException($"The option {nameof(MixedPrecision)} does not go with {nameof(Precision)}: bfloat16 would round "
                + $"what the quantisers round.", nameof(MixedPrecision));
        Check(LabelledShare is > 0 and < 1, nameof(LabelledShare), LabelledShare, "above 0 and below 1");
    }

    /// <summary>What these options ask to be trained.</summary>
    internal abstract TrainingSetup Setup { get; }

    internal DetectorColumns Columns => new(ImageColumnName, PredictedLabelColumnName, ScoreColumnName, PredictedBoundingBoxColumnName);
}
