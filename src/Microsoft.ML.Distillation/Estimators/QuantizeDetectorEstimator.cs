using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Quantization;
using Microsoft.ML.Distillation.Estimators;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Training;
using Microsoft.ML.Runtime;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation;

/// <summary>
/// Quantises a trained detector without training it: weights are rounded, and the ranges of the layers' inputs are the lowest and
/// highest values that they show on images. What everyone would try first; where it costs too much, train with
/// <see cref="DetectorEstimatorOptions.Precision"/>. Made by
/// <see cref="DistillationCatalog.QuantizeDetector(TransformsCatalog, QuantizeDetectorOptions)"/>.
/// </summary>
/// <remarks>
/// In: an image column, of which <see cref="QuantizeDetectorOptions.CalibrationImages"/> rows are read; out: as every detector here.
/// Fitting needs TorchSharp's native libraries; the fitted model does not.
/// </remarks>
public sealed class QuantizeDetectorEstimator : IEstimator<DetectorTransformer>
{
    private readonly TransformsCatalog _catalog;
    private readonly QuantizeDetectorOptions _options;

    internal QuantizeDetectorEstimator(TransformsCatalog catalog, QuantizeDetectorOptions options)
    {
        options.Validate();
        (_catalog, _options) = (catalog, options);
    }

    /// <summary>Quantises the detector.</summary>
    /// <param name="input">Images like those that the detector will see; labels are not needed.</param>
    /// <exception cref="ArgumentException">The column is missing or of a wrong type, or the detector is of low precision
    /// already.</exception>
    /// <exception cref="InvalidDataException">A row has no image, or there are no rows.</exception>
    public DetectorTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        OnnxRuntimeLibrary.Require();
        TorchLibrary.Require();
        using IChannel channel = EnvironmentSettings.EnvironmentOf(_catalog).Register(nameof(DistillationCatalog.QuantizeDetector))
            .Start("Calibrating");
        using var images = new CalibrationImages(input, _options.ImageColumnName, _options.CalibrationImages, _options.Detector.ClassNames);
        if (images.Warning is { } warning) channel.Warning(MessageSensitivity.UserData, warning);
        using var scope = NewDisposeScope();
        using Detector detector = _options.Detector
            .Lowered(_options.Precision, $"{nameof(QuantizeDetectorOptions)}.{nameof(QuantizeDetectorOptions.Detector)}");
        detector.eval();
        DeadLayers.Warn(channel, detector);
        LowPrecisionLayers.Calibrate(detector, () =>
        {
            for (int i = 0; i < images.Count; i++)
            {
                using var step = NewDisposeScope();
                using DetectionBatch batch = BatchLoader.Load(images, [i], detector.InputSize);
                detector.Detect(batch.Views[0]);
            }
        });
        OnnxModelFile model = DetectorFile.Export(detector);
        ExportAgreement agreement = ExportCheck.Run(detector, model, images, channel);
        channel.Info(MessageSensitivity.None,
            $"Calibrated on {Counted.Of(images.Count, "image")} and exported to ONNX; against the quantised network: {agreement}");
        return new DetectorTransformer(_catalog, model, _options.Columns, input.Schema);
    }

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => DetectorSchema.Output(_catalog, inputSchema, _options.Columns);
}
