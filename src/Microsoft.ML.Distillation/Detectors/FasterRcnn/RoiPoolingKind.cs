namespace Microsoft.ML.Distillation;

/// <summary>How a region of a feature map becomes a fixed number of cells.</summary>
public enum RoiPoolingKind
{
    /// <summary>RoIAlign (He et al. 2017): each cell is the mean of four bilinear samples.</summary>
    Align,

    /// <summary>RoI pooling (Girshick 2015): the region is rounded to whole cells of the map, and each cell is the largest value in its part.</summary>
    Max,
}
