using Microsoft.ML.Distillation.Losses;
using TorchSharp;
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

    /// <summary>
    /// Soft targets for scores that say both what is there and how well its box sits: what the labels ask of a location in all, shared out among the
    /// classes as the teacher's probabilities for its box are: y_c = Σy · P_c^(1/T) / ΣP^(1/T). Where the teacher has no opinion, or rather sees none of
    /// the classes (ΣP below ½), the labels' own targets stay.
    /// </summary>
    /// <param name="labelled">y, the target scores from the labels [P,C].</param>
    /// <param name="teacher">P, the teacher's probabilities of the classes, the background left out [P,C].</param>
    /// <param name="known">Where the teacher has an opinion, bool [P]; <see langword="null"/>: everywhere.</param>
    /// <param name="temperature">T.</param>
    public static Tensor SharedOut(Tensor labelled, Tensor teacher, Tensor? known, double temperature = 1)
    {
        using var scope = NewDisposeScope();
        using Scalar half = 0.5, sharpness = 1 / temperature;
        Tensor sees = teacher.sum(1, keepdim: true).ge(half);
        if (known is not null) sees = sees.logical_and(known.unsqueeze(1));
        Tensor shares = temperature == 1 ? teacher : teacher.pow(sharpness);
        return where(sees, shares / shares.sum(1, keepdim: true) * labelled.sum(1, keepdim: true), labelled).MoveToOuterDisposeScope();
    }

    /// <summary>DIST's loss of class probabilities [R,C] on the rows on which the teacher has an opinion.</summary>
    public static Tensor Relations(Tensor student, Tensor teacher, Tensor? known)
    {
        if (known is null) return RelationLoss.Loss(student, teacher);
        Tensor rows = known.nonzero().squeeze(1);
        return RelationLoss.Loss(student.index_select(0, rows), teacher.index_select(0, rows));
    }
}
