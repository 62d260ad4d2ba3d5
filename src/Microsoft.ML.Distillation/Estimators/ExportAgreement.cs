using System.Globalization;
using Microsoft.ML.Distillation.Data;

namespace Microsoft.ML.Distillation.Estimators;

/// <summary>How well two detectors agree on the same images.</summary>
internal sealed class ExportAgreement(ExportTolerance? tolerance = null)
{
    private readonly ExportTolerance _tolerance = tolerance ?? ExportTolerance.Exact;
    private double _scores;
    private double _loose;

    /// <summary>The number of detections of the first detector.</summary>
    public int Detections { get; private set; }

    /// <summary>The largest difference of a coordinate among paired detections, as a share of the image.</summary>
    public float BoxDifference { get; private set; }

    /// <summary>The largest difference of a score among paired detections.</summary>
    public float ScoreDifference { get; private set; }

    /// <summary>The share of the scores' sum in detections that have no partner.</summary>
    public double Loose => _scores == 0 ? 0 : _loose / _scores;

    /// <summary>Whether the two agree within the tolerances.</summary>
    public bool IsClose => IsAsCloseAs(own: 0);

    /// <summary>Whether they agree within the tolerances, given how far one of them agrees with itself.</summary>
    /// <param name="own">Its <see cref="Loose"/> under changes in the last bits.</param>
    public bool IsAsCloseAs(double own) => Loose <= _tolerance.Loose + (2 * own);

    /// <summary>Compares the detections of one image. A pair has the same class and differs by no more than the tolerances.</summary>
    public void Add(Detections first, Detections second)
    {
        var taken = new bool[second.Count];
        Detections += first.Count;
        _scores += first.Scores.Sum() + second.Scores.Sum();
        for (int i = 0; i < first.Count; i++)
        {
            int partner = Partner(first, i, second, taken, out float box, out float score);
            if (partner < 0)
            {
                _loose += first.Scores[i];
                continue;
            }

            taken[partner] = true;
            BoxDifference = Math.Max(BoxDifference, box);
            ScoreDifference = Math.Max(ScoreDifference, score);
        }

        for (int j = 0; j < second.Count; j++)
            if (!taken[j]) _loose += second.Scores[j];
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Detections} detections, {Loose:P1} of the scores' sum without a partner (at most {_tolerance.Loose:P0}); pairs differ by up to "
        + $"{BoxDifference:0.000000} of the image in coordinates (at most {_tolerance.Box}) and {ScoreDifference:0.000000} in scores (at most {_tolerance.Score})");

    private int Partner(Detections first, int i, Detections second, bool[] taken, out float box, out float score)
    {
        for (int j = 0; j < second.Count; j++)
        {
            if (taken[j] || second.Labels[j] != first.Labels[i]) continue;
            score = Math.Abs(second.Scores[j] - first.Scores[i]);
            if (!(score <= _tolerance.Score)) continue;
            box = 0;
            for (int k = 0; k < 4; k++) box = Math.Max(box, Math.Abs(second.Boxes[4 * j + k] - first.Boxes[4 * i + k]));
            if (box <= _tolerance.Box) return j;
        }

        (box, score) = (0, 0);
        return -1;
    }
}
