using Microsoft.ML.Distillation.Teachers;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Estimators;

/// <summary>What a student learns, and from whom.</summary>
/// <param name="Jointly">Whether the teacher is trained together with the student.</param>
internal sealed record Lesson(Teacher Teacher, DistillationOptions Distillation, bool Jointly = false)
{
    /// <summary>Readies the teacher.</summary>
    /// <param name="classNames">The student's classes.</param>
    /// <param name="device">Where the student trains.</param>
    public ITeacher Open(IReadOnlyList<string> classNames, Device device)
        => Jointly ? Teacher.OpenFresh(classNames, device) : Teacher.Open(classNames, device);
}
