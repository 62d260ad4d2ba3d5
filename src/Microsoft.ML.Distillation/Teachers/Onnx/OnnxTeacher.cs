using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers.Dense;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Teachers.Onnx;

/// <summary>
/// An ONNX detector of anyone's as a teacher: it is shown the images, answers for boxes by <see cref="OverlapRule"/>, and gives any
/// tensor of its graph as a hint.
/// </summary>
internal sealed class OnnxTeacher : ITeacher
{
    private readonly PublishedDetector _detector;
    private readonly TorchRunner? _torch;
    private readonly Device _device;
    private readonly OpinionWatch _opinions;

    /// <param name="path">The .onnx file.</param>
    /// <param name="format">What its outputs mean.</param>
    /// <param name="classNames">Its own classes, in its order.</param>
    /// <param name="studentClasses">The student's classes, in whose order the teacher answers.</param>
    /// <param name="device">
    /// Where the student trains: answers come there, wherever the model runs and the images lie. <see langword="null"/>: the CPU.
    /// </param>
    /// <exception cref="ArgumentException">The two have no class in common, or an option does not fit the model.</exception>
    /// <exception cref="FormatException">The file cannot be loaded, or its outputs are not of the format.</exception>
    public OnnxTeacher(
        string path, OnnxDetectorFormat format, IReadOnlyList<string> classNames, OnnxTeacherOptions? options,
        IReadOnlyList<string> studentClasses, Device? device = null)
    {
        _device = device ?? CPU;
        options ??= new OnnxTeacherOptions();
        Classes = new ClassMatch(classNames, studentClasses, ClassAliases.Of(options));
        options.Validate();
        if (options.RunIn == OnnxTeacherRuntime.TorchSharp)
            _torch = new TorchRunner(path, options.Hints, Place(options, _device));
        _detector = new PublishedDetector(path, format, classNames, options, _torch is null ? options.Hints : [], runner: _torch);
        try
        {
            _torch?.Check(InputSize, options, _detector.Preprocessing);
            Hints = _torch?.HintChannels(InputSize) ?? [.. _detector.HintShapes.Select(hint => (hint.Name, hint.Channels))];
        }
        catch
        {
            _detector.Dispose();
            throw;
        }

        Rule = new OverlapRule(_detector.ConfidentScore, options.MatchOverlap, options.ForeignOverlap)
        {
            TeachesClasses = options.Prompts is null,
        };
        _opinions = new OpinionWatch(_detector.Remarks, _detector.ConfidentScore);
        Abilities = new TeacherAbilities
        {
            FeatureMaps = Hints,
            UnknownClasses = Classes.UnknownClasses,
            IgnoredClasses = Classes.IgnoredClasses,
            ConfidentScore = _detector.ConfidentScore,
            HasBoxDistributions = Format is OnnxDetectorFormat.Gfl or OnnxDetectorFormat.PicoDet,
            CrossHead = null,
            LooksAtBatches = true,
            Caution = _detector.Fallback,
            Remarks = _detector.Remarks,
        };
    }

    public ImageSize InputSize => _detector.InputSize;

    public TeacherAbilities Abilities { get; }

    /// <summary>The format of its outputs, found out where it was left open.</summary>
    public OnnxDetectorFormat Format => _detector.Format;

    /// <summary>Which of its classes is which of the student's.</summary>
    public ClassMatch Classes { get; }

    /// <summary>The tensors that may serve as hints.</summary>
    public IReadOnlyList<(string Name, int Channels)> Hints { get; }

    /// <summary>How it answers for boxes.</summary>
    public OverlapRule Rule { get; }

    public ITeacherView View(DetectionBatch batch)
    {
        using IDisposable frozen = no_grad();
        IReadOnlyList<OnnxDetection> detections = Run(batch.ImagesOf(InputSize), batch.Sizes);
        StudentPredictions[] predictions = [.. detections.Select(detection => Map(detection.Predictions))];
        return new OnnxTeacherView(this, detections, predictions, _device, _torch?.TakeMaps());
    }

    public IReadOnlyList<Detections> Detect(Tensor images, IReadOnlyList<ImageSize> sizes)
    {
        IReadOnlyList<OnnxDetection> found = Run(images, sizes);
        _torch?.DropMaps();
        return [.. found.Select(detection => Map(detection.Predictions).Suppress(
            _detector.IsSuppressed ? 1 : Suppression.Threshold, _detector.IsClassAgnostic))];
    }

    /// <summary>Its predictions for each image, before suppression, in its own classes.</summary>
    public IReadOnlyList<DensePredictions> Predict(Tensor images, IReadOnlyList<ImageSize> sizes)
    {
        IReadOnlyList<OnnxDetection> found = Run(images, sizes);
        _torch?.DropMaps();
        return [.. found.Select(detection => detection.Predictions)];
    }

    /// <summary>What it knows of a batch for which its predictions are given; without feature maps.</summary>
    public ITeacherView ViewOf(IReadOnlyList<DensePredictions> predictions)
        => new OnnxTeacherView(this, [], [.. predictions.Select(Map)], _device);

    public void Dispose() => _detector.Dispose();

    private StudentPredictions Map(DensePredictions predictions)
    {
        StudentPredictions mapped = Classes.Map(predictions, _detector.NoiseScore);
        _opinions.See(mapped);
        return mapped;
    }

