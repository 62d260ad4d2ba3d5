namespace Microsoft.ML.Distillation;

/// <summary>Precision against recall: two lists of one length, recall ascending.</summary>
/// <param name="Recall">The shares of the objects that are found, 0 to 1.</param>
/// <param name="Precision">
/// The shares of the detections that are right, 0 to 1; each is the best at its recall or at a higher one, as all the
/// evaluations here interpolate it, so it never rises. 0 at recalls that are not reached.
/// </param>
public sealed record PrecisionRecallCurve(IReadOnlyList<double> Recall, IReadOnlyList<double> Precision)
{
    /// <summary>No point: there is no object to find.</summary>
    internal static PrecisionRecallCurve Empty { get; } = new([], []);

    /// <summary>The area under the steps from point to point: all-point average precision.</summary>
    internal double AreaUnder()
    {
        double area = 0, before = 0;
        for (int i = 0; i < Recall.Count; i++)
        {
            area += (Recall[i] - before) * Precision[i];
            before = Recall[i];
        }

        return area;
    }
}
