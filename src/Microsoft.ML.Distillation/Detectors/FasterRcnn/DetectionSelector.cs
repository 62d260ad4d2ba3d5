using Microsoft.ML.Distillation.Boxes;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>
/// From the head's answer for one image to detections: decoding, score threshold, suppression within each class, the best.
/// </summary>
internal sealed class DetectionSelector(FasterRcnnConfig config)
{
    /// <summary>Detections with a shorter side, in pixels, are dropped.</summary>
    public const float ShortestSide = 1e-2f;

    /// <param name="proposals">4R values, in pixels.</param>
    /// <param name="probabilities">R rows of C+1, background first.</param>
    /// <param name="deltas">R rows of 4 × regressors.</param>
    public Detections Select(ReadOnlySpan<float> proposals, ReadOnlySpan<float> probabilities, ReadOnlySpan<float> deltas)
    {
        int classes = config.ClassNames.Count, count = proposals.Length / 4;
        float[] boxes = [];
        var keptBoxes = new List<float>();
        var keptScores = new List<float>();
        var keptLabels = new List<int>();
        var candidates = new float[4 * count];
        var scores = new float[count];
        for (int label = 0; label < classes; label++)
        {
            if (label == 0 || !config.ClassAgnosticBoxes) boxes = Decode(proposals, deltas, config.ClassAgnosticBoxes ? 0 : label);
            int found = 0;
            for (int r = 0; r < count; r++)
            {
                float score = probabilities[r * (classes + 1) + label + 1];
                ReadOnlySpan<float> box = boxes.AsSpan(4 * r, 4);
                if (score <= config.ScoreThreshold || !BoxOps.IsAtLeast(box, ShortestSide)) continue;
                box.CopyTo(candidates.AsSpan(4 * found));
                scores[found++] = score;
            }

            ReadOnlySpan<float> sorted = candidates.AsSpan(0, 4 * found);
            foreach (int kept in Nms.Keep(sorted, scores.AsSpan(0, found), config.NmsThreshold, config.MaxDetections))
            {
                keptBoxes.AddRange(sorted.Slice(4 * kept, 4));
                keptScores.Add(scores[kept]);
                keptLabels.Add(label);
            }
        }

        int[] order = ScoreOrder.Top([.. keptScores], config.MaxDetections);
        return new Detections(
            Shares(order, keptBoxes), Array.ConvertAll(order, i => keptScores[i]), Array.ConvertAll(order, i => keptLabels[i]));
    }

    private float[] Decode(ReadOnlySpan<float> proposals, ReadOnlySpan<float> deltas, int regressor)
    {
        int step = 4 * (config.ClassAgnosticBoxes ? 1 : config.ClassNames.Count);
        var boxes = new float[proposals.Length];
        for (int r = 0; r < proposals.Length / 4; r++)
        {
            Span<float> box = boxes.AsSpan(4 * r, 4);
            FasterRcnn.HeadCoder.Decode(deltas.Slice(r * step + 4 * regressor, 4), proposals.Slice(4 * r, 4), box);
            BoxOps.Clip(box, config.InputSize.Width, config.InputSize.Height);
        }

        return boxes;
    }

    private float[] Shares(int[] order, List<float> boxes)
    {
        var shares = new float[4 * order.Length];
        for (int i = 0; i < shares.Length; i++)
            shares[i] = boxes[4 * order[i / 4] + i % 4] / (i % 2 == 0 ? config.InputSize.Width : config.InputSize.Height);
        return shares;
    }
}

/// <summary>
/// From the RPN's answer for one image to proposals: of each map the best anchors, moved by their deltas and limited to the
/// image, without those that overlap a better one of the same map; of all maps together the best.
/// </summary>
internal sealed class ProposalSelector(FasterRcnnConfig config, AnchorLayout anchors)
{
    /// <summary>Proposals with a shorter side, in pixels, are dropped.</summary>
    public const float ShortestSide = 1e-3f;

    /// <summary>The proposals, 4 values each, in pixels, best first.</summary>
    /// <param name="objectness">A logits.</param>
    /// <param name="deltas">4A values.</param>
    public float[] Select(ReadOnlySpan<float> objectness, ReadOnlySpan<float> deltas, bool training)
    {
        int before = training ? config.TrainingProposalsBeforeNms : config.ProposalsBeforeNms;
        int after = training ? config.TrainingProposals : config.Proposals;
        var boxes = new List<float>();
        var scores = new List<float>();
        foreach (AnchorLevel level in anchors.Levels)
        {
            int[] best = ScoreOrder.Top(objectness.Slice(level.Start, level.Count), before);
            var levelBoxes = new float[4 * best.Length];
            var levelScores = new float[best.Length];
            int valid = 0;
            foreach (int index in best)
            {
                int anchor = level.Start + index;
                Span<float> box = levelBoxes.AsSpan(4 * valid, 4);
                FasterRcnn.RpnCoder.Decode(deltas.Slice(4 * anchor, 4), anchors.Boxes.AsSpan(4 * anchor, 4), box);
                BoxOps.Clip(box, config.InputSize.Width, config.InputSize.Height);
                if (BoxOps.IsAtLeast(box, ShortestSide)) levelScores[valid++] = objectness[anchor];
            }

            Span<float> candidates = levelBoxes.AsSpan(0, 4 * valid);
            foreach (int kept in Nms.Keep(candidates, levelScores.AsSpan(0, valid), config.RpnNmsThreshold, after))
            {
                boxes.AddRange(candidates.Slice(4 * kept, 4));
                scores.Add(levelScores[kept]);
            }
        }

        if (anchors.Levels.Count == 1) return [.. boxes];
        int[] order = ScoreOrder.Top([.. scores], after);
        var selected = new float[4 * order.Length];
        for (int i = 0; i < order.Length; i++) boxes.CopyTo(4 * order[i], selected, 4 * i, 4);
        return selected;
    }
}
