namespace Microsoft.ML.Distillation.Files;

/// <summary>
/// A lock on a path that one process at a time can have. The system holds it, so it goes with its process, however that ends; the small
/// file beside the path by which processes meet means nothing by itself.
/// </summary>
internal sealed class FileLock : IDisposable
{
    private readonly FileStream _stream;
    private readonly string _path;
    private readonly IReadOnlyList<string> _made;

    private FileLock(FileStream stream, string path, IReadOnlyList<string> made) => (_stream, _path, _made) = (stream, path, made);

    /// <summary>Takes the lock of a file or folder, which need not exist.</summary>
    /// <returns>The lock, or null where another process has it.</returns>
    /// <exception cref="IOException">There is no writing beside the path; the message names the folder.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder cannot be made.</exception>
    public static FileLock? TryTake(string guarded)
    {
        guarded = RealPath.Of(guarded);
        string folder = Path.GetDirectoryName(guarded) ?? throw new IOException($"'{guarded}' is the root of a file system.");
        string path = Path.Combine(folder, $".{Path.GetFileName(guarded)}.lock");
        IReadOnlyList<string> made = Make(folder);
        // Windows deletes the file with its last handle; elsewhere it is deleted while the lock is held.
        FileOptions options = OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None;
        while (true)
        {
            FileStream stream;
            try
            {
                stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1, options);
            }
            catch (IOException e) when (IsTaken(e))
            {
                return null;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Nobody but this class knows of that file.
                throw new IOException(e.Message.Replace(path, folder, StringComparison.Ordinal), e);
            }

            if (IsAt(stream, path)) return new FileLock(stream, path, made);
            stream.Dispose();
        }
    }

    /// <summary>Whether another process has a file: Windows' sharing violation, or EWOULDBLOCK of Linux and macOS.</summary>
    public static bool IsTaken(IOException e) => e.HResult is unchecked((int)0x80070020) or 11 or 35;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!OperatingSystem.IsWindows()) File.Delete(_path);
        _stream.Dispose();
        foreach (string folder in _made.Reverse())
        {
            if (!Directory.Exists(folder) || Directory.EnumerateFileSystemEntries(folder).Any()) break;
            Directory.Delete(folder);
        }
    }

    /// <summary>
    /// Whether the file that was opened is still the one of this name: whoever had the lock before may have deleted it in between.
    /// </summary>
    private static bool IsAt(FileStream stream, string path)
    {
        if (OperatingSystem.IsWindows()) return true;
        File.SetLastWriteTimeUtc(stream.SafeFileHandle, DateTime.UtcNow);
        return File.Exists(path) && File.GetLastWriteTimeUtc(path) == File.GetLastWriteTimeUtc(stream.SafeFileHandle);
    }

    /// <summary>Makes a folder; gives what was made, the outermost first, so that it can go again where nothing came into it.</summary>
    private static List<string> Make(string folder)
    {
        var made = new List<string>();
        for (string? at = folder; at is not null && !Directory.Exists(at); at = Path.GetDirectoryName(at)) made.Insert(0, at);
        Directory.CreateDirectory(folder);
        return made;
    }
}
