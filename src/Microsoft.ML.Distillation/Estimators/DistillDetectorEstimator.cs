using Microsoft.ML.Distillation.Estimators;

namespace Microsoft.ML.Distillation;

/// <summary>
/// Trains a compact object detector, the student, under a larger one, the teacher, after Chen et al., Learning Efficient Object
/// Detection Models with Knowledge Distillation (NIPS 2017). Made by
/// <see cref="DistillationCatalog.DistillDetector(TransformsCatalog, DistillDetectorOptions)"/>.
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
public sealed class DistillDetectorEstimator : IEstimator<DetectorTransformer>
{
    private readonly TransformsCatalog _catalog;
    private readonly DistillDetectorOptions _options;

    internal DistillDetectorEstimator(TransformsCatalog catalog, DistillDetectorOptions options)
    {
        options.Validate();
        _catalog = catalog;
        _options = options;
    }

    /// <summary>Trains the student.</summary>
    /// <exception cref="ArgumentException">
    /// A column is missing or of a wrong type, or the teacher knows no class of the data.
    /// </exception>
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
        => new DetectorTraining(_catalog, nameof(DistillationCatalog.DistillDetector)).Fit(input, _options.Setup);

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => DetectorSchema.Output(_catalog, inputSchema, _options);
}
