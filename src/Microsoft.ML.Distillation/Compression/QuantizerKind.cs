namespace Microsoft.ML.Distillation;

/// <summary>How numbers are rounded to few bits.</summary>
public enum QuantizerKind
{
    /// <summary>
    /// Weights in steps of their output channel's largest magnitude (symmetric), inputs in steps of the range that they have shown.
    /// Fits any network, trained or not.
    /// </summary>
    PerChannel,

    /// <summary>
    /// WRPN's (Mishra et al. 2018, used by Apprentice, Mishra and Marr 2018): weights are limited to −1 to 1, inputs to 0 to 1 (to
    /// −1 to 1 where they go below 0), with the same steps everywhere. For networks that learn with it from the start.
    /// </summary>
    Wrpn,
}
