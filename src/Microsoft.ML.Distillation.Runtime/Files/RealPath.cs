namespace Microsoft.ML.Distillation.Files;

/// <summary>Where a path leads: two names of one file are told from two files.</summary>
internal static class RealPath
{
    private static readonly StringComparison Comparison = OperatingSystem.IsLinux() ? StringComparison.Ordinal
        : StringComparison.OrdinalIgnoreCase;

    /// <summary>Compares paths of <see cref="Of"/> as the system does.</summary>
    public static StringComparer Comparer { get; } = StringComparer.FromComparison(Comparison);

    /// <summary>Whether two paths lead to one place, through links or not. Neither need exist.</summary>
    public static bool Same(string one, string other) => Of(one).Equals(Of(other), Comparison);

    /// <summary>Whether a path leads into a folder or to the folder itself.</summary>
    public static bool IsWithin(string path, string folder)
        => Same(path, folder) || Of(path)
            .StartsWith(Path.TrimEndingDirectorySeparator(Of(folder)) + Path.DirectorySeparatorChar, Comparison);

    /// <summary>The full path, with every link on the way followed.</summary>
    /// <exception cref="IOException">The links lead in a circle.</exception>
    public static string Of(string path) => Try(path) ?? throw new IOException($"'{path}': the links lead in a circle.");

    /// <summary>The same, or null where the links lead in a circle.</summary>
    public static string? Try(string path) => Try(path, mostLinks: 40);

    /// <summary>What is to be said of a path that is a link and leads nowhere; null elsewhere.</summary>
    public static string? DeadLink(string path)
    {
        try
        {
            // .NET takes a link for a file, wherever it leads.
            var file = new FileInfo(path);
            return file.LinkTarget is { } target && file.ResolveLinkTarget(returnFinalTarget: true) is not { Exists: true }
                ? $"'{path}' is a link to '{target}', where there is nothing." : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Whether a path is a link that leads nowhere.</summary>
    public static bool IsDeadLink(string path) => DeadLink(path) is not null;

    private static string? Try(string path, int mostLinks)
    {
        path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (Path.GetDirectoryName(path) is not { } folder) return path;
        if (Try(folder, mostLinks) is not { } real) return null;
        string place = Path.Combine(real, Path.GetFileName(path));
        if (!Path.Exists(place) || new FileInfo(place).LinkTarget is not { } target) return place;
        return mostLinks > 0 ? Try(Path.Combine(real, target), mostLinks - 1) : null;
    }
}
