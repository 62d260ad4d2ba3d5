using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;

namespace Microsoft.ML.Distillation.Tests.Onnx;

public class Int4Tests
{
    private static readonly sbyte[] All = [.. Enumerable.Range(-8, 16).Select(i => (sbyte)i), 5];

    [Test]
    public void TwoShareAByte_TheFirstInTheLowerHalf()
    {
        Assert.That(Int4.Pack([1, -1, 7]), Is.EqualTo(new byte[] { 0xF1, 0x07 }));
        Assert.That(Int4.Pack([-8, 0]), Is.EqualTo(new byte[] { 0x08 }));
        Assert.That(Int4.Unpack([0xF1, 0x07], 3), Is.EqualTo(new sbyte[] { 1, -1, 7 }));
        Assert.That(Int4.Unpack(Int4.Pack(All), All.Length), Is.EqualTo(All));
        Assert.That(() => Int4.Pack([8]), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void OnnxRuntime_ReadsThemAsTheyWereWritten()
    {
        var graph = new GraphBuilder();
        string input = graph.Input("x", TensorProto.Types.DataType.Float, 17);
        string weights = graph.IntegerParameter("w", All, 4, All.Length);
        string values = graph.Add("DequantizeLinear", [weights, graph.Parameter("s", [0.25f], [])]);
        graph.Output("y", graph.Add("Add", [input, values]), TensorProto.Types.DataType.Float, 17);
        ModelProto model = graph.Build([]);
        Assert.That((model.IrVersion, model.OpsetImport[0].Version), Is.EqualTo((10, 21)), "the first versions that know them");
        Assert.That(new OnnxModelFile(model).Integers()["w"].Values, Is.EqualTo(All));

        using var session = new OnnxSession(new OnnxModelFile(model).ToBytes());
        var found = (float[])session.Run(OnnxSession.Input("x", new float[17], 17))["y"];
        Assert.That(found, Is.EqualTo(All.Select(i => i * 0.25f)));
    }
}
