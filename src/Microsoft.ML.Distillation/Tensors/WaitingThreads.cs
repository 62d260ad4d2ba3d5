using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Microsoft.ML.Distillation.Tensors;

/// <summary>
/// Lets libtorch's threads go to sleep soon while they wait for the next operator. By default those of OpenMP spin, and beside another
/// program that wants a core each of them waits spinning for one that is not running: training falls to a quarter of its speed, where a
/// half would be its share.
/// </summary>
/// <remarks>
/// A thousand turns bridge the gap between most operators (<c>./build.sh bench busy</c> measures both sides); threads that sleep at once,
/// <c>OMP_WAIT_POLICY=PASSIVE</c>, cost networks of many small operators half of their speed on an idle machine. On Windows and macOS the
/// same is said to their OpenMP in its own words, untried.
/// </remarks>
internal static class WaitingThreads
{
    private const string Policy = "OMP_WAIT_POLICY";

    /// <summary>Runs when the assembly is loaded: OpenMP reads its settings when libtorch is.</summary>
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "Nothing later is certain to come before libtorch is loaded.")]
    internal static void Calm()
    {
        (string name, string value) = Setting(OperatingSystem.IsLinux());
        if (IsLeftOpen(name, Environment.GetEnvironmentVariable)) Set(name, value);
    }

    /// <summary>What is said to the platform's OpenMP: GCC's by turns, LLVM's and Intel's by milliseconds.</summary>
    internal static (string Name, string Value) Setting(bool isLinux) => isLinux ? ("GOMP_SPINCOUNT", "1000") : ("KMP_BLOCKTIME", "0");

    /// <summary>Whether the user has said nothing about it.</summary>
    internal static bool IsLeftOpen(string name, Func<string, string?> variable)
        => string.IsNullOrEmpty(variable(name)) && string.IsNullOrEmpty(variable(Policy));

    /// <summary>
    /// Sets an environment variable for the native libraries of this process, unless it is set. .NET's own variables, and the processes
    /// that it starts, do not see it on Unix.
    /// </summary>
    internal static void Set(string name, string value)
    {
        if (OperatingSystem.IsWindows()) Environment.SetEnvironmentVariable(name, value);
        else _ = setenv(Encoding.UTF8.GetBytes($"{name}\0"), Encoding.UTF8.GetBytes($"{value}\0"), 0);
    }

    [DllImport("libc", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int setenv(byte[] name, byte[] value, int overwrite);
}
