using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Benchmarks;

/// <summary>What images hold where only their number and sizes matter.</summary>
internal static class Scenes
{
    /// <summary>Square images with objects of all sizes up to two fifths of a side.</summary>
    public static DataStatistics Statistics(int classes) => new(
        100, 100, 1, [.. Enumerable.Range(1, 100).Select(i => i / 250f)], [.. Enumerable.Range(1, 100).Select(i => i / 250f)],
        [.. Enumerable.Range(0, classes).Select(c => $"class{c}")]);

    /// <summary>Eight objects.</summary>
    public static Annotation Objects(int seed, int classes)
    {
        var random = new Random(seed);
        var boxes = new float[32];
        var labels = new int[8];
        for (int i = 0; i < 8; i++)
        {
            (float x, float y) = (0.6f * random.NextSingle(), 0.6f * random.NextSingle());
            (boxes[4 * i], boxes[4 * i + 1]) = (x, y);
            (boxes[4 * i + 2], boxes[4 * i + 3]) = (x + 0.05f + 0.3f * random.NextSingle(), y + 0.05f + 0.3f * random.NextSingle());
            labels[i] = random.Next(classes);
        }

        return new Annotation(boxes, labels);
    }
}
