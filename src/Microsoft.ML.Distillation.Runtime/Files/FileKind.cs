using System.Runtime.InteropServices;

namespace Microsoft.ML.Distillation.Files;

/// <summary>
/// Tells files from devices, pipes and sockets, for which .NET has no word: on Linux the C library is asked, elsewhere all are taken for
/// files.
/// </summary>
internal static class FileKind
{
    private const int CurrentFolder = -100;
    private const uint AskForType = 1;

    // struct statx is the same on every processor: 256 bytes, with the mode at byte 28.
    private const int Size = 256;
    private const int ModeAt = 28;
    private const int KindMask = 0xF000;
    private const int RegularFile = 0x8000;
    private const int Folder = 0x4000;

    /// <summary>Whether the path leads to a device, a pipe or a socket.</summary>
    public static bool IsSpecial(string path)
    {
        if (!OperatingSystem.IsLinux()) return false;
        byte[] status = new byte[Size];
        try
        {
            return statx(CurrentFolder, path, flags: 0, AskForType, status) == 0
                && (BitConverter.ToUInt16(status, ModeAt) & KindMask) is not (RegularFile or Folder);
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException)
        {
            return false;
        }
    }

    [DllImport("libc.so.6", ExactSpelling = true, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int statx(int folder, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, byte[] status);
}
