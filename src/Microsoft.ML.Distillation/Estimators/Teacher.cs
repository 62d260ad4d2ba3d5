using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Estimators;
using Microsoft.ML.Distillation.Onnx;

namespace Microsoft.ML.Distillation;

/// <summary>A trained detector that a student learns from.</summary>
public sealed class Teacher
{
    private readonly OnnxModelFile _model;

    private Teacher(OnnxModelFile model) => _model = model;

    /// <summary>The classes that the teacher knows. Students' classes are matched with them by name.</summary>
    public IReadOnlyList<string> ClassNames => DetectorGraph.ClassNames(_model);

    /// <summary>A detector that this library trained, from its file.</summary>
    /// <param name="path">An ML.NET model (.zip) that holds one detector, or an .onnx that <c>SaveOnnx</c> wrote, in either form.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">The file is of another kind, or holds no detector of this library, or several.</exception>
    public static Teacher FromModel(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new Teacher(FittedDetectors.In(path));
    }

    /// <summary>A detector that this library trained, fresh from <c>Fit</c> or loaded by ML.NET.</summary>
    /// <param name="model">The fitted detector, or a chain that holds one.</param>
    /// <exception cref="ArgumentException">The model holds no detector of this library, or several.</exception>
    public static Teacher FromModel(ITransformer model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new Teacher(FittedDetectors.In(model));
    }

    /// <summary>Rebuilds the teacher's network.</summary>
    internal Detector Load() => DetectorFile.Load(_model);
}
