using Microsoft.ML.Distillation.Data;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors;

/// <summary>
/// An ONNX detector of anyone's as a teacher: it is shown the images, answers for boxes by <see cref="OverlapRule"/>, and gives any
/// tensor of its graph as a hint.
/// </summary>
internal sealed class OnnxTeacher : ITeacher
{
    private readonly OnnxDetector _detector;
    private readonly Device _device;

    /// <param name="path">The .onnx file.</param>
    /// <param name="format">What its outputs mean.</param>
    /// <param name="classNames">Its own classes, in its order.</param>
    /// <param name="studentClasses">The student's classes, in whose order the teacher answers.</param>
    /// <param name="device">Where the student trains: answers come there, wherever the model runs and the images lie. <see langword="null"/>: the CPU.</param>
    /// <exception cref="ArgumentException">The two have no class in common, or an option does not fit the model.</exception>
    /// <exception cref="FormatException">The file cannot be loaded, or its outputs are not of the format.</exception>
    public OnnxTeacher(
        string path, TeacherFormat format, IReadOnlyList<string> classNames, OnnxTeacherOptions? options, IReadOnlyList<string> studentClasses,
        Device? device = null)
    {
        _device = device ?? CPU;
        options ??= new OnnxTeacherOptions();
        Classes = new ClassMatch(classNames, studentClasses, ClassAliases.Of(options));
        _detector = new OnnxDetector(path, format, classNames, options);
        Rule = new OverlapRule(_detector.ConfidentScore, options.MatchOverlap, options.ForeignOverlap);
    }

    public ImageSize InputSize => _detector.InputSize;

    public IReadOnlyList<(string Name, int Channels)> FeatureMaps => [.. _detector.HintShapes.Select(hint => (hint.Name, hint.Channels))];

    public IReadOnlyList<int> UnknownClasses => Classes.UnknownClasses;

    public IReadOnlyList<string> IgnoredClasses => Classes.IgnoredClasses;

    public string? Caution => _detector.Fallback;

    public bool HasEdges => Format == TeacherFormat.Gfl;

    /// <summary>The format of its outputs, found out where it was left open.</summary>
    public TeacherFormat Format => _detector.Format;

    /// <summary>Which of its classes is which of the student's.</summary>
    public ClassMatch Classes { get; }

    /// <summary>How it answers for boxes.</summary>
    public OverlapRule Rule { get; }

    public ITeacherView View(Tensor images) => View(images, null);

    public ITeacherView View(Tensor images, IReadOnlyList<ImageSize>? sizes)
    {
        using IDisposable frozen = no_grad();
        IReadOnlyList<OnnxDetection> detections = _detector.Run(images, sizes);
        StudentPredictions[] predictions = [.. detections.Select(detection => Classes.Map(detection.Predictions, _detector.NoiseScore))];
        return new OnnxTeacherView(this, detections, predictions, _device);
    }

    public IReadOnlyList<Detections> Detect(Tensor images, IReadOnlyList<ImageSize> sizes)
        => [.. _detector.Run(images, sizes).Select(detection => Suppression.Detect(Classes.Map(detection.Predictions, _detector.NoiseScore)))];

    public double ConfidentScore => _detector.ConfidentScore;

    /// <summary>Its predictions for each image, before suppression, in its own classes.</summary>
    public IReadOnlyList<DensePredictions> Predict(Tensor images, IReadOnlyList<ImageSize> sizes)
        => [.. _detector.Run(images, sizes).Select(detection => detection.Predictions)];

    /// <summary>What it knows of a batch for which its predictions are given; without feature maps.</summary>
    public ITeacherView ViewOf(IReadOnlyList<DensePredictions> predictions)
        => new OnnxTeacherView(this, [], [.. predictions.Select(dense => Classes.Map(dense, _detector.NoiseScore))], _device);

    public void Dispose() => _detector.Dispose();
}
