using Microsoft.ML.Distillation.Model;

namespace Microsoft.ML.Distillation;

/// <summary>The options of <see cref="QuantizeDetectorEstimator"/>.</summary>
public sealed record QuantizeDetectorOptions
{
    /// <summary>The full-precision detector. It stays as it is.</summary>
    public required TrainedDetector Detector { get; init; }

    /// <summary>The bits to compute with.</summary>
    public LowPrecision Precision { get; init; } = LowPrecision.W8A8;

    /// <summary>How many images the ranges of the layers' inputs are taken from, the first of the data; at least 1.</summary>
    public int CalibrationImages { get; init; } = 64;

    /// <summary>In: the image. The only column that is needed.</summary>
    public string ImageColumnName { get; init; } = "Image";

    /// <summary>Out: the classes of the detections, a vector of keys.</summary>
    public string PredictedLabelColumnName { get; init; } = "PredictedLabel";

    /// <summary>Out: the scores of the detections, 0 to 1, best first.</summary>
    public string ScoreColumnName { get; init; } = "Score";

    /// <summary>Out: the boxes of the detections, x0 y0 x1 y1 of each in pixels of the image.</summary>
    public string PredictedBoundingBoxColumnName { get; init; } = "PredictedBoundingBoxes";

    internal DetectorColumns Columns => new(ImageColumnName, PredictedLabelColumnName, ScoreColumnName, PredictedBoundingBoxColumnName);

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Detector, nameof(Detector));
        ArgumentNullException.ThrowIfNull(Precision, nameof(Precision));
        if (CalibrationImages < 1)
            throw new ArgumentOutOfRangeException(nameof(CalibrationImages), CalibrationImages,
                $"The option {nameof(CalibrationImages)} must be at least 1.");
    }
}
