using Microsoft.ML.Distillation.Boxes;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Distributed;
using Microsoft.ML.Distillation.Rows;
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

/// <summary>
/// From a one-stage detector's answer for one image to detections: score threshold, suppression within each class, the best.
/// </summary>
internal sealed class DenseSelector(OneStageConfig config)
{
    /// <summary>Detections with a shorter side, in pixels, are dropped.</summary>
    public const float ShortestSide = 1e-2f;

    /// <param name="boxes">4P values, in pixels; limited to the image here.</param>
    /// <param name="scores">P rows of C.</param>
    public Detections Select(Span<float> boxes, ReadOnlySpan<float> scores)
    {
        int classes = config.ClassNames.Count, count = boxes.Length / 4;
        for (int i = 0; i < count; i++) BoxOps.Clip(boxes.Slice(4 * i, 4), config.InputSize.Width, config.InputSize.Height);
        var (kept, keptScores, labels) = (new List<float>(), new List<float>(), new List<int>());
        var candidates = new float[boxes.Length];
        var candidateScores = new float[count];
        for (int label = 0; label < classes; label++)
        {
            int found = 0;
            for (int i = 0; i < count; i++)
            {
                float score = scores[i * classes + label];
                if (score <= config.ScoreThreshold || !BoxOps.IsAtLeast(boxes.Slice(4 * i, 4), ShortestSide)) continue;
                boxes.Slice(4 * i, 4).CopyTo(candidates.AsSpan(4 * found));
                candidateScores[found++] = score;
            }

            foreach (int i in Nms.Keep(candidates.AsSpan(0, 4 * found), candidateScores.AsSpan(0, found), config.NmsThreshold,
                config.MaxDetections))
            {
                kept.AddRange(candidates.AsSpan(4 * i, 4));
                keptScores.Add(candidateScores[i]);
                labels.Add(label);
            }
        }

        int[] order = ScoreOrder.Top([.. keptScores], config.MaxDetections);
        var shares = new float[4 * order.Length];
        for (int i = 0; i < shares.Length; i++)
            shares[i] = kept[4 * order[i / 4] + i % 4] / (i % 2 == 0 ? config.InputSize.Width : config.InputSize.Height);
        return new Detections(shares, Array.ConvertAll(order, i => keptScores[i]), Array.ConvertAll(order, i => labels[i]));
    }
}
