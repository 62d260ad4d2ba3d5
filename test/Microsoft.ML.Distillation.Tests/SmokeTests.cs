using TorchSharp;

namespace Microsoft.ML.Distillation.Tests;

public class SmokeTests
{
    [Test]
    public void NativeLibraries_Load()
    {
        using torch.Tensor sum = torch.ones(2, 3).sum();
        Assert.That(sum.ToSingle(), Is.EqualTo(6));
        Assert.That(Microsoft.ML.OnnxRuntime.OrtEnv.Instance().GetVersionString(), Is.Not.Empty);
    }
}
