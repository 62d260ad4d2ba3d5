using System.Globalization;
using System.Runtime.InteropServices;

namespace Microsoft.ML.Distillation.Tool;

/// <summary>
/// Lets the command start, and write the same, wherever it runs. .NET ends a program on a Linux without ICU's libraries, unless it is told
/// beforehand to do without; numbers and words are those of files, not of the user's country.
/// </summary>
internal static class Globalization
{
    private const string Invariant = "System.Globalization.Invariant";

    // The versions that .NET itself looks for. Text is put together without numbers, whose formatting is what may not be there.
    private const int Oldest = 50, Newest = 120;

    /// <summary>To be called before anything else: what is looked at once is settled.</summary>
    public static void Prepare()
    {
        if (OperatingSystem.IsLinux() && !AppContext.TryGetSwitch(Invariant, out _) && !HasIcu()) AppContext.SetSwitch(Invariant, true);
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.DefaultThreadCurrentUICulture = CultureInfo.InvariantCulture;
        CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = CultureInfo.InvariantCulture;
    }

    private static bool HasIcu()
    {
        if (Environment.GetEnvironmentVariable("CLR_ICU_VERSION_OVERRIDE") is { Length: > 0 } version && Loads(version)) return true;
        for (int number = Newest; number >= Oldest; number--)
        {
            char[] digits = number >= 100
                ? ['1', (char)('0' + number / 10 % 10), (char)('0' + number % 10)] : [(char)('0' + number / 10), (char)('0' + number % 10)];
            if (Loads(new string(digits))) return true;
        }

        return Loads("");
    }

    private static bool Loads(string version)
        => NativeLibrary.TryLoad(version.Length == 0 ? "libicuuc.so" : string.Concat("libicuuc.so.", version), out _);
}
