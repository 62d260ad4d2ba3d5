using System.Text.Json;
using Microsoft.ML.Distillation.Detectors.Boxes;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Detectors.Boxes;

public class RoiMaxPoolTests
{
    [Test]
    public void Pool_IsTorchvisions_ForwardAndBackward()
    {
        using DisposeScope scope = NewDisposeScope();
        using var expected = JsonDocument.Parse(File.ReadAllText(Golden.Path("Boxes", "roi_pool.json")));
        Tensor[] boxes = [.. expected.RootElement.GetProperty("boxes").Deserialize<float[][]>()!.Select(b => tensor(b, [b.Length / 4, 4]))];
        Tensor maps = DeterministicValues.Values(1, 2, 3, 9, 12).requires_grad_();

        Tensor pooled = new RoiMaxPool(4).Pool(maps, boxes, 1f / 8);
        (pooled * DeterministicValues.Values(2, pooled.shape)).sum().backward();

        Assert.That(TensorArrays.Floats(pooled), Is.EqualTo(expected.RootElement.GetProperty("pooled").Deserialize<float[]>())
            .Within(1e-6));
        Assert.That(TensorArrays.Floats(maps.grad!), Is.EqualTo(expected.RootElement.GetProperty("gradient").Deserialize<float[]>())
            .Within(1e-5));
    }

    [Test]
    public void Pool_OfNoRegions_IsEmpty()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor pooled = new RoiMaxPool(4).Pool(zeros(1, 3, 8, 8), [zeros(0, 4)], 1f / 8);
        Assert.That(pooled.shape, Is.EqualTo(new long[] { 0, 3, 4, 4 }));
    }
}
