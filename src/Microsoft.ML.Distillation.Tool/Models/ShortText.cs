namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>What messages repeat of files: a name or a parser's word may be megabytes long.</summary>
internal static class ShortText
{
    private const int Longest = 300;

    /// <summary>The beginning of a text.</summary>
    public static string Of(string? text) => text is { Length: > Longest } ? $"{text[..Longest]}…" : text ?? "";
}
