using Microsoft.ML.Distillation.Estimators;

namespace Microsoft.ML.Distillation;

/// <summary>The front door of training: what this library adds to <c>mlContext.Transforms</c>.</summary>
public static class DistillationCatalog
{
    /// <summary>Trains an object detector: a teacher, or a baseline to compare a distilled student with.</summary>
    /// <param name="catalog">The catalog <c>mlContext.Transforms</c>.</param>
    /// <param name="labelColumnName">In: the classes of the image's objects, a vector of keys.</param>
    /// <param name="predictedLabelColumnName">Out: the classes of the detections, a vector of keys.</param>
    /// <param name="scoreColumnName">Out: the scores of the detections, 0 to 1, best first.</param>
    /// <param name="boundingBoxColumnName">In: the boxes of the image's objects, x0 y0 x1 y1 of each in pixels.</param>
    /// <param name="predictedBoundingBoxColumnName">Out: the boxes of the detections, x0 y0 x1 y1 of each in pixels.</param>
    /// <param name="imageColumnName">In: the image.</param>
    /// <param name="detector">The network; <see langword="null"/> for a Faster R-CNN on ResNet-18.</param>
    /// <param name="epochs">How often training sees every image; <see langword="null"/> to choose by their number.</param>
    /// <param name="validationSet">Images to choose the best epoch by, with the same columns as the training data.</param>
    public static TrainDetectorEstimator TrainDetector(
        this TransformsCatalog catalog,
        string labelColumnName = "Label",
        string predictedLabelColumnName = "PredictedLabel",
        string scoreColumnName = "Score",
        string boundingBoxColumnName = "BoundingBoxes",
        string predictedBoundingBoxColumnName = "PredictedBoundingBoxes",
        string imageColumnName = "Image",
        DetectorPlan? detector = null,
        int? epochs = null,
        IDataView? validationSet = null)
    {
        var options = new TrainDetectorOptions
        {
            LabelColumnName = labelColumnName,
            PredictedLabelColumnName = predictedLabelColumnName,
            ScoreColumnName = scoreColumnName,
            BoundingBoxColumnName = boundingBoxColumnName,
            PredictedBoundingBoxColumnName = predictedBoundingBoxColumnName,
            ImageColumnName = imageColumnName,
            Epochs = epochs,
            ValidationSet = validationSet,
        };
        return catalog.TrainDetector(detector is null ? options : options with { Detector = detector });
    }

