namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>Builds a curve from detections told one by one, best score first: a point after each right one.</summary>
/// <param name="objects">The number of objects to find.</param>
internal sealed class RankedCurve(int objects)
{
    private readonly List<double> _precision = [];
    private int _wrong;

    /// <summary>The next detection finds an object.</summary>
    public void AddRight() => _precision.Add((_precision.Count + 1.0) / (_precision.Count + 1 + _wrong));

    /// <summary>The next detection finds nothing, or what is found already.</summary>
    public void AddWrong() => _wrong++;

    /// <summary>The curve; precision is the best at its recall or at a higher one.</summary>
    public PrecisionRecallCurve Close()
    {
        for (int i = _precision.Count - 2; i >= 0; i--) _precision[i] = Math.Max(_precision[i], _precision[i + 1]);
        return new PrecisionRecallCurve([.. _precision.Select((_, i) => (i + 1.0) / objects)], [.. _precision]);
    }
}
