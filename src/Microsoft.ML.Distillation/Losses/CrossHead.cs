using Microsoft.ML.Distillation.Distributed;
using Microsoft.ML.Distillation.Losses;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation;

// L_cls = Σ |σ_T − σ_X|² BCE(x, σ_T) / Σ w,     L_box = Σ w · mean KL(Q_T ‖ Q_X) / Σ w,     w = max over the classes of σ_T
//
// Wang et al., CrossKD: Cross-Head Knowledge Distillation for Object Detection (CVPR 2024): x and Q_X are what the teacher's last layers
// say of the student's map from within the head, σ_T and Q_T what they say of the teacher's own. The student's own last layers learn
// from the ground truth alone, so the two targets do not pull at the same outputs.

/// <summary>
/// CrossKD (Wang et al., CVPR 2024): the teacher's last layers on the student's maps are to say what they say of the teacher's own. For
/// one-stage students of a one-stage teacher with the same classes, grid, channels and bins.
/// </summary>
public sealed record CrossHead : DistillationLoss
{
    /// <summary>1.</summary>
    public override double UsualWeight => 1;

    internal override string LogName => "crosshead";

    internal override LossNeeds Needs => LossNeeds.SameHead;

    internal override LossParts Parts => LossParts.Heads;

    internal override IReadOnlyList<(string Name, Tensor Value)> OfCrossedHeads(CrossedHeads heads) =>
    [
        ($"{LogName}.class", CrossHeadLoss.Classes(heads.Logits, heads.OwnLogits, heads.Ranks)),
        ($"{LogName}.box", CrossHeadLoss.Boxes(heads.Edges, heads.OwnEdges, heads.OwnLogits, heads.Ranks)),
    ];
}

/// <summary>The losses of cross-head distillation; the formulas stand at the top of the file.</summary>
internal static class CrossHeadLoss
{
    /// <summary>The loss of class scores.</summary>
    /// <param name="crossed">The teacher's logits of the student's maps [N·P,C].</param>
    /// <param name="own">The teacher's logits of its own maps [N·P,C].</param>
    /// <param name="ranks">The processes whose images are one batch.</param>
    public static Tensor Classes(Tensor crossed, Tensor own, RankGroup? ranks = null)
    {
        using var scope = NewDisposeScope();
        Tensor wanted = own.detach().sigmoid();
        Tensor sum = wanted.amax([1]).sum();
        return (QualityFocalLoss.Loss(crossed, wanted, 1) / (ranks ?? RankGroup.Alone).Normaliser(sum)).MoveToOuterDisposeScope();
    }

    /// <summary>The loss of distributional boxes.</summary>
    /// <param name="crossed">The teacher's bins' logits of the student's maps [N·P,4,m+1].</param>
    /// <param name="own">The teacher's bins' logits of its own maps [N·P,4,m+1].</param>
    /// <param name="ownClasses">The teacher's class logits of its own maps [N·P,C].</param>
    /// <param name="ranks">The processes whose images are one batch.</param>
    public static Tensor Boxes(Tensor crossed, Tensor own, Tensor ownClasses, RankGroup? ranks = null)
    {
        using var scope = NewDisposeScope();
        Tensor weights = ownClasses.detach().sigmoid().amax([1]);
        Tensor loss = LocalizationLoss.Loss(crossed, own.detach().softmax(-1), 1, weights);
        if (ranks is not { AreSeveral: true }) return loss.MoveToOuterDisposeScope();
        // From a mean over the weights of this rank to its part of the mean over those of all.
        return loss.mul(RankGroup.Alone.Normaliser(weights.sum()) / ranks.Normaliser(weights.sum())).MoveToOuterDisposeScope();
    }
}
