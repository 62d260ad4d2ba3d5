namespace Microsoft.ML.Distillation.Files;

/// <summary>Writes files whole or not at all.</summary>
internal static class AtomicFile
{
    /// <summary>How the names end of files whose content is being written, or that a killed process left.</summary>
    public const string PartEnding = ".part";

    private const int IdLength = 32;

    /// <summary>
    /// Writes beside the file and renames, so that a reader never sees half a file and a failure leaves the old one. Where the path is
    /// a symbolic link, the file that it leads to is replaced and the link stays.
    /// </summary>
    /// <param name="flush">
    /// Whether to wait until the content is on the disk, so that after a crash of the machine too the file is the old or the new one. For
    /// content that can be missed, and that a reader can tell to be damaged, the wait is not worth it.
    /// </param>
    /// <exception cref="IOException">The path leads to a folder, or to a device or pipe, which renaming would replace.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content, bool flush = true)
    {
        path = Target(path);
        string beside = MakeBeside(path) + PartEnding;
        try
        {
            using (FileStream file = new(beside, FileMode.CreateNew, FileAccess.Write))
            {
                file.Write(content);
                file.Flush(flushToDisk: flush);
            }

            File.Move(beside, path, overwrite: true);
        }
        catch
        {
            File.Delete(beside);
            throw;
        }
    }

    /// <inheritdoc cref="Write(string, ReadOnlySpan{byte}, bool)"/>
    /// <param name="write">Writes a file of the path that it is given, whose extension is that of <paramref name="path"/>.</param>
    public static void Write(string path, Action<string> write)
    {
        path = Target(path);
        string beside = MakeBeside(path);
        try
        {
            write(beside);
            File.Move(beside, path, overwrite: true);
        }
        catch
        {
            File.Delete(beside);
            throw;
        }
    }

    /// <summary>Finds out, without leaving anything, whether a file could be written now.</summary>
    /// <exception cref="IOException">It could not, as far as can be known before.</exception>
    public static void Check(string path)
    {
        path = Target(path);
        string folder = Path.GetDirectoryName(path)!;
        while (!Directory.Exists(folder))
        {
            if (File.Exists(folder)) throw new IOException($"'{folder}' is a file, not a folder.");
            folder = Path.GetDirectoryName(folder) ?? throw new IOException($"'{folder}' does not exist.");
        }

        string name = NameBeside(path);
        try
        {
            using FileStream file = new(
                Path.Combine(folder, name), FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new IOException(error.Message.Replace(Path.Combine(folder, name), folder, StringComparison.Ordinal), error);
        }
    }

    /// <summary>
    /// Removes what killed processes left beside a file while they wrote it. Only for who knows that nobody writes it now.
    /// </summary>
    public static void RemoveLeft(string path)
    {
        path = Target(path);
        RemoveLeft(Path.GetDirectoryName(path)!, Path.GetFileName(path));
    }

    /// <summary>The same, of all files of a folder.</summary>
    public static void RemoveLeftIn(string folder) => RemoveLeft(folder, name: null);

    private static void RemoveLeft(string folder, string? name)
    {
        if (!Directory.Exists(folder)) return;
        // No pattern: the name may hold what a pattern takes for a wildcard.
        foreach (string file in Directory.EnumerateFiles(folder))
        {
            string found = Path.GetFileName(file);
            if (found.EndsWith(PartEnding, StringComparison.Ordinal)) found = found[..^PartEnding.Length];
            if (found.Length < IdLength + 3 || found[0] != '.' || found[IdLength + 1] != '.') continue;
            if (name is not null && found[(IdLength + 2)..] != name) continue;
            if (Guid.TryParseExact(found.AsSpan(1, IdLength), "N", out _)) File.Delete(file);
        }
    }

    /// <summary>The place to be written: the path, or where it leads.</summary>
    private static string Target(string path)
    {
        path = Path.GetFullPath(path);
        if (Directory.Exists(path) || Path.EndsInDirectorySeparator(path)) throw new IOException($"'{path}' is a folder, not a file.");
        if (FileKind.IsSpecial(path)) throw new IOException($"'{path}' is a device or a pipe, not a file.");
        return new FileInfo(path).LinkTarget is null ? path : File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName;
    }

    private static string MakeBeside(string path)
    {
        string folder = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(folder);
        return Path.Combine(folder, NameBeside(path));
    }

    private static string NameBeside(string path) => $".{Guid.NewGuid():N}.{Path.GetFileName(path)}";
}
