using System.CommandLine;
using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary>Looks before the work, which may take hours, whether its result can be written, and without replacing what it is made
/// from.</summary>
internal static class OutputCheck
{
    /// <summary>Checks a file to be written; null is none.</summary>
    /// <param name="option">The option that names it.</param>
    /// <exception cref="UsageException">It cannot be written, or another option names it too.</exception>
    public static void File(ParseResult parsed, string option, string? path)
    {
        if (path is null) return;
        CheckPlace(option, path, path);
        foreach (Option other in parsed.CommandResult.Command.Options.Where(other => other.Name != option && NamesPath(other)))
        {
            if (parsed.GetResult(other)?.Tokens
                .FirstOrDefault(token => token.Value.Length > 0 && RealPath.Same(token.Value, path)) is { } token)
                throw new UsageException($"{option} and {other.Name} name the same file, '{token.Value}', which would be replaced: name "
                    + $"another.");
        }
    }

    /// <summary>Checks a model to be written, whose ending says what it will be.</summary>
    /// <inheritdoc cref="File"/>
    public static void Model(ParseResult parsed, string option, string path)
    {
        File(parsed, option, path);
        if (Path.GetExtension(path).ToUpperInvariant() is not (".ZIP" or ".ONNX"))
            throw new UsageException($"{option} '{path}' must end in .zip (an ML.NET model) or .onnx.");
    }

    /// <summary>Checks that a folder to be written is not the one that is read, nor in it: the next run would read what this one
    /// wrote.</summary>
    /// <param name="option">The option that names the folder to be written.</param>
    /// <param name="input">The option that names what is read.</param>
    /// <exception cref="UsageException">It is.</exception>
    public static void Outside(string option, string folder, string input, string read)
    {
        if (Directory.Exists(read) && RealPath.IsWithin(folder, read))
            throw new UsageException($"{option} '{folder}' lies in the folder of {input}, '{read}': name a place outside of it.");
    }

    /// <summary>Checks a folder for files to be written; null is none.</summary>
    /// <inheritdoc cref="File"/>
    public static void Folder(string option, string? path)
    {
        if (path is null) return;
        CheckPlace(option, path, Path.Combine(path, "file"));
    }

    private static void CheckPlace(string option, string path, string file)
    {
        if (string.IsNullOrWhiteSpace(path)) throw new UsageException($"{option} is empty: it must name a place.");
        try
        {
            AtomicFile.Check(file);
        }
        catch (Exception error) when (error is IOException or ArgumentException or NotSupportedException)
        {
            throw new UsageException($"{option} '{path}' cannot be written: {error.Message}");
        }
    }

    private static bool NamesPath(Option option) => option.HelpName is "FILE" or "DIR" or "PATH";
}
