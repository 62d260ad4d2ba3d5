using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Teachers;

namespace Microsoft.ML.Distillation.Training;

/// <summary>Says where the losses of one-stage heads do not apply.</summary>
internal static class OneStageOnly
{
    /// <summary>For a two-stage student.</summary>
    /// <exception cref="ArgumentException">A loss of one-stage heads is asked for.</exception>
    public static void Refuse(DistillationOptions? options)
    {
        if (options?.LocalizationWeight > 0)
            throw Refusal(nameof(options.LocalizationWeight), "LD compares distributions of box sides, which a Faster R-CNN student does not have: use a one-stage student");
        if (options?.CrossHeadWeight > 0)
            throw Refusal(nameof(options.CrossHeadWeight), "CrossKD runs the teacher's head on the student's maps, which needs a one-stage student and a one-stage teacher");
    }

    /// <summary>For a one-stage student of some teacher.</summary>
    /// <exception cref="ArgumentException">A loss is asked for that does not fit the two.</exception>
    public static void Require(DistillationOptions options, OneStageDetector student, ITeacher teacher)
    {
        if (options.Boxes == BoxDistillation.Squared)
        {
            throw Refusal(nameof(options.Boxes),
                "a squared loss to the teacher's boxes is for two-stage students; the boxes of one-stage students learn by GIoU, and so does their bound: use Bounded");
        }

        if (options.LocalizationWeight > 0 && !teacher.HasEdges)
        {
            throw Refusal(nameof(options.LocalizationWeight),
                "LD needs a teacher whose box sides are distributions: a one-stage detector of this library, or an ONNX detector of the format Gfl");
        }

        if (options.CrossHeadWeight > 0 && Misfit(student, teacher.CrossHead) is { } misfit)
            throw Refusal(nameof(options.CrossHeadWeight), $"CrossKD runs the teacher's head on the student's maps, and {misfit}");
    }

    private static string? Misfit(OneStageDetector student, OneStageDetector? teacher)
    {
        if (teacher is null) return "the teacher is no one-stage detector of this library";
        (OneStageConfig own, OneStageConfig theirs) = (student.Config, teacher.Config);
        if (own.Channels != theirs.Channels) return $"the student's head has {own.Channels} channels, the teacher's {theirs.Channels}";
        if (own.Bins != theirs.Bins) return $"the student's sides have {own.Bins} bins, the teacher's {theirs.Bins}";
        if (!own.ClassNames.SequenceEqual(theirs.ClassNames))
            return $"the student's classes are {string.Join(", ", own.ClassNames)}, the teacher's {string.Join(", ", theirs.ClassNames)}";
        return Cells(student) == Cells(teacher) ? null : $"the student's maps are {Cells(student)} cells, the teacher's {Cells(teacher)}";
    }

    private static string Cells(OneStageDetector detector)
        => string.Join(", ", detector.Grid.Levels.Select(level => new ImageSize(level.Columns, level.Rows)));

    private static ArgumentException Refusal(string option, string why) => new($"The option {nameof(DistillationOptions)}.{option} does not apply: {why}.");
}
