using System.Text.Json;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Reports;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Training;

namespace Microsoft.ML.Distillation;

/// <summary>
/// A detector that this library trained, to go on with: to fine-tune it, to distil it, to compress it, or to quantise it.
/// </summary>
public sealed class TrainedDetector
{
    private readonly string _source;

    private TrainedDetector(OnnxModelFile model, string source = "the detector")
    {
        (Model, _source) = (model, source);
        ClassNames = DetectorGraph.ClassNames(model, char.ToUpperInvariant(source[0]) + source[1..]);
    }

    /// <summary>The classes that it knows.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>
    /// Whether its file is the plain or the raw form, which take images at the network's size alone: no <see cref="DetectorTransformer"/>
    /// can be made of it.
    /// </summary>
    public bool IsPlain => DetectorGraph.IsPlain(Model);

    /// <summary>Whether it is of the one-stage family.</summary>
    internal bool IsOneStage
    {
        get
        {
            using JsonDocument architecture = JsonDocument.Parse(Model.Metadata[DetectorGraph.ArchitectureKey]);
            return architecture.RootElement.TryGetProperty(OneStageConfig.Family, out _);
        }
    }

    /// <summary>Its export, which holds all of it.</summary>
    internal OnnxModelFile Model { get; }

    /// <summary>A detector from its file.</summary>
    /// <param name="path">
    /// An ML.NET model (.zip) that holds one detector, or an .onnx that <c>SaveOnnx</c> wrote, in either form; or trained weights before
    /// their export: the file of <see cref="DetectorEstimatorOptions.TrainedWeightsPath"/>, one that an error after training names, or a
    /// checkpoint, of which the best model so far is taken. Weights need TorchSharp's native libraries, and their export is not held to
    /// the network on images, as that of <c>Fit</c> is.
    /// </param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">The file is of another kind, or holds no detector of this library, or several.</exception>
    public static TrainedDetector FromModel(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!TrainedWeightsFile.IsWeights(path)) return new TrainedDetector(FittedDetectors.In(path), $"'{path}'");
        TorchLibrary.Require();
        return new TrainedDetector(TrainedWeightsFile.Export(path, TrainingRecord.Key), $"'{path}'");
    }

    /// <summary>The detector of a checkpoint as it was after the last step, not after its best epoch.</summary>
    /// <param name="checkpoint">The file in <see cref="TrainingOptions.CheckpointDirectory"/>.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">The file is no checkpoint, or damaged.</exception>
    public static TrainedDetector FromLastEpoch(string checkpoint)
    {
        ArgumentException.ThrowIfNullOrEmpty(checkpoint);
        if (!File.Exists(checkpoint)) throw new FileNotFoundException($"There is no checkpoint '{checkpoint}'.", checkpoint);
        if (!TrainedWeightsFile.IsWeights(checkpoint)) throw new FormatException($"'{checkpoint}' is no checkpoint.");
        TorchLibrary.Require();
        return new TrainedDetector(TrainedWeightsFile.Export(checkpoint, TrainingRecord.Key, last: true), $"'{checkpoint}'");
    }

    /// <summary>
    /// Every setting of its training by name, also those that the data decided, and a fingerprint of the data; empty for a model that says
    /// nothing of it.
    /// </summary>
    public IReadOnlyDictionary<string, string> TrainingSettings => TrainingRecord.In(Model.Metadata)?.Settings ?? [];

    /// <summary>The versions of what it was trained with by name; likewise.</summary>
    public IReadOnlyDictionary<string, string> TrainingVersions => TrainingRecord.In(Model.Metadata)?.Versions ?? [];

    /// <summary>A detector fresh from <c>Fit</c> or loaded by ML.NET.</summary>
    /// <param name="model">The fitted detector, or a chain that holds one.</param>
    /// <exception cref="ArgumentException">The model holds no detector of this library, or several.</exception>
    public static TrainedDetector FromModel(ITransformer model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new TrainedDetector(FittedDetectors.In(model));
    }

    /// <summary>
    /// The same detector with its layers taken apart into the parts that come closest to them: Tucker-2 decomposition of its
    /// convolutions, singular value decomposition of its fully connected layers. It is meant to be trained further
    /// (<see cref="DetectorEstimatorOptions.InitialStudent"/>), alone or under a teacher. Needs TorchSharp's native libraries.
    /// </summary>
    /// <param name="options">What remains of it; its <see cref="CompressionOptions.Report"/> is told the reconstruction errors.</param>
    /// <exception cref="ArgumentException">
    /// The options do not fit the detector, or its layers are in parts already; the message says which.
    /// </exception>
    public TrainedDetector Compressed(CompressionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        using Detector whole = DetectorFile.Load(Model);
        if (whole.Precision is { } precision)
            throw new ArgumentException($"The detector is of low precision ({precision}): compress the full-precision one, and lower its "
                + $"parts' precision.", nameof(options));
        using Detector parts = whole switch
        {
            FasterRcnn detector => DetectorCompressor.Compress(detector, options),
            OneStageDetector detector => DetectorCompressor.Compress(detector, options),
            _ => throw new ArgumentException($"Detectors of the kind {whole.GetType().Name} cannot be compressed.", nameof(options)),
        };
        return new TrainedDetector(DetectorFile.Export(parts));
    }

    /// <summary>Writes the detector as one ONNX file, as <c>SaveOnnx</c> of a fitted model does.</summary>
    /// <param name="path">The file to write. It appears whole or not at all.</param>
    /// <exception cref="FormatException">The detector comes from a file of the plain form, of which no other can be made.</exception>
    public void SaveOnnx(string path) => SaveOnnx(path, new OnnxExportOptions());

    /// <param name="plain">Whether to leave the preparation of the image to the caller.</param>
    /// <inheritdoc cref="SaveOnnx(string)"/>
    public void SaveOnnx(string path, bool plain)
    {
        SaveOnnx(path, new OnnxExportOptions { Form = plain ? OnnxForm.Plain : OnnxForm.Whole });
    }

    /// <summary>
    /// Writes the detector as one ONNX file in a form and a precision of your choice, as <c>SaveOnnx</c> of a fitted model does.
    /// </summary>
    /// <param name="path">The file to write. It appears whole or not at all.</param>
    /// <param name="options">Form, precision and score.</param>
    /// <exception cref="FormatException">The detector comes from a file of another form than the whole one, of which no other can be
    /// made.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The score is not above 0 and at most 1.</exception>
    /// <exception cref="NotSupportedException">The detector has no such form: a Faster R-CNN no raw one, one of low precision none in half
    /// precision, the raw one none with a score.</exception>
    /// <exception cref="InvalidOperationException">What was made does not agree with the whole form; the message gives the figures.
    /// </exception>
    public void SaveOnnx(string path, OnnxExportOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(options);
        CheckIsFull();
        AtomicFile.Write(path, ExportedForm.Of(Model, options).ToBytes());
    }

    /// <summary>
    /// Writes the detector as an ML.NET model (.zip): the pipeline from an image's file (the column <c>ImagePath</c>) to the names, scores
    /// and boxes of what is in it (<c>PredictedLabel</c> as text, <c>Score</c>, <c>PredictedBoundingBoxes</c>).
    /// </summary>
    /// <param name="path">The file to write. It appears whole or not at all.</param>
    /// <exception cref="FormatException">The detector comes from a file of the plain form, which takes no images of any size.</exception>
    public void SavePipeline(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        CheckIsFull();
        var context = new MLContext();
        IDataView files = context.Data.LoadFromEnumerable<DetectionRow>([]);
        ITransformer loadImages = context.Transforms.LoadUprightImages("Image", inputColumnName: nameof(DetectionRow.ImagePath)).Fit(files);
        IDataView images = loadImages.Transform(files);
        using DetectorTransformer transformer = ToTransformer(context, images.Schema);
        ITransformer toNames = context.Transforms.Conversion.MapKeyToValue("PredictedLabel").Fit(transformer.Transform(images));
        using var zip = new MemoryStream();
        context.Model.Save(new TransformerChain<ITransformer>(loadImages, transformer, toNames), files.Schema, zip);
        AtomicFile.Write(path, zip.GetBuffer().AsSpan(0, (int)zip.Length));
    }

    /// <summary>The detector as a transformer, as <c>Fit</c> gives it.</summary>
    /// <param name="mlContext">The context.</param>
    /// <param name="inputSchema">The columns of the data to come, among them <c>Image</c>.</param>
    public DetectorTransformer ToTransformer(MLContext mlContext, DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new DetectorTransformer(mlContext.Transforms, Model, new DetectorColumns(), inputSchema);
    }

    private void CheckIsFull()
    {
        if (DetectorGraph.IsPlain(Model)) throw new FormatException(
            $"{_source} is the {(RawForm.Is(Model) ? "raw" : "plain")} form already, of which no other can be made: export the model "
                + $"that it came from.");
    }

    /// <summary>The network, to train it further on data of these classes.</summary>
    /// <exception cref="ArgumentException">It knows other classes.</exception>
    internal Detector Open(IReadOnlyList<string> classNames)
    {
        if (ClassNames.SequenceEqual(classNames)) return DetectorFile.Load(Model);
        throw new ArgumentException(
            $"The detector of {nameof(DetectorEstimatorOptions.InitialStudent)} knows {string.Join(", ", ClassNames)}; the data have "
                + $"{string.Join(", ", classNames)}. It can be trained further on data of just its classes, in whatever order.");
    }

    /// <summary>The network, with its precision lowered.</summary>
    /// <param name="option">The option that names this detector, for the error message.</param>
    /// <exception cref="ArgumentException">It is of low precision already.</exception>
    internal Detector Lowered(LowPrecision precision, string option)
    {
        Detector detector = DetectorFile.Load(Model);
        if (detector.Precision is { } already)
        {
            detector.Dispose();
            throw new ArgumentException($"The detector of {option} is of low precision already ({already}): give the full-precision one.",
                option);
        }

        detector.LowerPrecision(precision);
        return detector;
    }
}
