namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>An object that a detector reports.</summary>
/// <param name="Box">Where it is, in pixels.</param>
/// <param name="Label">Its class, 0-based.</param>
/// <param name="Score">How sure the detector is; higher is surer. A score that is no number ranks last.</param>
internal readonly record struct DetectedBox(Box Box, int Label, double Score)
{
    /// <summary>The score to rank by.</summary>
    public double Rank => double.IsNaN(Score) ? double.NegativeInfinity : Score;
}
