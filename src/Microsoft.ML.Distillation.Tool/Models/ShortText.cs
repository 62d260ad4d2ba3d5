namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>What messages repeat of files: a name or a parser's word may be megabytes long.</summary>
internal static class ShortText
{
    private const int Longest = 300;

    /// <summary>The beginning of a text.</summary>
    public static string Of(string? text) => text is { Length: > Longest } ? $"{text[..Longest]}…" : text ?? "";
}

/// <summary>Lists of names, of which a long one does not fill a screen.</summary>
internal static class ShortList
{
    private const int Most = 10;

    /// <summary>The first names, and how many others there are.</summary>
    public static string Of(IReadOnlyCollection<string> names) => names.Count <= Most + 2 ? string.Join(", ", names)
        : $"{string.Join(", ", names.Take(Most))} and {names.Count - Most} others";
}
