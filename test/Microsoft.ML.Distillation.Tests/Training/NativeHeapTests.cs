using Microsoft.ML.Distillation.Training;

namespace Microsoft.ML.Distillation.Tests.Training;

public class NativeHeapTests
{
    [Test]
    public void TheAllocator_TakesTheSetting_OnLinux()
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("Only glibc's allocator is configured.");
        Assert.That(NativeHeap.KeepFreedMemory());
    }
}
