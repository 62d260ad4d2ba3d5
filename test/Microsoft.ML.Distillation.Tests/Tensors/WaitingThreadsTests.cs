using System.Runtime.InteropServices;
using System.Text;
using Microsoft.ML.Distillation.Tensors;

namespace Microsoft.ML.Distillation.Tests.Tensors;

/// <summary>What libtorch's OpenMP is told about waiting.</summary>
public sealed class WaitingThreadsTests
{
    [TestCase("", true)]
    [TestCase("GOMP_SPINCOUNT=7", false)]
    [TestCase("OMP_WAIT_POLICY=ACTIVE", false)]
    [TestCase("OMP_NUM_THREADS=1", true)]
    public void TheUsersWordStands(string said, bool open)
    {
        string[] pair = said.Split('=');
        Assert.That(WaitingThreads.IsLeftOpen("GOMP_SPINCOUNT", name => name == pair[0] ? pair[1] : null), Is.EqualTo(open));
    }

    [Test]
    [Platform("Linux")]
    public void NativeCodeSeesTheSetting_ThatIsNotSetAlready()
    {
        string name = $"ML_DISTILLATION_TEST_{Environment.ProcessId}";
        WaitingThreads.Set(name, "1000");
        WaitingThreads.Set(name, "2000");
        Assert.That(Marshal.PtrToStringUTF8(getenv(Encoding.UTF8.GetBytes($"{name}\0"))), Is.EqualTo("1000"));
    }

    [DllImport("libc", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint getenv(byte[] name);
}
