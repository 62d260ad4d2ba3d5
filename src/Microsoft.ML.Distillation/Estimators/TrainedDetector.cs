using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Estimators;
using Microsoft.ML.Distillation.Onnx;

namespace Microsoft.ML.Distillation;

/// <summary>A detector that this library trained, to go on with: to fine-tune it, or to quantise it.</summary>
public sealed class TrainedDetector
{
    private TrainedDetector(OnnxModelFile model)
    {
        Model = model;
        ClassNames = DetectorGraph.ClassNames(model);
    }

    /// <summary>The classes that it knows.</summary>
    public IReadOnlyList<string> ClassNames { get; }

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
