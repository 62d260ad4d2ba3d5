using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Losses;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Training;

/// <summary>Trainings of one-stage detectors small enough for a test.</summary>
internal static class OneStageRun
{
    /// <summary>A one-stage detector of three convolutions for images of the drawn data set.</summary>
    public static OneStageDetector Detector(int seed = 1, int inputSize = 80, int[]? widths = null, IReadOnlyList<string>? classes = null,
        OneStageOptions? options = null)
    {
        manual_seed(seed);
        using var data = new DrawnDataset(20) { ClassNames = classes ?? ["square", "disc"] };
        var student = DetectorPlan.OneStage(Backbone.Plain(widths ?? [8, 16, 24]), inputSize, options
            ?? new OneStageOptions { Channels = 24, Strides = [8, 16] });
        return (OneStageDetector)student.Build(DataStatistics.Of(data));
    }

    /// <summary>Trains a student from its seed.</summary>
    public static TrainingResult Train(
        TrainingOptions options, IDetectionDataset training, OneStageDetector student, IDetectionDataset? validation = null,
        ITeacher? teacher = null, LossSelection? losses = null)
    {
        using var objective = new OneStageObjective(student, options.SquaredRegressionWeight, losses, teacher, CPU);
        return new TrainingLoop([(objective, options)], teacher, training, validation, CPU).Run()[0];
    }

    /// <summary>The terms of the loss of two images.</summary>
    public static Dictionary<string, double> Terms(
        OneStageDetector student, ITeacher? teacher, LossSelection? losses, bool training = true, double squared = 0)
        => Compute(student, teacher, losses, training, squared).ToDictionary(term => term.Name, term => term.Value);

    /// <summary>The names of those terms with their weights.</summary>
    public static string Text(OneStageDetector student, ITeacher? teacher, LossSelection? losses, double squared = 0)
        => string.Join(", ", Compute(student, teacher, losses, training: true, squared)
            .Select(term => FormattableString.Invariant($"{term.Name} {term.Weight:0.##}")));

    private static List<(string Name, double Value, double Weight)> Compute(
        OneStageDetector student, ITeacher? teacher, LossSelection? losses, bool training, double squared)
    {
        using var scope = NewDisposeScope();
        using var data = new DrawnDataset(2);
        using var objective = new OneStageObjective(student, squared, losses, teacher, CPU);
        ImageSize[] views = teacher is null ? [student.InputSize] : [student.InputSize, teacher.InputSize];
        using DetectionBatch batch = BatchLoader.Load(data, [0, 1], views);
        using ITeacherView? view = teacher?.View(batch);
        student.train(training);
        manual_seed(4);
        IReadOnlyList<LossTerm> terms = objective.Compute(batch.Annotations, batch.Views[0], view);
        return [.. terms.Select(term => (term.Name, term.Value.ToDouble(), term.Weight))];
    }
}
