using Microsoft.ML.Distillation.Boxes;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Model;

/// <summary>How detections are chosen from a one-stage detector's answer.</summary>
/// <param name="ScoreThreshold">The score, 0 to 1, that a detection must exceed.</param>
/// <param name="NmsThreshold">The overlap (IoU) above which the worse of two boxes of a class is dropped.</param>
/// <param name="MaxDetections">The most detections of one image.</param>
internal sealed record DenseSelection(float ScoreThreshold, float NmsThreshold, int MaxDetections);

/// <summary>
/// From a one-stage detector's answer for one image to detections: score threshold, suppression within each class, the best.
/// </summary>
/// <param name="selection">How they are chosen.</param>
/// <param name="input">The size in pixels that the detector sees.</param>
internal sealed class DenseSelector(DenseSelection selection, ImageSize input)
{
    /// <summary>Detections with a shorter side, in pixels, are dropped.</summary>
    public const float ShortestSide = 1e-2f;

    /// <param name="boxes">4P values, x0 y0 x1 y1 in pixels of the input; limited to the image here.</param>
    /// <param name="scores">P rows of a score for each class.</param>
    /// <returns>The detections, best first, boxes in shares of the image.</returns>
    public Detections Select(Span<float> boxes, ReadOnlySpan<float> scores)
    {
        int count = boxes.Length / 4, classes = count == 0 ? 0 : scores.Length / count;
        for (int i = 0; i < boxes.Length; i++) boxes[i] = Math.Clamp(boxes[i], 0, i % 2 == 0 ? input.Width : input.Height);
        var (kept, keptScores, labels) = (new List<float>(), new List<float>(), new List<int>());
        var candidates = new float[boxes.Length];
        var candidateScores = new float[count];
        for (int label = 0; label < classes; label++)
        {
            int found = 0;
            for (int i = 0; i < count; i++)
            {
                float score = scores[i * classes + label];
                ReadOnlySpan<float> box = boxes.Slice(4 * i, 4);
                if (score <= selection.ScoreThreshold || !(box[2] - box[0] >= ShortestSide && box[3] - box[1] >= ShortestSide)) continue;
                box.CopyTo(candidates.AsSpan(4 * found));
                candidateScores[found++] = score;
            }

            foreach (int i in Nms.Keep(candidates.AsSpan(0, 4 * found), candidateScores.AsSpan(0, found), selection.NmsThreshold,
                selection.MaxDetections))
            {
                kept.AddRange(candidates.AsSpan(4 * i, 4));
                keptScores.Add(candidateScores[i]);
                labels.Add(label);
            }
        }

        int[] order = ScoreOrder.Top([.. keptScores], selection.MaxDetections);
        var shares = new float[4 * order.Length];
        for (int i = 0; i < shares.Length; i++)
            shares[i] = kept[4 * order[i / 4] + i % 4] / (i % 2 == 0 ? input.Width : input.Height);
        return new Detections(shares, Array.ConvertAll(order, i => keptScores[i]), Array.ConvertAll(order, i => labels[i]));
    }
}
