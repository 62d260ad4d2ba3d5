using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Data;

/// <summary>What a detector's defaults are derived from.</summary>
/// <param name="Images">The number of images.</param>
/// <param name="Boxes">The number of boxes in all images.</param>
/// <param name="MedianAspect">The median of the images' width divided by height.</param>
/// <param name="BoxWidths">Widths of boxes as shares of their image, an even sample of at most 20,000.</param>
/// <param name="BoxHeights">Heights of the same boxes as shares of their image.</param>
/// <param name="ClassNames">The classes.</param>
internal sealed record DataStatistics(
    int Images, int Boxes, float MedianAspect, float[] BoxWidths, float[] BoxHeights, IReadOnlyList<string> ClassNames)
{
    private const int MaxSampledBoxes = 20_000;

    /// <summary>Measures a data set without reading its pixels.</summary>
    public static DataStatistics Of(IDetectionDataset data)
    {
        int boxes = 0;
        var aspects = new float[data.Count];
        for (int i = 0; i < data.Count; i++)
        {
            boxes += data.AnnotationOf(i).Count;
            ImageSize size = data.SizeOf(i);
            aspects[i] = (float)size.Width / size.Height;
        }

        (float[] widths, float[] heights) = SampleBoxes(data, boxes);
        return new DataStatistics(data.Count, boxes, Median(aspects), widths, heights, data.ClassNames);
    }

    private static (float[] Widths, float[] Heights) SampleBoxes(IDetectionDataset data, int count)
    {
        int step = (count + MaxSampledBoxes - 1) / MaxSampledBoxes;
        int sampled = count == 0 ? 0 : (count + step - 1) / step;
        var widths = new float[sampled];
        var heights = new float[sampled];
        int seen = 0;
        for (int i = 0; i < data.Count; i++)
        {
            float[] boxes = data.AnnotationOf(i).Boxes;
            for (int b = 0; b < boxes.Length; b += 4, seen++)
            {
                if (seen % step != 0) continue;
                widths[seen / step] = boxes[b + 2] - boxes[b];
                heights[seen / step] = boxes[b + 3] - boxes[b + 1];
            }
        }

        return (widths, heights);
    }

    private static float Median(float[] values)
    {
        if (values.Length == 0) return 1;
        Array.Sort(values);
        int middle = values.Length / 2;
        return values.Length % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    }
}
