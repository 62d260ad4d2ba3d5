using Microsoft.ML.Distillation.Detectors.Boxes;

namespace Microsoft.ML.Distillation.Detectors;

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
