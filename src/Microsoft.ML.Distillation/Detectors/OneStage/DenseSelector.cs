using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors.Boxes;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>From a one-stage detector's answer for one image to detections: score threshold, suppression within each class, the best.</summary>
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

            foreach (int i in Nms.Keep(candidates.AsSpan(0, 4 * found), candidateScores.AsSpan(0, found), config.NmsThreshold, config.MaxDetections))
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
