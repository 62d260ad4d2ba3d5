using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Weights;
using Microsoft.ML.Distillation.Distributed;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Estimators;

/// <summary>A network to train: what it is, whom it learns from, and how.</summary>
/// <param name="Plan">The network.</param>
/// <param name="Distillation">The teacher; <see langword="null"/> to learn from the ground truth alone.</param>
/// <param name="Options">How to train it.</param>
internal sealed record TrainingSetup(DetectorPlan Plan, DistillationSetup? Distillation, DetectorEstimatorOptions Options)
{
    /// <summary>Whether parameters come from a trained network or a checkpoint.</summary>
    public bool HasParameters => Options.InitialStudent is not null || Checkpoint.IsIn(Options.CheckpointDirectory);

    /// <summary>
    /// The file that a fresh network's backbone starts from, downloaded if that is asked for; null for random parameters, and where
    /// parameters come from a trained network or a checkpoint.
    /// </summary>
    /// <param name="progress">Is told of a download.</param>
    /// <param name="cache">The cache; null: this machine's.</param>
    /// <exception cref="IOException">The file is not to be had.</exception>
    public StartingWeights? FindWeights(IProgress<DownloadProgress>? progress, WeightsCache? cache = null)
    {
        if (Options.InitialStudent is not null) return null;
        Backbone backbone = Plan.Network;
        if (!Checkpoint.IsIn(Options.CheckpointDirectory))
            return StartingWeights.Of(backbone, cache, progress, Options.CancellationToken);

        // A checkpoint has all parameters. Which ranks layers in parts have was decided by those that the run started from.
        if (backbone.Compression is null) return null;
        if (backbone.Weights != PretrainedWeights.Auto) return StartingWeights.Of(backbone, cache, progress, Options.CancellationToken);
        if (Checkpoint.WeightsIn(Options.CheckpointDirectory) is not { } begun) return null;
        StartingWeights? found = StartingWeights.Of(backbone, cache);
        return found?.Origin.Sha256 == begun.Sha256 ? found : throw new FileNotFoundException(
            $"The interrupted training took its layers apart by {begun.File}, which is no longer in the cache "
                + $"({PublishedWeights.CacheDirectory}).", begun.File);
    }

    /// <summary>The network to train: a fresh one, or the trained one that it starts from; of the precision asked for.</summary>
    /// <param name="weights">What <see cref="FindWeights"/> found.</param>
    /// <exception cref="ArgumentException">The trained one has other classes than the data.</exception>
    public Detector Build(IDetectionDataset images, StartingWeights? weights)
    {
        if (Options is { InitialStudent: { } initial, Precision: { } lower } && initial.ClassNames.SequenceEqual(images.ClassNames))
            return initial.Lowered(lower, nameof(Options.InitialStudent));
        Detector student = Options.InitialStudent?.Open(images.ClassNames) ?? Plan.Build(DataStatistics.Of(images), weights);
        if (Options.Precision is not null) student.LowerPrecision(Options.Precision);
        return student;
    }

    /// <summary>
    /// The setup of a rank of several: its batch size is that of all together, and the first alone tells of progress and has checkpoints.
    /// </summary>
    public TrainingSetup In(RankGroup ranks) => !ranks.AreSeveral ? this : this with
    {
        Options = Options with
        {
            BatchSize = checked(Options.BatchSize * ranks.Count),
            Progress = ranks.IsFirst ? Options.Progress : null,
            CheckpointDirectory = ranks.IsFirst ? Options.CheckpointDirectory : null,
        },
    };

    /// <summary>What the network is to make small.</summary>
    /// <param name="student">The network, on <paramref name="device"/>.</param>
    /// <param name="teacher">The teacher of those that have one.</param>
    /// <param name="ranks">The processes that train together; <see langword="null"/>: this one alone.</param>
    public IObjective ObjectiveOf(Detector student, ITeacher? teacher, Device device, RankGroup? ranks = null)
    {
        if (Distillation is null) return Own(student, null, null, device, ranks);
        IObjective objective = Own(student, Distillation.Losses, teacher, device, ranks);
        if (teacher is not JointTeacher joint) return objective;
        double share = DefaultRateOf(joint.Detector) / DefaultRateOf(student);
        return new JointObjective(objective, Own(joint.Detector, null, null, device, ranks), Distillation.TeacherWeight, share, device);
    }

