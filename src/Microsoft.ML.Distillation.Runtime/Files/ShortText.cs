namespace Microsoft.ML.Distillation.Files;

/// <summary>Names out of a file, as messages repeat them: what a file calls things may be megabytes long.</summary>
internal static class ShortText
{
    private const int Longest = 100;
    private const int Listed = 10;

    /// <summary>The beginning of a text.</summary>
    public static string Of(string? text) => text is { Length: > Longest } ? $"{text[..Longest]}…" : text ?? "";

    /// <summary>The first of a list.</summary>
    public static string Of(IEnumerable<object> names, int count)
    {
        string more = count > Listed ? $" and {count - Listed} more" : "";
        return string.Join(", ", names.Take(Listed).Select(name => Of($"{name}"))) + more;
    }

    /// <summary>The shape as text, <c>[24,3,3,3]</c>.</summary>
    public static string Of(IReadOnlyList<long> shape) => shape.Count > Listed
        ? $"[{string.Join(',', shape.Take(Listed))},… {shape.Count} dimensions]"
        : $"[{string.Join(',', shape)}]";
}
