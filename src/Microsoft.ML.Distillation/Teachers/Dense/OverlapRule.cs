using Microsoft.ML.Distillation.Detectors.Boxes;

namespace Microsoft.ML.Distillation.Teachers.Dense;

// How a teacher that can only be shown images answers for boxes that others ask about. d are its dense predictions, before
// suppression, noise left out (confidence < NoiseScore); b is a box.
//
//   1. Of the confident d (confidence ≥ ConfidentScore) the one that overlaps b most answers, if IoU ≥ MatchOverlap: with its own
//      class probabilities and its own box. So a confident prediction's own box gets that prediction's own answer, to the bit.
//   2. Else, if any d, confident or not, overlaps b by ForeignOverlap or more, the teacher has no opinion of b.
//   3. Else b is background.
//
// An unsure prediction therefore never becomes a target; it only keeps the teacher from calling a place background.
// Anchors seldom overlap small objects by half. As in RPN's own assignment, each confident d also answers for the anchor that it
// overlaps most, if IoU ≥ ForeignOverlap and no other d answers for that anchor by rule 1.

/// <summary>Finds for boxes the predictions that answer for them; the rule stands at the top of the file.</summary>
internal sealed record OverlapRule(double ConfidentScore, double MatchOverlap, double ForeignOverlap)
{
    /// <summary>
    /// Whether scores are class probabilities that may be targets. Those of a detector that is told in words are not: 0.3 is a good one.
    /// </summary>
    public bool TeachesClasses { get; init; } = true;

    /// <summary>In the place of a prediction: the box is background.</summary>
    public const int Background = -1;

    /// <summary>In the place of a prediction: the teacher has no opinion.</summary>
    public const int NoOpinion = -2;

    /// <summary>For each box the prediction that answers for it.</summary>
    /// <param name="boxes">4R shares.</param>
    /// <param name="predictions">The teacher's predictions for the image.</param>
    /// <param name="bestAnchors">Whether the rule for anchors holds too.</param>
    public int[] Answers(ReadOnlySpan<float> boxes, StudentPredictions predictions, bool bestAnchors = false)
    {
        var answers = new int[boxes.Length / 4];
        var bestAnchor = new (int Index, double Iou)[predictions.Count];
        Array.Fill(bestAnchor, (-1, 0));
        for (int b = 0; b < answers.Length; b++)
        {
            int match = -1;
            double matchIou = 0, anyIou = 0;
            for (int d = 0; d < predictions.Count; d++)
            {
                double iou = BoxOps.Iou(boxes.Slice(4 * b, 4), predictions.BoxOf(d));
                if (iou <= 0) continue;
                anyIou = Math.Max(anyIou, iou);
                if (iou > bestAnchor[d].Iou) bestAnchor[d] = (b, iou);
                if (predictions.Confidences[d] < ConfidentScore || iou < matchIou) continue;
                if (iou > matchIou || predictions.Confidences[d] > predictions.Confidences[match]) (match, matchIou) = (d, iou);
            }

            answers[b] = match >= 0 && matchIou >= MatchOverlap ? match : anyIou > 0 && anyIou >= ForeignOverlap ? NoOpinion : Background;
        }

        if (bestAnchors) GiveBestAnchors(answers, bestAnchor, predictions);
        return answers;
    }

    private void GiveBestAnchors(int[] answers, (int Index, double Iou)[] bestAnchor, StudentPredictions predictions)
    {
        bool[] answered = [.. answers.Select(answer => answer >= 0)];
        // Where several want the same anchor the most confident comes last and keeps it.
        foreach (int d in Enumerable.Range(0, predictions.Count).OrderBy(d => predictions.Confidences[d]))
        {
            (int anchor, double iou) = bestAnchor[d];
            if (iou > 0 && iou >= ForeignOverlap && predictions.Confidences[d] >= ConfidentScore && !answered[anchor]) answers[anchor] = d;
        }
    }
}
