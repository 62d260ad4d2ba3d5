namespace Microsoft.ML.Distillation.Files;

/// <summary>Writes files whole or not at all.</summary>
internal static class AtomicFile
{
    /// <summary>
    /// Writes beside the file and renames, so that a reader never sees half a file and a failure leaves the old one. Where the path is
    /// a symbolic link, the file that it leads to is replaced and the link stays.
    /// </summary>
    /// <exception cref="IOException">The path leads to a folder, or to a device or pipe, which renaming would replace.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        path = Target(path);
        string beside = MakeBeside(path);
        try
        {
            using (FileStream file = new(beside, FileMode.CreateNew, FileAccess.Write))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }

            File.Move(beside, path, overwrite: true);
        }
        catch
        {
            File.Delete(beside);
            throw;
        }
    }

    /// <inheritdoc cref="Write(string, ReadOnlySpan{byte})"/>
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
            new FileStream(Path.Combine(folder, name), FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose).Dispose();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new IOException(error.Message.Replace(name, Path.GetFileName(path), StringComparison.Ordinal), error);
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
