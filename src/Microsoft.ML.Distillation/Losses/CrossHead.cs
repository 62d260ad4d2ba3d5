using Microsoft.ML.Distillation.Distributed;
using Microsoft.ML.Distillation.Losses;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation;

// L_cls = Σ |σ_T − σ_X| BCE(x, σ_T) / P,     L_box = 4 Σ w · mean KL(Q_T ‖ Q_X) / Σ w,     w = max over the classes of σ_T
//
// Wang et al., CrossKD: Cross-Head Knowledge Distillation for Object Detection (CVPR 2024), with the settings of its authors for GFL: x
// and Q_X are what the teacher's last layers say of the student's map from within the head, σ_T and Q_T what they say of the teacher's
// own, and P is the number of locations that have an object. The student's own last layers learn from the ground truth alone, so the two
// targets do not pull at the same outputs. The student's map is taken before its ReLU, and each of its channels gets the mean and the
// deviation over the batch that the teacher's has there (AlignScale): the teacher's layers behind it know no others.

/// <summary>
/// CrossKD (Wang et al., CVPR 2024): the teacher's last layers on the student's maps are to say what they say of the teacher's own. For
/// one-stage students of a one-stage teacher of this library. Where grids differ, each of the teacher's maps has the student's nearest in
/// size, averaged or enlarged; where channels do, a 1×1 convolution stands between, which is dropped after training.
/// </summary>
public sealed record CrossHead : DistillationLoss
{
    /// <summary>1.</summary>
    public override double UsualWeight => 1;

    internal override string LogName => "crosshead";

    internal override LossNeeds Needs => LossNeeds.Head;

    internal override LossParts Parts => LossParts.Heads;

    internal override IReadOnlyList<(string Name, Tensor Value, double Factor)> OfCrossedHeads(CrossedHeads heads) =>
    [
        ($"{LogName}.class", CrossHeadLoss.Classes(heads.Logits, heads.OwnLogits, heads.Positives), 1),
        ($"{LogName}.box", CrossHeadLoss.Boxes(heads.Edges, heads.OwnEdges, heads.OwnLogits, heads.Ranks), CrossHeadLoss.BoxFactor),
    ];
}

/// <summary>The losses of cross-head distillation; the formulas stand at the top of the file.</summary>
internal static class CrossHeadLoss
{
    /// <summary>What the loss of boxes is multiplied with beside that of classes.</summary>
    public const double BoxFactor = 4;

    /// <summary>The loss of class scores.</summary>
    /// <param name="crossed">The teacher's logits of the student's maps [N·P,C].</param>
    /// <param name="own">The teacher's logits of its own maps [N·P,C].</param>
    /// <param name="positives">What the sum is divided by: the number of locations that have an object.</param>
    public static Tensor Classes(Tensor crossed, Tensor own, double positives)
        => QualityFocalLoss.Loss(crossed, own.detach().sigmoid(), positives, isLinear: true);

    /// <summary>The loss of distributional boxes.</summary>
    /// <param name="crossed">The teacher's bins' logits of the student's maps [N·P,4,m+1].</param>
    /// <param name="own">The teacher's bins' logits of its own maps [N·P,4,m+1].</param>
    /// <param name="ownClasses">The teacher's class logits of its own maps [N·P,C].</param>
    /// <param name="ranks">The processes whose images are one batch.</param>
    public static Tensor Boxes(Tensor crossed, Tensor own, Tensor ownClasses, RankGroup? ranks = null)
    {
        using var scope = NewDisposeScope();
        Tensor weights = ownClasses.detach().sigmoid().amax([1]);
        Tensor sum = (ranks ?? RankGroup.Alone).Normaliser(weights.sum());
        return LocalizationLoss.Loss(crossed, own.detach().softmax(-1), 1, weights, sum).MoveToOuterDisposeScope();
    }

    /// <summary>A student's map [N,C,h,w] whose channels have the teacher's means and deviations over the batch.</summary>
    /// <param name="teacher">The teacher's map [N,C,h,w].</param>
    /// <param name="ranks">The processes whose images are one batch.</param>
    public static Tensor AlignScale(Tensor student, Tensor teacher, RankGroup? ranks = null)
    {
        using var scope = NewDisposeScope();
        using Scalar tiny = 1e-6, one = 1;
        (Tensor centred, _, Tensor deviation) = Moments(student, ranks ?? RankGroup.Alone);
        (_, Tensor mean, Tensor theirs) = Moments(teacher.detach(), ranks ?? RankGroup.Alone);
        return centred.div(deviation.add(tiny, one)).mul(theirs).Plus(mean).MoveToOuterDisposeScope();
    }

    private static (Tensor Centred, Tensor Mean, Tensor Deviation) Moments(Tensor map, RankGroup ranks)
    {
        // Far below what deviations are compared with, so that the root of a constant channel has a gradient.
        using Scalar least = 1e-14, one = 1;
        Tensor mean = ranks.Mean(map.mean([0, 2, 3], keepdim: true)), centred = map - mean;
        return (centred, mean, ranks.Mean(centred.mul(centred).mean([0, 2, 3], keepdim: true)).add(least, one).sqrt());
    }
}
