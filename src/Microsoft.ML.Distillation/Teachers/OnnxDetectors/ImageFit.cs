namespace Microsoft.ML.Distillation;

/// <summary>How an image is brought to the size of a model's input.</summary>
public enum ImageFit
{
    /// <summary>Stretched in both directions to fill the input.</summary>
    Stretch,

    /// <summary>Scaled as a whole, in the middle of the input, between bars.</summary>
    LetterboxCentred,

    /// <summary>Scaled as a whole, in the upper left corner of the input; bars to the right or below.</summary>
    LetterboxTopLeft,
}
