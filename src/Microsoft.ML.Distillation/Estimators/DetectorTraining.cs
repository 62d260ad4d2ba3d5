using System.Globalization;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Training;
using Microsoft.ML.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Estimators;

/// <summary>What a student learns, and from whom.</summary>
/// <param name="Jointly">Whether the teacher is trained together with the student.</param>
internal sealed record Lesson(Teacher Teacher, DistillationOptions Distillation, bool Jointly = false);

/// <summary>
/// What all detector estimators do in <c>Fit</c>: read the data, build the network, train it, export it, hold the export to the
/// network, and wrap it in ML.NET's transformers.
/// </summary>
internal sealed class DetectorTraining(TransformsCatalog catalog, DetectorEstimatorOptions options, string name)
{
    private readonly IHostEnvironment _environment = EnvironmentSettings.EnvironmentOf(catalog);

    /// <summary>Trains a detector.</summary>
    /// <param name="input">The annotated images.</param>
    /// <param name="plan">The network.</param>
    /// <param name="lesson">The teacher; <see langword="null"/> to learn from the ground truth alone.</param>
    public DetectorTransformer Fit(IDataView input, StudentDetector plan, Lesson? lesson)
    {
        ArgumentNullException.ThrowIfNull(input);
        using IChannel channel = _environment.Register(name).Start("Training");
        TrainingOptions training = Settled(channel);
        Device device = TrainingDevice.Choose(training.GpuDeviceId, training.FallbackToCpu ?? false);

        using SampleStore images = Read(input, channel, classNames: null);
        using SampleStore? validation = options.ValidationSet is { } set ? Read(set, channel, images.ClassNames) : null;

        using var scope = NewDisposeScope();
        manual_seed(training.Seed!.Value);
        using Detector student = StudentOf(plan, images);
        student.to(device);
        using ITeacher? teacher = lesson is { Jointly: true } ? lesson.Teacher.OpenFresh(images.ClassNames, device) : lesson?.Teacher.Open(images.ClassNames, device);
        if (teacher is not null) SayLimits(channel, teacher, images.ClassNames);
        using IObjective objective = ObjectiveOf(student, lesson, teacher, device);
        Say(channel, string.Create(CultureInfo.InvariantCulture,
            $"Training on {images.Count} images of {images.ClassNames.Count} classes ({string.Join(", ", images.ClassNames)}) on {device}; "
            + $"the network takes {student.InputSize} and has {student.parameters().Sum(p => p.numel()):N0} parameters, {student.Precision?.ToString() ?? "full precision"}"));

        TrainingResult result = new TrainingLoop(objective, teacher, images, validation, LowRate(training, objective, teacher), device).Run();
        if (result.Cancelled) channel.Warning(MessageSensitivity.None, $"Training was cancelled after {result.History.Count} epochs; the best model so far is kept.");
        return Export(result.Detector, images, input.Schema, channel);
    }

    private DetectorTransformer Export(Detector detector, SampleStore images, DataViewSchema schema, IChannel channel)
    {
        detector.to(CPU);
        OnnxModelFile model = DetectorFile.Export(detector);
        ExportAgreement agreement = ExportCheck.Run(detector, model, images);
        Say(channel, $"Exported to ONNX; against the trained network: {agreement}");
        return new DetectorTransformer(catalog, model, options.Columns, schema);
    }

    /// <summary>The options with what the context decides: seed, GPU, log.</summary>
    private TrainingOptions Settled(IChannel channel)
    {
        EnvironmentSettings context = EnvironmentSettings.Of(_environment);
        return options with
        {
            Seed = options.Seed ?? context.Seed ?? Checkpoint.SeedIn(options.CheckpointDirectory) ?? Random.Shared.Next(),
            GpuDeviceId = options.GpuDeviceId ?? context.GpuDeviceId,
            FallbackToCpu = options.FallbackToCpu ?? context.FallbackToCpu,
            Progress = new ProgressLog(channel, options.Progress),
        };
    }

