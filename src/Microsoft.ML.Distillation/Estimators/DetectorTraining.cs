using System.Globalization;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Reports;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Training;
using Microsoft.ML.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Estimators;

/// <summary>What a student learns, and from whom.</summary>
internal sealed record Lesson(Teacher Teacher, DistillationOptions Distillation);

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
        TrainingOptions settled = Settled(channel);
        var recorder = new TrainingRecorder(settled.Progress);
        TrainingOptions training = settled with { Progress = recorder };
        Device device = TrainingDevice.Choose(training.GpuDeviceId, training.FallbackToCpu ?? false);

        using SampleStore images = Read(input, channel, classNames: null);
        using SampleStore? validation = options.ValidationSet is { } set ? Read(set, channel, images.ClassNames) : null;

        using var scope = NewDisposeScope();
        manual_seed(training.Seed!.Value);
        using Detector student = plan.Build(DataStatistics.Of(images));
        student.to(device);
        using ITeacher? teacher = lesson?.Teacher.Open(images.ClassNames, device);
        if (teacher is not null) SayLimits(channel, teacher, images.ClassNames);
        using IObjective objective = ObjectiveOf(student, lesson, teacher, device);
        Say(channel, string.Create(CultureInfo.InvariantCulture,
            $"Training on {images.Count} images of {images.ClassNames.Count} classes ({string.Join(", ", images.ClassNames)}) on {device}; "
            + $"the network takes {student.InputSize} and has {student.parameters().Sum(p => p.numel()):N0} parameters"));

        TrainingResult result = new TrainingLoop(objective, teacher, images, validation, training, device).Run();
        if (result.Cancelled) channel.Warning(MessageSensitivity.None, $"Training was cancelled after {result.History.Count} epochs; the best model so far is kept.");
        TrainingRecord record = recorder.ToRecord(training, objective, images, validation, result.History);
        return Export(result.Detector, record, images, input.Schema, channel);
    }

    private DetectorTransformer Export(Detector detector, TrainingRecord record, SampleStore images, DataViewSchema schema, IChannel channel)
    {
        detector.to(CPU);
        OnnxModelFile model = DetectorFile.Export(detector).With(TrainingRecord.Key, record.ToJson());
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

    private IObjective ObjectiveOf(Detector student, Lesson? lesson, ITeacher? teacher, Device device) => student switch
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
