namespace Microsoft.ML.Distillation;

/// <summary>The order of a model's colour channels.</summary>
public enum ChannelOrder
{
    /// <summary>Red first.</summary>
    Rgb,

    /// <summary>Blue first, as OpenCV reads images.</summary>
    Bgr,
}
