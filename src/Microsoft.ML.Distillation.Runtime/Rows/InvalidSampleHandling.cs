namespace Microsoft.ML.Distillation;

/// <summary>What happens to a sample that cannot be trained on: an unreadable image, a box without area, an unknown label.</summary>
public enum InvalidSampleHandling
{
    /// <summary>Stop with an error that names the file or row and the column.</summary>
    Error,

    /// <summary>Leave the box out, or the image where no box of it is usable, and warn with a count at the end.</summary>
    Skip,
}
