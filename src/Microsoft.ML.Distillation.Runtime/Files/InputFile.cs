namespace Microsoft.ML.Distillation.Files;

/// <summary>Opens files that somebody else made: what is no file is an error at once, where reading it would wait for ever.</summary>
internal static class InputFile
{
    /// <summary>Opens a file to read it.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="IOException">The path leads to a device, a pipe or a socket.</exception>
    public static FileStream OpenRead(string path)
    {
        if (Problem(path) is { } problem) throw new IOException($"'{path}': {problem}.");
        return File.OpenRead(path);
    }

    /// <summary>Throws where a path leads to what is no file, for files of which nothing else is asked before they are opened.</summary>
    /// <exception cref="FormatException">It is a device, a pipe or a socket, which to open is to wait.</exception>
    public static void RefuseSpecial(string path)
    {
        if (FileKind.IsSpecial(path)) throw new FormatException($"'{path}' is a device, a pipe or a socket, not a file.");
    }

    /// <summary>What keeps a file from being opened that lies where it should, or null.</summary>
    public static string? Problem(string path)
    {
        if (FileKind.IsSpecial(path)) return "this is a device, a pipe or a socket, not a file";
        // What .NET puts in the place of bytes that are no UTF-8.
        return path.Contains('\uFFFD', StringComparison.Ordinal) && !Path.Exists(path)
            ? "its name is no UTF-8 text, so it cannot be opened: rename the file"
            : null;
    }
}
