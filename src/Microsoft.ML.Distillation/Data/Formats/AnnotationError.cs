using System.Globalization;

namespace Microsoft.ML.Distillation.Data.Formats;

/// <summary>Errors in annotation files, in the one form that all readers give them.</summary>
internal static class AnnotationError
{
    /// <summary>"file(line): problem."</summary>
    /// <param name="line">Counted from 1.</param>
    public static FormatException At(string file, long line, string problem, Exception? inner = null)
        => new(string.Create(CultureInfo.InvariantCulture, $"{file}({line}): {problem}."), inner);

    /// <summary>A piece of a file as a message quotes it: not longer than anybody reads.</summary>
    public static string Quote(ReadOnlySpan<char> text) => text.Length <= 60 ? $"'{text}'" : $"'{text[..60]}…'";
}
