namespace Microsoft.ML.Distillation.Files;

/// <summary>
/// A file in the temporary folder that goes when its owner goes. It lies in a folder of its own, of a name that nobody can know before,
/// that only this user can look into; what killed processes of this user left is removed when the next file is made.
/// </summary>
internal sealed class TemporaryFile : IDisposable
{
    /// <summary>How the folders' names begin.</summary>
    public const string FolderStart = "ml-distillation-run-";

    private const string LockName = "in-use", ContentName = "content";

    /// <summary>How long a folder may be without its lock before it counts as left: no more than a moment lies between the two.</summary>
    private static readonly TimeSpan Unlocked = TimeSpan.FromMinutes(1);

    private readonly string _folder;
    private readonly FileStream _lock;

    /// <param name="within">Where; null is the system's folder for temporary files.</param>
    public TemporaryFile(ReadOnlySpan<byte> content, string extension, string? within = null)
    {
        within ??= System.IO.Path.GetTempPath();
        RemoveLeft(within);
        (_folder, _lock) = MakeFolder(within);
        Path = System.IO.Path.Combine(_folder, ContentName + extension);
        try
        {
            using FileStream file = Create(Path, FileShare.Read);
            file.Write(content);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    ~TemporaryFile() => Delete();

    public string Path { get; }

    /// <summary>Options for a file that only this user can read.</summary>
    public static FileStreamOptions Private(FileShare share, FileOptions options = FileOptions.None)
    {
        var made = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = share,
            Options = options,
        };
        if (!OperatingSystem.IsWindows()) made.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return made;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Delete();
        GC.SuppressFinalize(this);
    }

    private static FileStream Create(string path, FileShare share) => new(path, Private(share));

    private static (string Folder, FileStream Lock) MakeFolder(string within)
    {
        while (true)
        {
            string folder = System.IO.Path.Combine(within, $"{FolderStart}{Guid.NewGuid():N}");
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
            else Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            try
            {
                return (folder, Create(System.IO.Path.Combine(folder, LockName), FileShare.None));
            }
            catch (IOException e) when (FileLock.IsTaken(e) || e is DirectoryNotFoundException)
            {
                // Another process took the new folder for one that was left.
            }
        }
    }

    /// <summary>Removes what processes left that were killed. Folders of other users cannot be looked into and stay.</summary>
    private static void RemoveLeft(string within)
    {
        foreach (string folder in Directory.EnumerateDirectories(within, FolderStart + "*"))
        {
            try
            {
                // Nobody but an attacker makes a link of this name.
                if (new DirectoryInfo(folder).LinkTarget is not null) continue;
                string guard = System.IO.Path.Combine(folder, LockName);
                if (!File.Exists(guard) && DateTime.UtcNow - Directory.GetLastWriteTimeUtc(folder) < Unlocked) continue;
                using (FileStream? held = File.Exists(guard) ? new(guard, FileMode.Open, FileAccess.ReadWrite, FileShare.None) : null)
                    foreach (string file in Directory.EnumerateFiles(folder, ContentName + ".*")) File.Delete(file);
                File.Delete(guard);
                Directory.Delete(folder);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // In use, or another user's, or another process removes it too.
            }
        }
    }

    private void Delete()
    {
        // Finalised after a constructor that failed.
        if (_lock is null) return;
        try
        {
            File.Delete(Path);
            _lock.Dispose();
            File.Delete(System.IO.Path.Combine(_folder, LockName));
            Directory.Delete(_folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Still open elsewhere: the next run removes it.
        }
    }
}
