using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Published.Prompts;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Teachers.Dense;
using Microsoft.ML.Distillation.Teachers.Onnx;
using Microsoft.ML.Distillation.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation;

/// <summary>A trained detector that a student learns from: one of this library, or any that is published as ONNX.</summary>
public sealed class Teacher
{
    private readonly Func<IReadOnlyList<string>, Device, ITeacher> _open;
    private readonly Lazy<string> _fingerprint;
    private readonly OnnxModelFile? _model;
    private readonly OnnxTeacherOptions _options;

    private Teacher(
        IReadOnlyList<string> classNames, Func<string> fingerprint, Func<IReadOnlyList<string>, Device, ITeacher> open,
        OnnxModelFile? model = null, OnnxTeacherOptions? options = null)
    {
        (ClassNames, _fingerprint, _open, _model) = (classNames, new Lazy<string>(fingerprint), open, model);
        _options = options ?? new OnnxTeacherOptions();
    }

    /// <summary>
    /// The classes that the teacher knows. Students' classes are matched with them by name; case, spaces, hyphens and underscores do not
    /// count.
    /// </summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>
    /// A detector that this library trained, from its file. The student may have other classes: those that the teacher lacks are learned
    /// from labels alone, and the teacher's further ones are not used; both are said in the log.
    /// </summary>
    /// <param name="path">An ML.NET model (.zip) that holds one detector, or an .onnx that <c>SaveOnnx</c> wrote, in either form.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">The file is of another kind, or holds no detector of this library, or several.</exception>
    public static Teacher FromModel(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return OfModel(FittedDetectors.In(path));
    }

    /// <summary>
    /// A detector that this library trained, fresh from <c>Fit</c> or loaded by ML.NET; as from its file
    /// (<see cref="FromModel(string)"/>).
    /// </summary>
    /// <param name="model">The fitted detector, or a chain that holds one.</param>
    /// <exception cref="ArgumentException">The model holds no detector of this library, or several.</exception>
    public static Teacher FromModel(ITransformer model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return OfModel(FittedDetectors.In(model));
    }

    /// <summary>
    /// A detector that someone published as ONNX. The student may have other classes: those that the teacher lacks are learned from
    /// labels alone, and the teacher's further ones are not used; both are said in the log.
    /// </summary>
    /// <param name="path">The .onnx file. It is opened when training begins.</param>
    /// <param name="format">What its outputs mean; <see cref="OnnxDetectorFormat.Auto"/> finds out, where they leave no doubt.</param>
    /// <param name="classNames">The detector's own classes, in its own order.</param>
    /// <param name="options">How it is run and read; <see langword="null"/> for the format's usual ways.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="ArgumentException">An option is out of its range, or the file is a detector of this library.</exception>
    public static Teacher FromOnnx(
        string path, OnnxDetectorFormat format, IReadOnlyList<string> classNames, OnnxTeacherOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(classNames);
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no teacher '{path}'.", path);
        InputFile.RefuseSpecial(path);
        options?.Validate();
        if (FittedDetectors.AreIn(path)) throw new ArgumentException(
            $"'{path}' is a detector of this library, which says itself how it is read: {nameof(FromModel)} takes it.", nameof(path));
        if (options?.Prompts is { } prompts)
        {
            OnnxRuntimeLibrary.Require();
            PromptedRunner.Check(path, format, prompts, options with { GpuDeviceId = null });
        }

        string[] names = [.. classNames];
        string Fingerprint() => OnnxFingerprint.Of(path, format, names, options ?? new OnnxTeacherOptions());
        return new Teacher(names, Fingerprint, (studentClasses, device) =>
        {
            int? gpu = device.type == DeviceType.CUDA ? Math.Max(0, device.index) : null;
            var teacher = new OnnxTeacher(path, format, names, (options ?? new OnnxTeacherOptions()).Beside(gpu), studentClasses, device);
            return options is { CacheDirectory: string folder }
                ? new CachedOnnxTeacher(teacher, new AnswerCache(folder, Fingerprint(), options.CacheBytes))
                : teacher;
        }, options: options)
        {
            HasFeatureMaps = options is { Hints.Count: > 0, CacheDirectory: null },
        };
    }

