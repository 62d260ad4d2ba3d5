using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Tests.Data;

/// <summary>Data sets made up for tests.</summary>
internal static class DrawnStore
{
    /// <summary>A data set of noise, image i with i % 3 objects.</summary>
    public static SampleStore Of(int count, long cacheBytes = long.MaxValue)
    {
        using var builder = new SampleStoreBuilder(["cat", "dog"], cacheBytes);
        for (int i = 0; i < count; i++)
        {
            float[] boxes = [.. new float[][] { [0.1f, 0.2f, 0.3f, 0.5f], [0.6f, 0.4f, 0.9f, 0.8f] }.Take(i % 3).SelectMany(box => box)];
            builder.Add(DrawnImages.Noise(20 + i, 16, i), new Annotation(boxes, [.. Enumerable.Range(0, i % 3)]));
        }

        return builder.Build();
    }
}