    /// <summary>Trains an object detector: a teacher, or a baseline to compare a distilled student with.</summary>
    /// <param name="catalog">The catalog <c>mlContext.Transforms</c>.</param>
    /// <param name="options">The options.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range; the message names it.</exception>
    public static TrainDetectorEstimator TrainDetector(this TransformsCatalog catalog, TrainDetectorOptions options)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(options);
        return new TrainDetectorEstimator(catalog, options);
    }

    /// <summary>Trains a compact object detector, the student, under a larger one, the teacher.</summary>
    /// <param name="catalog">The catalog <c>mlContext.Transforms</c>.</param>
    /// <param name="teacher">The detector to learn from.</param>
    /// <param name="labelColumnName">In: the classes of the image's objects, a vector of keys.</param>
    /// <param name="predictedLabelColumnName">Out: the classes of the detections, a vector of keys.</param>
    /// <param name="scoreColumnName">Out: the scores of the detections, 0 to 1, best first.</param>
    /// <param name="boundingBoxColumnName">In: the boxes of the image's objects, x0 y0 x1 y1 of each in pixels.</param>
    /// <param name="predictedBoundingBoxColumnName">Out: the boxes of the detections, x0 y0 x1 y1 of each in pixels.</param>
    /// <param name="imageColumnName">In: the image.</param>
    /// <param name="student">The network; <see langword="null"/> for <see cref="DetectorPlan.For"/> of
    /// <see cref="LatencyClass.Balanced"/>.</param>
    /// <param name="epochs">How often training sees every image; <see langword="null"/> to choose by their number.</param>
    /// <param name="validationSet">Images to choose the best epoch by, with the same columns as the training data.</param>
    public static DistillDetectorEstimator DistillDetector(
        this TransformsCatalog catalog,
        Teacher teacher,
        string labelColumnName = "Label",
        string predictedLabelColumnName = "PredictedLabel",
        string scoreColumnName = "Score",
        string boundingBoxColumnName = "BoundingBoxes",
        string predictedBoundingBoxColumnName = "PredictedBoundingBoxes",
        string imageColumnName = "Image",
        DetectorPlan? student = null,
        int? epochs = null,
        IDataView? validationSet = null)
    {
        var options = new DistillDetectorOptions
        {
            Teacher = teacher,
            LabelColumnName = labelColumnName,
            PredictedLabelColumnName = predictedLabelColumnName,
            ScoreColumnName = scoreColumnName,
            BoundingBoxColumnName = boundingBoxColumnName,
            PredictedBoundingBoxColumnName = predictedBoundingBoxColumnName,
            ImageColumnName = imageColumnName,
            Epochs = epochs,
            ValidationSet = validationSet,
        };
        return catalog.DistillDetector(student is null ? options : options with { Student = student });
    }

    /// <summary>Trains a compact object detector, the student, under a larger one, the teacher.</summary>
    /// <param name="catalog">The catalog <c>mlContext.Transforms</c>.</param>
    /// <param name="options">The options.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range; the message names it.</exception>
    public static DistillDetectorEstimator DistillDetector(this TransformsCatalog catalog, DistillDetectorOptions options)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(options);
        return new DistillDetectorEstimator(catalog, options);
    }

    /// <summary>
    /// Trains detectors side by side on the same batches, under one pass of their teacher: a student and its controls, or students of
    /// several designs. Each comes out as if it had been alone, in less time.
    /// </summary>
    /// <param name="catalog">The catalog <c>mlContext.Transforms</c>.</param>
    /// <param name="data">The annotated images.</param>
    /// <param name="options">
    /// The options of each, <see cref="TrainDetectorOptions"/> or <see cref="DistillDetectorOptions"/>. The teachers are one teacher, and
    /// what concerns data, device, seed, batches and epochs is the same in all.
    /// </param>
    /// <returns>The fitted detectors, in the order of the options.</returns>
    /// <exception cref="ArgumentException">An option is missing or out of its range, or differs where it may not; the message names
    /// it.</exception>
    public static IReadOnlyList<DetectorTransformer> FitSideBySide(
        this TransformsCatalog catalog, IDataView data, params IReadOnlyList<DetectorEstimatorOptions> options)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(options);
        foreach (DetectorEstimatorOptions one in options) one.Validate();
        return new DetectorTraining(catalog, nameof(FitSideBySide)).Fit(data, [.. options.Select(one => one.Setup)]);
    }

    /// <summary>
    /// Quantises a trained detector without training it, with ranges taken from the images that it is fitted to. The control that trained
    /// low precision (<see cref="DetectorEstimatorOptions.Precision"/>) is compared with.
    /// </summary>
    /// <param name="catalog">The catalog <c>mlContext.Transforms</c>.</param>
    /// <param name="options">The options.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range; the message names it.</exception>
    public static QuantizeDetectorEstimator QuantizeDetector(this TransformsCatalog catalog, QuantizeDetectorOptions options)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(options);
        return new QuantizeDetectorEstimator(catalog, options);
    }

    /// <summary>Labels images with a detector, so that others can be trained on them (Data Distillation).</summary>
    /// <param name="catalog">The catalog <c>mlContext.Transforms</c>.</param>
    /// <param name="teacher">The detector that labels.</param>
    /// <param name="labelledSet">Annotated images, prepared as for training: they give the classes, and how many objects an image
    /// has.</param>
    public static LabelWithTeacherEstimator LabelWithTeacher(this TransformsCatalog catalog, Teacher teacher, IDataView labelledSet)
        => catalog.LabelWithTeacher(new LabelWithTeacherOptions { Teacher = teacher, LabelledSet = labelledSet });

    /// <summary>Labels images with a detector, so that others can be trained on them (Data Distillation).</summary>
    /// <param name="catalog">The catalog <c>mlContext.Transforms</c>.</param>
    /// <param name="options">The options.</param>
    /// <exception cref="ArgumentException">An option is missing or out of its range; the message names it.</exception>
    public static LabelWithTeacherEstimator LabelWithTeacher(this TransformsCatalog catalog, LabelWithTeacherOptions options)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(options);
        return new LabelWithTeacherEstimator(catalog, options);
    }
}
