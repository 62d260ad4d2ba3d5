using System.Globalization;
using Microsoft.ML.Distillation.Data;

namespace Microsoft.ML.Distillation.Estimators;

/// <summary>How well two detectors agree on the same images.</summary>
internal sealed class ExportAgreement(ExportTolerance? tolerance = null)
{
    private readonly ExportTolerance _tolerance = tolerance ?? ExportTolerance.Exact;
    private double _first;
    private double _second;
    private double _loose;
    private double _foreign;
    private bool _offered;

    /// <summary>The number of detections of the first detector.</summary>
    public int Detections { get; private set; }

    /// <summary>The largest difference of a coordinate among paired detections, as a share of the image.</summary>
    public float BoxDifference { get; private set; }

    /// <summary>The largest difference of a score among paired detections.</summary>
    public float ScoreDifference { get; private set; }

    /// <summary>The share of the scores' sum in detections that have no partner.</summary>
    public double Loose => _first + _second == 0 ? 0 : _loose / (_first + _second);

    /// <summary>The share of the second detector's scores' sum in detections that the first has not even to offer; after <see cref="AddOffered"/>.</summary>
    public double Foreign => _second == 0 ? 0 : _foreign / _second;

    /// <summary>Whether the two agree within the tolerances.</summary>
    public bool IsClose => Loose <= _tolerance.Loose;

    /// <summary>
    /// Whether they differ only in which boxes they choose: the second's are among those that the first offers, and weigh as much in all.
    /// </summary>
    public bool DiffersInChoiceAlone => Foreign <= _tolerance.Loose && Math.Abs(_first - _second) <= _tolerance.Loose * _first;

    /// <summary>Whether the two agree, as far as is known of what they offer.</summary>
    public bool Holds => IsClose || (_offered && DiffersInChoiceAlone);

    /// <summary>Compares the detections of one image. A pair has the same class and differs by no more than the tolerances.</summary>
    public void Add(Detections first, Detections second)
    {
        var taken = new bool[second.Count];
        Detections += first.Count;
        _first += first.Scores.Sum();
        _second += second.Scores.Sum();
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

    /// <summary>Looks for the second detector's detections of one image among all that the first has to offer.</summary>
    public void AddOffered(Detections second, Detections offered)
    {
        _offered = true;
        var taken = new bool[offered.Count];
        for (int i = 0; i < second.Count; i++)
        {
            int partner = Partner(second, i, offered, taken, out _, out _);
            if (partner < 0) _foreign += second.Scores[i];
            else taken[partner] = true;
        }
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Detections} detections, {Loose:P1} of the scores' sum without a partner (at most {_tolerance.Loose:P0}); pairs differ by up to "
        + $"{BoxDifference:0.000000} of the image in coordinates (at most {_tolerance.Box}) and {ScoreDifference:0.000000} in scores (at most {_tolerance.Score}); {Foreign:P1} of the export's in boxes that the network does not offer");

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