    private SampleStore Read(IDataView view, IChannel channel, IReadOnlyList<string>? classNames)
        => new DataViewIngest(new DataViewIngestOptions
        {
            ImageColumnName = options.ImageColumnName,
            LabelColumnName = options.LabelColumnName,
            BoundingBoxColumnName = options.BoundingBoxColumnName,
            ClassNames = classNames,
            OnInvalidSample = options.OnInvalidSample,
            CacheBytes = options.CacheBytes,
            Warn = warning => channel.Warning(MessageSensitivity.UserData, warning),
        }).Read(view, options.CancellationToken);

    /// <summary>The network to train: a fresh one, or the trained one that it starts from; of the precision asked for.</summary>
    private Detector StudentOf(StudentDetector plan, SampleStore images)
    {
        if (options.InitialStudent is not { } initial)
        {
            Detector fresh = plan.Build(DataStatistics.Of(images));
            if (options.Precision is not null) fresh.LowerPrecision(options.Precision);
            return fresh;
        }

        if (!initial.ClassNames.SequenceEqual(images.ClassNames))
        {
            throw new ArgumentException(
                $"The detector of {nameof(options.InitialStudent)} knows {string.Join(", ", initial.ClassNames)}; the data have {string.Join(", ", images.ClassNames)}.");
        }

        return initial.Lowered(options.Precision!, nameof(options.InitialStudent));
    }

    /// <summary>
    /// The default learning rate where it is not that of the student alone: a tenth of it to fine-tune a trained student, that of
    /// both networks' parameters to train a teacher with it.
    /// </summary>
    private TrainingOptions LowRate(TrainingOptions training, IObjective objective, ITeacher? teacher)
    {
        if (training.LearningRate is not null || (options.InitialStudent is null && teacher is not JointTeacher)) return training;
        long parameters = objective.Student.parameters().Sum(p => p.numel());
        if (teacher is JointTeacher joint) parameters += joint.Detector.parameters().Sum(p => p.numel());
        return training with { LearningRate = TrainingPlan.DefaultRate(training, parameters) * (options.InitialStudent is null ? 1 : 0.1) };
    }

    private IObjective ObjectiveOf(Detector student, Lesson? lesson, ITeacher? teacher, Device device)
    {
        IObjective objective = OwnObjectiveOf(student, lesson, teacher, device);
        return teacher is JointTeacher joint
            ? new JointObjective(objective, OwnObjectiveOf(joint.Detector, null, null, device), lesson!.Distillation.TeacherWeight, device)
            : objective;
    }

    private IObjective OwnObjectiveOf(Detector student, Lesson? lesson, ITeacher? teacher, Device device) => student switch
    {
        FasterRcnn detector => new TwoStageObjective(detector, options.SquaredRegressionWeight, lesson?.Distillation, teacher, device),
        _ => throw new NotSupportedException($"There is no training for detectors of the kind {student.GetType().Name}."),
    };

    /// <summary>Says what the teacher will not teach.</summary>
    private static void SayLimits(IChannel channel, ITeacher teacher, IReadOnlyList<string> classNames)
    {
        if (teacher.FeatureMaps.Count == 0)
            Say(channel, $"The teacher has no feature maps, so there is no hint loss; tensors of an ONNX teacher's graph are named in {nameof(OnnxTeacherOptions)}.{nameof(OnnxTeacherOptions.Hints)}");
        if (teacher.UnknownClasses.Count > 0)
        {
            channel.Warning(MessageSensitivity.None,
                $"The teacher does not know {string.Join(", ", teacher.UnknownClasses.Select(c => $"'{classNames[c]}'"))}: learned from the labels alone");
        }

        if (teacher.IgnoredClasses.Count > 0)
            Say(channel, $"Of the teacher's classes these are not the student's and count as background: {string.Join(", ", teacher.IgnoredClasses)}");
    }

    private static void Say(IChannel channel, string message) => channel.Info(MessageSensitivity.None, message);
}
