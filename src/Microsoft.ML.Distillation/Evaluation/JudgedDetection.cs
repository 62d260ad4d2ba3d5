namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>A detection and what is wrong with it.</summary>
/// <param name="Label">Its class.</param>
/// <param name="Score">The score to rank by.</param>
/// <param name="Kind">Its error.</param>
internal sealed record JudgedDetection(int Label, double Score, ErrorKind Kind)
{
    /// <summary>
    /// The class of the object that it would find, were its error of localisation or classification put right; -1 where
    /// that object is found, or a surer error points at it.
    /// </summary>
    public int Repaired { get; set; } = -1;
}