    /// <inheritdoc cref="FromOnnx(string, OnnxDetectorFormat, IReadOnlyList{string}, OnnxTeacherOptions?)"/>
    /// <param name="classNamesPath">A text file with the detector's own classes, one in each line, in its own order.</param>
    /// <exception cref="FormatException">The file of class names has an empty line.</exception>
    public static Teacher FromOnnx(string path, OnnxDetectorFormat format, string classNamesPath, OnnxTeacherOptions? options = null)
        => FromOnnx(path, format, ClassNameFile.Read(classNamesPath), options);

    /// <summary>
    /// A detector that someone published as ONNX and that carries its class names in its metadata, as those of Ultralytics do.
    /// </summary>
    /// <inheritdoc cref="FromOnnx(string, OnnxDetectorFormat, IReadOnlyList{string}, OnnxTeacherOptions?)"/>
    /// <exception cref="ArgumentException">The model does not carry its class names, or they cannot be read.</exception>
    public static Teacher FromOnnx(string path, OnnxDetectorFormat format = OnnxDetectorFormat.Auto, OnnxTeacherOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no teacher '{path}'.", path);
        IReadOnlyList<string> names = EmbeddedClassNames.In(path)
            ?? throw new ArgumentException(
                $"The teacher '{path}' {EmbeddedClassNames.Absence(path)}. Give them.", nameof(path));
        return FromOnnx(path, format, names, options);
    }

