using System.Globalization;
using System.Text.Json;

namespace Microsoft.ML.Distillation.Data.Formats;

/// <summary>Errors in annotation files, in the one form that all readers give them.</summary>
internal static class AnnotationError
{
    /// <summary>"file(line): problem."</summary>
    /// <param name="line">Counted from 1.</param>
    public static FormatException At(string file, long line, string problem, Exception? inner = null)
        => new(string.Create(CultureInfo.InvariantCulture, $"{file}({line}): {problem}."), inner);

    /// <summary>An image that a file names does not exist.</summary>
    public static FileNotFoundException NoImage(string file, long line, string image)
        => new(string.Create(CultureInfo.InvariantCulture, $"{file}({line}): the image '{image}' does not exist."), image);

    /// <summary>A file's json breaks off or breaks json's rules.</summary>
    public static FormatException Malformed(string file, JsonException exception)
        => At(file, (exception.LineNumber ?? 0) + 1, $"this is no well-formed json: {exception.Message.Split(" LineNumber:")[0].TrimEnd('.')}", exception);

    /// <summary>A piece of a file as a message quotes it: not longer than anybody reads.</summary>
    public static string Quote(ReadOnlySpan<char> text) => text.Length <= 60 ? $"'{text}'" : $"'{text[..60]}…'";
}
