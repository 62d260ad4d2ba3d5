using System.Text.Json;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Onnx;

namespace Microsoft.ML.Distillation;

/// <summary>
/// A detector that this library trained, to go on with: to fine-tune it, to distil it, to compress it, or to quantise it.
/// </summary>
public sealed class TrainedDetector
{
    private TrainedDetector(OnnxModelFile model)
    {
        Model = model;
        ClassNames = DetectorGraph.ClassNames(model);
    }

    /// <summary>The classes that it knows.</summary>
    public IReadOnlyList<string> ClassNames { get; }

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
    /// <param name="path">An ML.NET model (.zip) that holds one detector, or an .onnx that <c>SaveOnnx</c> wrote, in either form.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">The file is of another kind, or holds no detector of this library, or several.</exception>
    public static TrainedDetector FromModel(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new TrainedDetector(FittedDetectors.In(path));
    }

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
            throw new ArgumentException($"The detector is of low precision ({precision}): compress the full-precision one, and lower its parts' precision.", nameof(options));
        using Detector parts = whole switch
        {
            FasterRcnn detector => DetectorCompressor.Compress(detector, options),
            OneStageDetector detector => DetectorCompressor.Compress(detector, options),
            _ => throw new ArgumentException($"Detectors of the kind {whole.GetType().Name} cannot be compressed.", nameof(options)),
        };
        return new TrainedDetector(DetectorFile.Export(parts));
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

    /// <summary>The network, to train it further on data of these classes.</summary>
    /// <exception cref="ArgumentException">It knows other classes.</exception>
    internal Detector Open(IReadOnlyList<string> classNames)
    {
        if (ClassNames.SequenceEqual(classNames)) return DetectorFile.Load(Model);
        throw new ArgumentException(
            $"The detector of {nameof(DetectorEstimatorOptions.InitialStudent)} knows {string.Join(", ", ClassNames)}; the data have {string.Join(", ", classNames)}.");
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
            throw new ArgumentException($"The detector of {option} is of low precision already ({already}): give the full-precision one.", option);
        }

        detector.LowerPrecision(precision);
        return detector;
    }
}