    private static Device Place(OnnxTeacherOptions options, Device student)
        => options.CpuOnly ? CPU : options.GpuDeviceId is int gpu ? device(DeviceType.CUDA, gpu) : student;

    private IReadOnlyList<OnnxDetection> Run(Tensor images, IReadOnlyList<ImageSize> sizes)
    {
        ImageSize size = InputSize;
        if (images.shape is not [_, 3, long height, long width] || height != size.Height || width != size.Width)
        {
            throw new ArgumentException(
                $"Images [N, 3, {size.Height}, {size.Width}] are expected, not [{string.Join(", ", images.shape)}].", nameof(images));
        }

        return _detector.Run(TensorArrays.Floats(images), sizes);
    }
}

/// <summary>What an ONNX teacher knows of one batch: the graph has run once, all questions are answered from what it gave.</summary>
internal sealed class OnnxTeacherView(
    OnnxTeacher teacher, IReadOnlyList<OnnxDetection> detections, StudentPredictions[] predictions, Device device,
    IReadOnlyList<Tensor>? hints = null) : ITeacherView
{
    private readonly Dictionary<string, Tensor> _features = [];
    private readonly DenseAnswers _answers = new(teacher.Rule, teacher.Classes.StudentClasses, predictions, device);

    public Tensor Feature(string name)
    {
        if (_features.TryGetValue(name, out Tensor? known)) return known;
        string[] names = [.. teacher.Abilities.FeatureMaps.Select(map => map.Name)];
        int index = Array.IndexOf(names, name);
        if (index < 0)
        {
            string near = names.Length == 0
                ? "it has none; name them in the option Hints"
                : string.Join(", ", NearestNames.Of(name, names).Select(n => $"'{n}'"));
            throw new ArgumentException($"The teacher has no hint '{name}': {near}.", nameof(name));
        }

        using var scope = NewDisposeScope();
        InputFrame[] frames = [.. detections.Select(d => d.Frame)];
        Tensor maps = hints is not null ? FeatureMapCrop.Stack(hints[index], frames)
            : FeatureMapCrop.Stack([.. detections.Select(d => d.Hints[index])], frames);
        return _features[name] = maps.to(device).DetachFromDisposeScope();
    }

    public BoxScores ScoreBoxes(IReadOnlyList<Tensor> boxes) => _answers.ScoreBoxes(boxes);

    public AnchorScores ScoreAnchors(Tensor anchors) => _answers.ScoreAnchors(anchors);

    public EdgeScores ScoreEdges(IReadOnlyList<Tensor> boxes) => _answers.ScoreEdges(boxes);

    public DenseOutput HeadAnswer => throw new NotSupportedException("Of an ONNX teacher no head can be run on a student's maps.");

    public void Dispose()
    {
        foreach (Tensor map in _features.Values.Concat(hints ?? [])) map.Dispose();
    }
}

/// <summary>Cuts the bars of a letterbox off feature maps, so that a map covers the image as a student's does.</summary>
internal static class FeatureMapCrop
{
    /// <summary>The maps of a batch [N,C,h,w], each stretched so that its image fills it.</summary>
    public static Tensor Stack(IReadOnlyList<OnnxOutput> maps, IReadOnlyList<InputFrame> frames)
    {
        using var scope = NewDisposeScope();
        Tensor[] cropped = [.. maps.Zip(frames, (map, frame)
            => Crop(tensor(map.Values.ToArray(), [.. map.Shape.Select(length => (long)length)]), frame))];
        return stack(cropped).MoveToOuterDisposeScope();
    }

    /// <inheritdoc cref="Stack(IReadOnlyList{OnnxOutput}, IReadOnlyList{InputFrame})"/>
    /// <param name="maps">[N,C,h,w].</param>
    public static Tensor Stack(Tensor maps, IReadOnlyList<InputFrame> frames)
    {
        using var scope = NewDisposeScope();
        if (frames.All(frame => frame.IsWhole)) return maps.alias().MoveToOuterDisposeScope();
        return stack([.. frames.Select((frame, i) => Crop(maps.select(0, i), frame))]).MoveToOuterDisposeScope();
    }

    private static Tensor Crop(Tensor map, InputFrame frame)
    {
        if (frame.IsWhole) return map;
        Tensor rows = Weights((int)map.shape[1], frame.Y, frame.Height, frame.Input.Height).to(map.device);
        Tensor columns = Weights((int)map.shape[2], frame.X, frame.Width, frame.Input.Width).to(map.device);
        return rows.matmul(map).matmul(columns.transpose(0, 1));
    }

    /// <summary>The matrix [length,length] that stretches the image's part of an axis over the whole of it.</summary>
    private static Tensor Weights(int length, int start, int extent, int total)
    {
        double cells = (double)length / total;
        // Cells that only see bars have no part in it, not even by interpolation.
        int first = (int)Math.Floor(start * cells), end = (int)Math.Ceiling((start + extent) * cells);
        var axis = new ResizeAxis(end - first, (float)(start * cells - first), (float)(extent * cells), length);
        var matrix = new float[length * length];
        for (int i = 0; i < length; i++)
        {
            ReadOnlySpan<float> weights = axis.Weights(i, out int from);
            weights.CopyTo(matrix.AsSpan(i * length + first + from));
        }

        return tensor(matrix, [length, length]);
    }
}
