using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Training;

/// <summary>Tiny networks are faster on one thread, above all where tests share the machine.</summary>
[SetUpFixture]
internal sealed class OneThread
{
    private int _threads;

    [OneTimeSetUp]
    public void Limit()
    {
        _threads = get_num_threads();
        set_num_threads(1);
    }

    [OneTimeTearDown]
    public void Restore() => set_num_threads(_threads);
}
