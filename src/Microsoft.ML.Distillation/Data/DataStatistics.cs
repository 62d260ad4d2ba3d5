namespace Microsoft.ML.Distillation.Data;

/// <summary>What choosing a network's settings needs to know of a data set.</summary>
/// <param name="MedianAspect">Width over height of the images.</param>
/// <param name="BoxWidths">Shares of the image; a sample of at most 20,000 boxes.</param>
/// <param name="BoxHeights">Shares of the image, of the same boxes.</param>
internal sealed record DataStatistics(
    int Images, int Boxes, float MedianAspect, float[] BoxWidths, float[] BoxHeights, IReadOnlyList<string> ClassNames);
