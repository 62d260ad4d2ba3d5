namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>What a detection, or an object without one, is. <see cref="DetectionErrors"/> defines the kinds.</summary>
internal enum ErrorKind
{
    /// <summary>A right detection.</summary>
    None,
    Localisation,
    Classification,
    Duplicate,
    Background,
    Both,
    Missed,
}
