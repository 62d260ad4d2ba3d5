using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Training;

/// <summary>Trainings small enough for a test.</summary>
internal static class TinyRun
{
    /// <summary>A Faster R-CNN of three convolutions for images of the drawn data set.</summary>
    public static FasterRcnn Detector(int seed = 1, int inputSize = 80, int[]? widths = null, IReadOnlyList<string>? classes = null,
        FasterRcnnOptions? options = null)
    {
        manual_seed(seed);
        using var data = new DrawnDataset(20) { ClassNames = classes ?? ["square", "disc"] };
        var student = DetectorPlan.FasterRcnn(Backbone.Plain(widths ?? [8, 16, 24]), inputSize, options);
        return (FasterRcnn)student.Build(DataStatistics.Of(data));
    }

    /// <summary>A teacher of another width and input size than the student, untrained unless asked otherwise.</summary>
    public static TwoStageTeacher Teacher(FasterRcnn? detector = null) =>
        new(detector ?? Detector(seed: 9, inputSize: 112, widths: [8, 16, 32, 32]), ["square", "disc"], CPU);

    /// <summary>Losses as they are asked for.</summary>
    public static LossSelection Losses(params DistillationLoss[] losses) => new(losses);

    /// <summary>Options of a short run without chance but the seed.</summary>
    public static TrainingOptions Options(int epochs = 3) => new()
    {
        Epochs = epochs,
        BatchSize = 4,
        WarmupSteps = 4,
        LearningRate = 0.004,
        Seed = 5,
        LoaderThreads = 1,
        Augmentation = new AugmentationOptions { ScaleJitter = 0.1f, ColorJitter = 0 },
    };

    /// <summary>Trains a student from its seed.</summary>
    public static TrainingResult Train(
        TrainingOptions options, IDetectionDataset training, IDetectionDataset? validation = null,
        FasterRcnn? student = null, ITeacher? teacher = null, LossSelection? losses = null)
    {
        student ??= Detector();
        using var objective = new TwoStageObjective(student, options.SquaredRegressionWeight, losses, teacher, CPU);
        return new TrainingLoop([(objective, options)], teacher, training, validation, CPU).Run()[0];
    }
}
