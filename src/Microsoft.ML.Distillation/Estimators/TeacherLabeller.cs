using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Teachers.Labelling;
using Microsoft.ML.Distillation.Training;

namespace Microsoft.ML.Distillation;

/// <summary>
/// Labels images one by one with a detector, after Radosavovic et al., Data Distillation (CVPR 2018): it looks at each image in several
/// ways and merges its answers. For images that come as a stream, or are too many for a data view;
/// <see cref="DistillationCatalog.LabelWithTeacher(TransformsCatalog, LabelWithTeacherOptions)"/> labels data views.
/// </summary>
/// <remarks>
/// Which detections are labels, <see cref="LabelThresholds.Choose"/> says once all images have been looked at. Not to be called from
/// several threads at once. Needs TorchSharp's native libraries.
/// </remarks>
public sealed class TeacherLabeller : IDisposable
{
    private readonly ITeacher _teacher;
    private readonly TeacherEnsemble _ensemble;

    /// <summary>Opens the detector.</summary>
    /// <param name="teacher">The detector that labels.</param>
    /// <param name="classNames">The classes of the labels; the detector's are matched with them by name.</param>
    /// <param name="ensemble">How it looks at an image; <see langword="null"/> for the usual ways.</param>
    /// <param name="gpuDeviceId">The CUDA device that runs it; <see langword="null"/>: the CPU.</param>
    /// <exception cref="ArgumentException">An option is out of its range, or the detector knows none of the classes.</exception>
    /// <exception cref="FormatException">The detector cannot be read.</exception>
    /// <exception cref="InvalidOperationException">The CUDA device is not there.</exception>
    /// <exception cref="DllNotFoundException">A native library is missing; the message says which package to add.</exception>
    public TeacherLabeller(Teacher teacher, IReadOnlyList<string> classNames, EnsembleOptions? ensemble = null, int? gpuDeviceId = null)
        : this(Open(teacher, classNames, ensemble, gpuDeviceId), classNames, ensemble ?? new EnsembleOptions())
    {
    }

    /// <param name="teacher">An open teacher, which belongs to the labeller from now on.</param>
    internal TeacherLabeller(ITeacher teacher, IReadOnlyList<string> classNames, EnsembleOptions ensemble)
    {
        (_teacher, ClassNames) = (teacher, [.. classNames]);
        _ensemble = new TeacherEnsemble(teacher, ensemble);
    }

    /// <summary>The classes of the labels.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>Those of <see cref="ClassNames"/> that the detector does not know: no image has labels of them.</summary>
    public IReadOnlyList<string> UnknownClasses => [.. _teacher.Abilities.UnknownClasses.Select(c => ClassNames[c])];

    /// <summary>The detector's classes that are not among <see cref="ClassNames"/> and are not used.</summary>
    public IReadOnlyList<string> IgnoredClasses => _teacher.Abilities.IgnoredClasses;

    /// <summary>The score, 0 to 1, from which on a detection is the detector's opinion.</summary>
    public double ConfidentScore => _teacher.Abilities.ConfidentScore;

    /// <summary>What the user should know of the detector before relying on its labels; <see langword="null"/>: nothing.</summary>
    public string? Caution => _teacher.Abilities.Caution;

    /// <summary>
    /// What was found out about the detector while it labelled, such as labels without a class name, or that it had no opinion of the first
    /// images; empty where there is nothing.
    /// </summary>
    public IReadOnlyList<string> Remarks => _teacher.Abilities.Remarks?.All ?? [];

    /// <summary>What the detector finds in an image.</summary>
    /// <param name="image">The image, of any size. It still belongs to the caller.</param>
    /// <returns>Its objects from <see cref="EnsembleOptions.LeastScore"/> on, best first; boxes in pixels of the image.</returns>
    public IReadOnlyList<Detection> Detect(MLImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        RgbImage pixels = MLImagePixels.ToRgb(image);
        Detections found = DetectShares(pixels);
        return [.. Enumerable.Range(0, found.Count).Select(i =>
        {
            ReadOnlySpan<float> box = found.Boxes.AsSpan(4 * i, 4);
            return new Detection(ClassNames[found.Labels[i]], found.Scores[i], new BoundingBox(
                box[0] * pixels.Width, box[1] * pixels.Height, box[2] * pixels.Width, box[3] * pixels.Height));
        })];
    }

    /// <inheritdoc/>
    public void Dispose() => _teacher.Dispose();

    /// <summary>The same in shares of the image and indices of classes.</summary>
    internal Detections DetectShares(RgbImage image) => _ensemble.Detect(image);

    private static ITeacher Open(Teacher teacher, IReadOnlyList<string> classNames, EnsembleOptions? ensemble, int? gpuDeviceId)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(classNames);
        ensemble?.Validate();
        teacher.RequireLibraries();
        return teacher.Open(classNames, TrainingDevice.Choose(gpuDeviceId, fallbackToCpu: false));
    }
}
