using Microsoft.ML.Distillation.Losses;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.Distillation;

// L_LD = T² Σ w · mean KL(Q_T ‖ softmax(l / T)) / (m + 1) / Σ w,     Q_T ∝ max(Q, 10⁻⁴)^(1/T),     w = max over the classes of σ
//
// The mean is over the four sides of a box, and w the student's best score there, without gradient. The division by the number of bins
// is not in the paper, but in its authors' code, and so in the weight that they give; that code does not divide by Σ w.
//
// Zheng et al., Localization Distillation for Dense Object Detection (CVPR 2022): l are the student's logits of a side's bins and Q the
// teacher's distribution over the same bins. The paper's teacher and student have the same grid. Here a teacher's bin may lie anywhere:
// Rebin gives its probability to the two bins of the student nearest to it, by nearness, so that the mean stays, and where the grids
// agree nothing changes. What lies beyond the student's bins counts for the last one. Bins that nothing falls into get 10⁻⁴, or the
// temperature would make absolute certainties of them.

/// <summary>
/// LD (Zheng et al., CVPR 2022): the teacher's distributions of box sides, at locations with an object. For one-stage students of a
/// one-stage teacher, or of an ONNX teacher of the format <see cref="OnnxDetectorFormat.Gfl"/> or
/// <see cref="OnnxDetectorFormat.PicoDet"/>; their grids need not agree.
/// </summary>
public sealed record BoxDistributions : DistillationLoss
{
    /// <summary>0.25, its authors'.</summary>
    public override double UsualWeight => 0.25;

    /// <summary>The temperature T, above 0.</summary>
    public double Temperature { get; init; } = 10;

    internal override string LogName => "box.distribution";

    internal override LossNeeds Needs => LossNeeds.BoxDistributions;

    internal override LossParts Parts => LossParts.Locations;

    internal override Tensor OfLocations(LocationAnswers answers)
    {
        EdgeAnswers edges = answers.Edges();
        long bins = edges.Logits.shape[2];
        Tensor wanted = LocalizationLoss.Rebin(edges.Probabilities, edges.Places, (int)bins);
        using Scalar perBin = 1.0 / bins;
        return LocalizationLoss.Loss(edges.Logits, wanted, Temperature, edges.Weights, edges.WeightSum).mul(perBin);
    }

    internal override void Validate()
    {
        base.Validate();
        Check(Temperature is > 0 and < double.PositiveInfinity, nameof(Temperature), Temperature, "above 0");
    }
}

/// <summary>
/// The divergence of distributional boxes, summed over the bins of a side: the formula at the top of the file without its division by
/// m + 1.
/// </summary>
internal static class LocalizationLoss
{
    private const double Least = 1e-4;

    /// <summary>The loss of a mini-batch.</summary>
    /// <param name="logits">The student's logits [P,4,m+1].</param>
    /// <param name="teacher">The teacher's probabilities of the same bins [P,4,m+1], without gradient.</param>
    /// <param name="temperature">T.</param>
    /// <param name="weights">The boxes' weights [P]; <see langword="null"/>: 1 each.</param>
    /// <param name="weightSum">What the weighted sum is divided by; <see langword="null"/>: the sum of the weights, but at least 1.</param>
    public static Tensor Loss(Tensor logits, Tensor teacher, double temperature, Tensor? weights = null, Tensor? weightSum = null)
    {
        using var scope = NewDisposeScope();
        using Scalar least = Least, sharpness = 1 / temperature, t = temperature, square = temperature * temperature, one = 1;
        (logits, teacher) = (logits.Single(), teacher.Single());
        Tensor wanted = teacher.clamp_min(least).pow(sharpness);
        wanted = wanted / wanted.sum(-1, keepdim: true);
        Tensor given = functional.log_softmax(logits.div(t), -1);
        Tensor perBox = wanted.mul(wanted.log() - given).sum(dim: -1).mean([1]).mul(square);
        weights ??= ones_like(perBox);
        return (perBox.mul(weights).sum() / (weightSum ?? weights.sum().clamp_min(one))).MoveToOuterDisposeScope();
    }

    /// <summary>Probabilities of bins anywhere as probabilities of the bins 0 … m.</summary>
    /// <param name="probabilities">[P,4,K].</param>
    /// <param name="places">Where those K bins lie among the bins 0 … m, as distances in bins [P,4,K].</param>
    /// <param name="bins">m + 1.</param>
    public static Tensor Rebin(Tensor probabilities, Tensor places, int bins)
    {
        using var scope = NewDisposeScope();
        using Scalar first = 0, last = bins - 1, beforeLast = bins - 2;
        Tensor inside = places.clamp(first, last);
        Tensor lower = inside.floor().clamp_max(beforeLast);
        Tensor upperShare = inside - lower;
        Tensor index = lower.to_type(ScalarType.Int64);
        using Scalar one = 1;
        Tensor all = zeros([.. probabilities.shape[..^1], bins], probabilities.dtype, probabilities.device);
        all = all.scatter_add(2, index, probabilities.mul(upperShare.Complement()));
        return all.scatter_add(2, index.add(one, one), probabilities.mul(upperShare)).MoveToOuterDisposeScope();
    }
}
