using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Distributed;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>What the locations of a batch are to learn; R of its N·P locations have an object.</summary>
/// <param name="Rows">[R] int64: which of the N·P rows, ascending.</param>
/// <param name="Points">[R] int64: which location of its image.</param>
/// <param name="Classes">[R] int64.</param>
/// <param name="Boxes">[R,4]: their objects, in pixels.</param>
/// <param name="Qualities">[R]: the scores that they are to give.</param>
/// <param name="Weights">[R]: how much their boxes count.</param>
/// <param name="QualitySum">What sums over <paramref name="Qualities"/> are divided by: their sum, but at least 1.</param>
/// <param name="WeightSum">What sums over <paramref name="Weights"/> are divided by: their sum, but at least 1.</param>
internal sealed record DenseTargets(
    Tensor Rows, Tensor Points, Tensor Classes, Tensor Boxes, Tensor Qualities, Tensor Weights, double QualitySum, double WeightSum)
{
    /// <summary>Gives the objects of a batch to locations.</summary>
    /// <param name="answer">The head's answer.</param>
    /// <param name="boxes">The boxes of that answer [N,P,4], in pixels.</param>
    /// <param name="objects">Of each image 4G values, in pixels.</param>
    /// <param name="labels">Of each image G class indices.</param>
    /// <param name="ranks">The processes whose images are one batch: the sums are over those of all.</param>
    public static DenseTargets Of(
        IPointAssigner assigner, DenseOutput answer, Tensor boxes, IReadOnlyList<float[]> objects, IReadOnlyList<int[]> labels,
        RankGroup ranks)
    {
        using DisposeScope scope = NewDisposeScope();
        int points = (int)answer.Logits.shape[1], classes = (int)answer.Logits.shape[2];
        float[] scores = TensorArrays.Floats(answer.Logits.detach().sigmoid()), predicted = TensorArrays.Floats(boxes);
        var (rows, indices, names) = (new List<long>(), new List<long>(), new List<long>());
        var (corners, qualities, weights) = (new List<float>(), new List<float>(), new List<float>());
        for (int n = 0; n < objects.Count; n++)
        {
            if (labels[n].Length == 0) continue;
            AssignedPoints assigned = assigner.Assign(
                scores.AsSpan(n * points * classes, points * classes), predicted.AsSpan(4 * n * points, 4 * points), objects[n], labels[n]);
            for (int point = 0; point < points; point++)
            {
                if (assigned.Objects[point] is not (>= 0 and int g)) continue;
                rows.Add((long)n * points + point);
                indices.Add(point);
                names.Add(labels[n][g]);
                corners.AddRange(objects[n].AsSpan(4 * g, 4));
                qualities.Add(assigned.Qualities[point]);
                weights.Add(assigned.Weights[point]);
            }
        }

        Device device = answer.Logits.device;
        double[] sums = ranks.Normalisers(qualities.Sum(), weights.Sum());
        return new DenseTargets(
            Keep(TensorArrays.Vector([.. rows], device)), Keep(TensorArrays.Vector([.. indices], device)),
            Keep(TensorArrays.Vector([.. names], device)), Keep(TensorArrays.Boxes([.. corners], device)),
            Keep(TensorArrays.Vector([.. qualities], device)), Keep(TensorArrays.Vector([.. weights], device)),
            sums[0], sums[1]);
    }

    private static Tensor Keep(Tensor value) => value.MoveToOuterDisposeScope();
}
