using Microsoft.ML.Distillation.Estimators;

namespace Microsoft.ML.Distillation;

/// <summary>
/// Trains an object detector: teachers, and the baselines that distilled students are compared with. Made by
/// <see cref="DistillationCatalog.TrainDetector(TransformsCatalog, TrainDetectorOptions)"/>.
/// </summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>Column</term><description>Content</description></listheader>
/// <item><term>in: <c>Image</c></term><description>The image (MLImage), of any size.</description></item>
/// <item><term>in: <c>Label</c></term><description>The classes of its objects: a vector of keys. Training only.</description></item>
/// <item> <term>in: <c>BoundingBoxes</c> </term> <description>x0 y0 x1 y1 of each object in pixels: a vector of Single. Training
/// only.</description></item>
/// <item> <term>out: <c>PredictedLabel</c> </term> <description>The classes of the detections: a vector of keys with
/// names.</description></item>
/// <item><term>out: <c>Score</c></term><description>Their scores, 0 to 1, best first.</description></item>
/// <item><term>out: <c>PredictedBoundingBoxes</c></term><description>x0 y0 x1 y1 of each detection in pixels.</description></item>
/// </list>
/// Training needs TorchSharp's native libraries; the fitted model does not. Exportable to ONNX: by
/// <see cref="DetectionCatalog.SaveOnnx(ITransformer, string)"/>.
/// </remarks>
public sealed class TrainDetectorEstimator : IEstimator<DetectorTransformer>
{
    private readonly TransformsCatalog _catalog;
    private readonly TrainDetectorOptions _options;

    internal TrainDetectorEstimator(TransformsCatalog catalog, TrainDetectorOptions options)
    {
        options.Validate();
        _catalog = catalog;
        _options = options;
    }

    /// <summary>Trains the detector.</summary>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type.</exception>
    /// <exception cref="InvalidDataException">A row of the data cannot be used, or there is none.</exception>
    /// <exception cref="TrainingDivergedException">A term of the loss is not finite.</exception>
    /// <exception cref="OperationCanceledException">
    /// It was cancelled before the first epoch ended, so that there is no model; later the best model so far is returned.
    /// </exception>
    /// <exception cref="InvalidOperationException">
    /// The checkpoint is of another run, or another run writes to its folder; or the export failed. The message of what fails after
    /// training names a file with the trained weights, from which <see cref="TrainedDetector.FromModel(string)"/> takes up.
    /// </exception>
    /// <exception cref="IOException">A file cannot be written; after training as above.</exception>
    public DetectorTransformer Fit(IDataView input)
        => new DetectorTraining(_catalog, nameof(DistillationCatalog.TrainDetector)).Fit(input, _options.Setup);

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => DetectorSchema.Output(_catalog, inputSchema, _options);
}
