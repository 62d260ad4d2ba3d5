using Microsoft.ML.Distillation.Detectors.Graphs;
using Microsoft.ML.Distillation.Onnx.Proto;

namespace Microsoft.ML.Distillation.Tests.Detectors.Graphs;

public class GraphTensorsTests
{
    /// <summary>The product of the first is 2⁶⁴, which wraps to 0.</summary>
    [TestCase(1L << 32, 1L << 32)]
    [TestCase(0, 1L << 40)]
    [TestCase(1L << 20, 1L << 20)]
    [TestCase(3, -1)]
    public void ShapeThatCannotBe_IsAnError(params long[] shape)
    {
        TensorProto tensor = Of(shape);
        Assert.That(() => GraphTensors.Read(tensor), Throws.TypeOf<FormatException>().With.Message.Contains("'weight' has the shape"));
    }

    [Test]
    public void TensorWithoutValues_IsZeros()
    {
        using var none = GraphTensors.Read(Of(2, 0, 3));
        using var absent = GraphTensors.Read(Of(2, 3));
        Assert.That(none.shape, Is.EqualTo(new long[] { 2, 0, 3 }));
        Assert.That(absent.data<float>().ToArray(), Is.EqualTo(new float[6]));
    }

    private static TensorProto Of(params long[] shape)
    {
        var tensor = new TensorProto { Name = "weight", DataType = (int)TensorProto.Types.DataType.Float };
        tensor.Dims.AddRange(shape);
        return tensor;
    }
}
