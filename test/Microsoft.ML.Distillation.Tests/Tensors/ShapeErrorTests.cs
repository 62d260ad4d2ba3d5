using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Tensors;

/// <summary>What libtorch says of shapes arrives as an error of .NET, from the package and from its substitute.</summary>
public class ShapeErrorTests
{
    private static readonly Dictionary<string, (Func<Tensor> Act, string Reason)> Mistakes = new()
    {
        ["add"] = (() => zeros(2, 3) + zeros(2, 4), "must match the size of tensor"),
        ["cat"] = (() => cat([zeros(2, 3), zeros(2, 4)], 0), "Sizes of tensors must match"),
        ["view"] = (() => zeros(2, 3).view(4, 2), "invalid for input of size 6"),
        ["index_select"] = (() => zeros(2, 3).index_select(0, tensor(new long[] { 5 })), "out of range"),
        ["conv2d"] = (() => nn.functional.conv2d(zeros(1, 3, 8, 8), zeros(4, 2, 3, 3)), "to have 2 channels"),
        ["stack"] = (() => stack([zeros(2), zeros(3)]), "equal size"),
        ["narrow"] = (() => zeros(4).narrow(0, 3, 2), "exceeds dimension size"),
    };

    private static IEnumerable<string> Names => Mistakes.Keys;

    [TestCaseSource(nameof(Names))]
    public void Shapes_ThatDoNotGoTogether_AreErrors_WithLibtorchsWords(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        Assert.That(() => Mistakes[name].Act(), Throws.InstanceOf<ExternalException>().With.Message.Contains(Mistakes[name].Reason));
        Assert.That(ones(2).sum().item<float>(), Is.EqualTo(2), "and all goes on");
    }
}
