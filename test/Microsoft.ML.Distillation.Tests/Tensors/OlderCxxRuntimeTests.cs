using System.Runtime.InteropServices;
using Microsoft.ML.Distillation.Tensors;

namespace Microsoft.ML.Distillation.Tests.Tensors;

public class OlderCxxRuntimeTests
{
    [Test]
    public void LibrariesThatAreNone_AreLeftAlone()
    {
        Assert.That(OlderCxxRuntime.Relax([]), Is.False);
        Assert.That(OlderCxxRuntime.Relax(new byte[4096]), Is.False);
        byte[] header = [0x7F, (byte)'E', (byte)'L', (byte)'F', 2, 1, .. new byte[100]];
        Assert.That(OlderCxxRuntime.Relax(header), Is.False, "an ELF file without sections");
    }

    [Test]
    public void TorchSharpsLibrary_IsChangedInThreePlacesAlone()
    {
        byte[] original = File.ReadAllBytes(Library()), relaxed = [.. original];
        Assert.That(OlderCxxRuntime.Relax(relaxed), Is.True);
        int[] changed = [.. Enumerable.Range(0, original.Length).Where(i => original[i] != relaxed[i])];

        // The flag of the version, and of the one symbol its name (four bytes) and its version's number (two).
        Assert.That(changed, Has.Length.InRange(3, 7));
        Assert.That(changed.Select(i => original[i] ^ relaxed[i]), Has.Some.EqualTo(2), "the version is weak now");
        Assert.That(OlderCxxRuntime.Relax(relaxed), Is.False, "nothing is left to change");
    }

    [Test]
    public void TheCopyIsLoaded_AndTheFilesStayAsTheyWere()
    {
        string library = Library();
        Assert.That(NativeLibrary.TryLoad("LibTorchSharp", typeof(TorchSharp.torch).Assembly, null, out nint handle), Is.True);
        Assert.That(NativeLibrary.TryGetExport(handle, "THSTensor_add", out _), Is.True);
        byte[] relaxed = File.ReadAllBytes(library);
        Assert.That(OlderCxxRuntime.Relax(relaxed), Is.True, "the application's own file still asks for the version");
        string[] mapped = [.. File.ReadLines("/proc/self/maps")
            .Where(line => line.Contains("libLibTorchSharp.so", StringComparison.Ordinal))];
        Assert.That(mapped, Is.Not.Empty);
        Assert.That(mapped, Has.All.Contains(AppContext.BaseDirectory).Or.All.EndsWith(" (deleted)"),
            "the application's own, or a copy whose file is gone");
    }

    private static string Library()
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("This is about Linux.");
        return Path.Combine(AppContext.BaseDirectory, "libLibTorchSharp.so");
    }
}
