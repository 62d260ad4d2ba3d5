namespace Microsoft.ML.Distillation.Estimators;

/// <summary>How far an export may differ from the network that it was made of.</summary>
/// <param name="Box">The largest difference of a coordinate, as a share of the image.</param>
/// <param name="Score">The largest difference of a score.</param>
/// <param name="Loose">
/// The largest share of the scores' sum in detections that one side has alone: where two scores or overlaps are all but equal, the
/// last bit of a sum decides which box survives.
/// </param>
internal sealed record ExportTolerance(float Box, float Score, float Loose)
{
    /// <summary>For networks in full precision, and for those whose weights alone have few bits.</summary>
    public static ExportTolerance Exact { get; } = new(1e-3f, 1e-3f, .02f);

    /// <summary>
    /// For networks whose layers round their input: where a value lies all but between two steps, the last bit of a sum decides which it
    /// takes, and the layers behind see a whole step of difference.
    /// </summary>
    public static ExportTolerance Rounded { get; } = new(.02f, .05f, .25f);
}