    /// <summary>
    /// The options of training, with the default learning rates that depend on what the student starts from: a tenth of a fresh student's
    /// to fine-tune a trained one; for a fresh one-stage student eight times as much, and a tenth of that for a pre-trained backbone.
    /// </summary>
    public TrainingOptions TrainingOf(Detector student)
    {
        bool trained = Options.InitialStudent is not null;
        bool fresh = !trained && student is OneStageDetector && Options.Optimizer == OptimizerKind.AdamW;
        bool pretrained = fresh && (student.Weights ?? Checkpoint.WeightsIn(Options.CheckpointDirectory)) is not null;
        double? rate = trained ? 0.1 * DefaultRateOf(student) : fresh ? 8 * DefaultRateOf(student) : null;
        return Options with
        {
            LearningRate = Options.LearningRate ?? rate,
            BackboneRate = Options.BackboneRate ?? (pretrained ? 0.1 : null),
        };
    }

    /// <summary>Holds networks that are to train side by side to what they must have in common.</summary>
    /// <exception cref="ArgumentException">They have several teachers, or differ in what makes the batches.</exception>
    public static void CheckSideBySide(IReadOnlyList<TrainingSetup> setups)
    {
        DistillationSetup[] distilled = [.. setups.Select(setup => setup.Distillation).OfType<DistillationSetup>()];
        if (distilled.Select(distillation => distillation.Teacher).Distinct().Count() > 1
            || (distilled.Length > 1 && distilled.Any(distillation => distillation.Jointly)))
        {
            throw new ArgumentException("Students that train side by side have one teacher, and one that is trained has one student.",
                nameof(setups));
        }

        if (setups.Select(Common).Distinct().Count() > 1)
            throw new ArgumentException("Students that train side by side agree in epochs, batches, seed, data and device.",
                nameof(setups));

        static object Common(TrainingSetup setup)
        {
            DetectorEstimatorOptions o = setup.Options;
            return (
                (o.Epochs, o.BatchSize, o.AccumulatedBatches, o.Seed, o.Augmentation),
                (o.GpuDeviceId, o.MixedPrecision, o.CancellationToken, o.Distributed),
                (o.ValidationSet, o.ValidationEvery, o.OnInvalidSample),
                (o.GeneratedSet, (o as DistillDetectorOptions)?.UnlabelledSet, o.LabelledShare,
                    o is DistillDetectorOptions { WithoutLabels: true }));
        }
    }

    private double DefaultRateOf(Detector detector) => TrainingPlan.DefaultRate(Options, detector.parameters().Sum(p => p.numel()));

    private IObjective Own(Detector student, LossSelection? losses, ITeacher? teacher, Device device, RankGroup? ranks) => student switch
    {
        FasterRcnn detector => new TwoStageObjective(detector, Options.SquaredRegressionWeight, losses, teacher, device, ranks),
        OneStageDetector detector => new OneStageObjective(detector, Options.SquaredRegressionWeight, losses, teacher, device, ranks),
        _ => throw new NotSupportedException($"There is no training for detectors of the kind {student.GetType().Name}."),
    };
}

/// <summary>What a student learns, and from whom.</summary>
/// <param name="TeacherWeight">α, where it is trained together with the student.</param>
/// <param name="Jointly">Whether the teacher is trained together with the student.</param>
internal sealed record DistillationSetup(Teacher Teacher, LossSelection Losses, double TeacherWeight = 1, bool Jointly = false)
{
    /// <summary>Readies the teacher.</summary>
    /// <param name="classNames">The student's classes.</param>
    /// <param name="device">Where the student trains.</param>
    public ITeacher Open(IReadOnlyList<string> classNames, Device device)
        => Jointly ? Teacher.OpenFresh(classNames, device) : Teacher.Open(classNames, device);
}
