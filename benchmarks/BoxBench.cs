using Microsoft.ML.Distillation.Boxes;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Tensors;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Benchmarks;

/// <summary>NMS and RoIAlign.</summary>
internal static class BoxBench
{
    public static double NmsSeconds(int count)
    {
        var random = new Random(1);
        var boxes = new float[4 * count];
        var scores = new float[count];
        for (int i = 0; i < count; i++)
        {
            (float x, float y) = (500 * random.NextSingle(), 500 * random.NextSingle());
            (boxes[4 * i], boxes[4 * i + 1]) = (x, y);
            (boxes[4 * i + 2], boxes[4 * i + 3]) = (x + 1 + 100 * random.NextSingle(), y + 1 + 100 * random.NextSingle());
            scores[i] = random.NextSingle();
        }

        return Report.MedianSeconds(() => Nms.Keep(boxes, scores, 0.5f), 20);
    }

    public static double RoiAlignSeconds()
    {
        using var scope = NewDisposeScope();
        Tensor feature = rand(4, 64, 32, 32).requires_grad_(true);
        Tensor[] boxes = [.. Enumerable.Range(0, 4).Select(_ =>
        {
            Tensor corner = rand(64, 2).mul(tensor(200f));
            return cat([corner, corner.Plus(tensor(50f))], 1);
        })];
        var align = new RoiAlign(7, Aligned: false);
        return Report.MedianSeconds(() =>
        {
            using var step = NewDisposeScope();
            align.Pool(feature, boxes, 1 / 8f).sum().backward();
        }, 20);
    }
}