    /// <summary>
    /// A detector that is told in words what to find and that someone published as ONNX: Grounding DINO, OWL-ViT, OWLv2 or YOLO-World. Its
    /// classes are those of the prompts. It teaches where objects are and what they are called; its scores, which are no probabilities, are
    /// not taught.
    /// </summary>
    /// <param name="path">The .onnx file. It is read here, to hold it to the prompts, and opened again when training begins.</param>
    /// <param name="prompts">What to find, and where the tokenizer and the text tower lie.</param>
    /// <param name="options">How it is run and read; <see langword="null"/> for the family's usual ways.</param>
    /// <param name="format">The family; by default it is found out.</param>
    /// <exception cref="FileNotFoundException">There is no such file, or no tokenizer, text tower or file of embeddings.</exception>
    /// <exception cref="FormatException">The file is no detector that is told in words, or may be of several families; or what is to turn
    /// words into numbers is of another kind.</exception>
    /// <exception cref="ArgumentException">An option does not fit the model, a prompt is too long for it, or the file is a detector of this
    /// library.</exception>
    /// <exception cref="NotSupportedException">What an input of the model wants is not known.</exception>
    /// <exception cref="DllNotFoundException">The application lacks ONNX Runtime's native library.</exception>
    public static Teacher FromPrompts(string path, DetectorPrompts prompts, OnnxTeacherOptions? options = null,
        OnnxDetectorFormat format = OnnxDetectorFormat.Auto)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        return FromOnnx(path, format, prompts.ClassNames, (options ?? new OnnxTeacherOptions()) with { Prompts = prompts });
    }

    /// <inheritdoc cref="FromPrompts(string, DetectorPrompts, OnnxTeacherOptions?, OnnxDetectorFormat)"
    /// path="/summary|/param[@name='path' or @name='options']|/exception"/>
    /// <param name="prompts">What to find: "words=class" each, or words alone where the class is called so.</param>
    /// <exception cref="ArgumentException">There is no prompt, or one cannot be read or is too long for the model; an option does not fit
    /// it; or the file is a detector of this library.</exception>
    public static Teacher FromPrompts(string path, IReadOnlyList<string> prompts, OnnxTeacherOptions? options = null)
        => FromPrompts(path, DetectorPrompts.Parse(prompts), options);

    /// <summary>What tells this teacher from others, by what it would answer: a hash of its network and of how it is read, in hexadecimal
    /// digits.</summary>
    public string Fingerprint => _fingerprint.Value;

    /// <summary>Which classes of a student this teacher can teach.</summary>
    /// <param name="studentClasses">The student's classes. They are matched by name, with the teacher's aliases.</param>
    /// <exception cref="ArgumentException">They have none in common.</exception>
    public TeacherClasses MatchClasses(IReadOnlyList<string> studentClasses)
    {
        ArgumentNullException.ThrowIfNull(studentClasses);
        var match = new ClassMatch(ClassNames, studentClasses, ClassAliases.Of(_options));
        int[] unknown = [.. match.UnknownClasses];
        return new TeacherClasses(
            [.. studentClasses.Where((_, c) => !unknown.Contains(c))], [.. unknown.Select(c => studentClasses[c])], match.IgnoredClasses);
    }

    /// <summary>Readies the teacher for a student.</summary>
    /// <param name="studentClasses">The student's classes, in whose order the teacher answers.</param>
    /// <param name="device">Where the student trains.</param>
    internal ITeacher Open(IReadOnlyList<string> studentClasses, Device device) => _open(studentClasses, device);

    /// <summary>Throws where a native library is missing that it needs, before any work is done.</summary>
    /// <exception cref="DllNotFoundException">One is missing; the message says which package to add.</exception>
    internal void RequireLibraries()
    {
        TorchLibrary.Require();
        // One that someone published runs in ONNX Runtime, or is held to it.
        if (_model is null) OnnxRuntimeLibrary.Require();
    }

    /// <summary>Whether it has feature maps for losses on maps.</summary>
    internal bool HasFeatureMaps { get; private init; }

    /// <summary>Whether it can be trained together with a student.</summary>
    internal bool CanLearn => _model is not null;

    /// <summary>Readies a teacher of the same architecture with fresh weights, to be trained together with a student.</summary>
    /// <exception cref="ArgumentException">It has other classes than the student.</exception>
    internal JointTeacher OpenFresh(IReadOnlyList<string> studentClasses, Device device)
    {
        if (!ClassNames.SequenceEqual(studentClasses))
        {
            throw new ArgumentException(
                $"A teacher that learns with its student must have the classes of the data ({string.Join(", ", studentClasses)}), "
                + $"in their order, not {string.Join(", ", ClassNames)}.");
        }

        Detector fresh = DetectorFactory.FromDescription(_model!.Metadata[DetectorGraph.ArchitectureKey], _model.StoredValues());
        return new JointTeacher(Of(fresh, studentClasses, device), fresh);
    }

    private static Teacher OfModel(OnnxModelFile model) => new(
        DetectorGraph.ClassNames(model),
        () => Convert.ToHexStringLower(SHA256.HashData(model.ToBytes())),
        (studentClasses, device) => Of(DetectorFile.Load(model), studentClasses, device),
        model)
    {
        HasFeatureMaps = true,
    };

    private static ITeacher Of(Detector detector, IReadOnlyList<string> studentClasses, Device device) => detector switch
    {
        FasterRcnn twoStage => new TwoStageTeacher(twoStage, studentClasses, device),
        OneStageDetector oneStage => new OneStageTeacher(oneStage, studentClasses, device),
        Detector other => throw new NotSupportedException($"Detectors of the kind {other.GetType().Name} cannot teach."),
    };
}

/// <summary>A teacher's classes beside a student's.</summary>
/// <param name="Taught">The student's classes that the teacher knows.</param>
/// <param name="Unknown">The student's classes that the teacher does not know: they are learned from labels alone.</param>
/// <param name="Ignored">The teacher's classes that the student does not have: they are not used.</param>
public sealed record TeacherClasses(IReadOnlyList<string> Taught, IReadOnlyList<string> Unknown, IReadOnlyList<string> Ignored)
{
    private bool PrintMembers(StringBuilder text)
    {
        text.Append(CultureInfo.InvariantCulture, $"Taught = [{string.Join(", ", Taught)}], Unknown = [{string.Join(", ", Unknown)}], ");
        text.Append(CultureInfo.InvariantCulture, $"Ignored = [{string.Join(", ", Ignored)}]");
        return true;
    }
}
