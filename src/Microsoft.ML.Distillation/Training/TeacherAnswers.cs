using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training;

/// <summary>What objectives do with a teacher's answers for boxes.</summary>
internal static class TeacherAnswers
{
    /// <summary>Where both hold; an absent one holds everywhere.</summary>
    public static Tensor? Both(Tensor? a, Tensor? b) => a is null || b is null ? a ?? b : a.logical_and(b);

    /// <summary>Of rows [P,C,4] the one of each box's class [P], or the only one where classes share it: [P,4].</summary>
    public static Tensor OfClass(Tensor perClass, Tensor classes) =>
        perClass.shape[1] == 1 ? perClass.squeeze(1) : perClass.gather(1, classes.view(-1, 1, 1).expand(-1, 1, 4)).squeeze(1);
}
