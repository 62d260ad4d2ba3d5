using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.Distillation.Losses;

// L_soft = −Σ_c w_c · P_t,c · log P_s,c,     averaged over the sampled boxes
//
// Chen et al., Learning Efficient Object Detection Models with Knowledge Distillation (NIPS 2017), equation 3: w_0 = 1.5 for
// the background and 1 for every object class. The weight is the class's, inside the sum, so a box that the teacher holds for
// half background pays half of its loss at the background's weight. With a temperature T both sides are softened and the loss
// is multiplied by T², which keeps its gradient's size (Hinton et al., 2015); the paper's T is 1.

/// <summary>The class-weighted cross-entropy with soft targets; its formula stands at the top of the file.</summary>
internal static class WeightedSoftCrossEntropy
{
    /// <summary>The loss of boxes that are classified among the background and C classes.</summary>
    /// <param name="logits">The student's logits [R,C+1], background first.</param>
    /// <param name="teacher">The teacher's probabilities at temperature 1 [R,C+1]; rows sum to 1.</param>
    /// <param name="backgroundWeight">w_0.</param>
    /// <param name="temperature">T.</param>
    public static Tensor Loss(Tensor logits, Tensor teacher, double backgroundWeight, double temperature = 1)
    {
        using var scope = NewDisposeScope();
        Tensor targets = teacher;
        if (temperature != 1)
        {
            using Scalar t = temperature, sharpness = 1 / temperature;
            targets = teacher.pow(sharpness);
            targets /= targets.sum(1, keepdim: true);
            logits = logits.div(t);
        }

        Tensor logProbabilities = functional.log_softmax(logits, 1);
        Tensor perClass = targets.mul(logProbabilities).sum(dim: 0);
        Tensor weights = ones(perClass.shape[0], perClass.dtype, perClass.device);
        using Scalar background = backgroundWeight;
        weights.narrow(0, 0, 1).fill_(background);
        return Mean(perClass.mul(weights).sum(), logits.shape[0], temperature).MoveToOuterDisposeScope();
    }

    /// <summary>The loss of anchors, which hold an object or background.</summary>
    /// <param name="logits">The student's logits of there being an object [S].</param>
    /// <param name="teacher">The teacher's probabilities of an object at temperature 1 [S].</param>
    /// <param name="backgroundWeight">w_0.</param>
    /// <param name="temperature">T.</param>
    public static Tensor BinaryLoss(Tensor logits, Tensor teacher, double backgroundWeight, double temperature = 1)
    {
        using var scope = NewDisposeScope();
        Tensor present = teacher;
        if (temperature != 1)
        {
            using Scalar t = temperature, sharpness = 1 / temperature;
            present = teacher.pow(sharpness);
            present /= present.Plus(teacher.Complement().pow(sharpness));
            logits = logits.div(t);
        }

        using Scalar background = backgroundWeight;
        Tensor objects = functional.logsigmoid(logits);
        Tensor nothing = functional.logsigmoid(logits.neg()).mul(background);
        return Mean(nothing.lerp(objects, present).sum(), logits.shape[0], temperature).MoveToOuterDisposeScope();
    }

    private static Tensor Mean(Tensor sum, long count, double temperature)
    {
        using Scalar factor = -temperature * temperature / Math.Max(1, count);
        return sum.mul(factor);
    }
}
