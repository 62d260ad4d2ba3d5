namespace Microsoft.ML.Distillation;

/// <summary>What to do with images and boxes that cannot be used.</summary>
public enum InvalidSampleHandling
{
    /// <summary>Stop with an error that names the sample.</summary>
    Error,

    /// <summary>Leave them out, with one warning that counts them.</summary>
    Skip,
}
