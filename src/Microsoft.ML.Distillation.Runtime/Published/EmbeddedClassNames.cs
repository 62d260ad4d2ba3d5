using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Onnx;

namespace Microsoft.ML.Distillation.Published;

/// <summary>Reads the class names that some exporters leave in a model's metadata.</summary>
internal static partial class EmbeddedClassNames
{
    private const string Key = "names";

    /// <summary>The class names in a model; <see langword="null"/> where it has none that can be read, or is a detector of this
    /// library.</summary>
    /// <exception cref="FormatException">The file is no ONNX model.</exception>
    public static IReadOnlyList<string>? In(string path) => Load(path) is { } model ? In(model) : null;

    /// <inheritdoc cref="In(string)"/>
    public static IReadOnlyList<string>? In(OnnxModelFile model) => Read(model).Names;

    /// <summary>Why the class names in a model cannot be read; <see langword="null"/> where it has none, or they can.</summary>
    /// <exception cref="FormatException">The file is no ONNX model.</exception>
    public static string? ProblemOf(string path) => Load(path) is { } model ? Read(model).Problem : null;

    /// <summary>What a message says of a model that is to carry its class names: that it has none, or why they cannot be read.</summary>
    public static string Absence(OnnxModelFile model) => Read(model).Problem is { } problem
        ? $"carries the names of its classes (metadata '{Key}') in a form that cannot be read: {problem}"
        : $"does not carry the names of its classes (metadata '{Key}')";

    /// <inheritdoc cref="Absence(OnnxModelFile)"/>
    /// <exception cref="FormatException">The file is no ONNX model.</exception>
    public static string Absence(string path)
        => Load(path) is { } model ? Absence(model) : $"does not carry the names of its classes (metadata '{Key}')";

    /// <summary>
    /// Names as Ultralytics writes them, a dictionary of Python, {0: 'person', 1: 'bicycle'}; or a list, or either in JSON.
    /// <see langword="null"/> where the text is something else.
    /// </summary>
    internal static IReadOnlyList<string>? Parse(string text) => Read(text).Names;

    private static OnnxModelFile? Load(string path)
    {
        InputFile.RefuseSpecial(path);
        return new FileInfo(path) is { Exists: true, Length: < int.MaxValue } ? OnnxModelFile.Parse(File.ReadAllBytes(path), path) : null;
    }

    private static (IReadOnlyList<string>? Names, string? Problem) Read(OnnxModelFile model)
    {
        if (DetectorGraph.IsDetector(model)) return (null, null);
        string[] texts = [.. model.Model.MetadataProps.Where(entry => entry.Key == Key).Select(entry => entry.Value).Distinct()];
        return texts.Length switch
        {
            0 => (null, null),
            1 => Read(texts[0]),
            int several => (null, $"the entry is there {several} times, with different names"),
        };
    }

    private static (IReadOnlyList<string>? Names, string? Problem) Read(string text)
    {
        string trimmed = text.Trim();
        bool isMap = trimmed.StartsWith('{') && trimmed.EndsWith('}'), isList = trimmed.StartsWith('[') && trimmed.EndsWith(']');
        if (!isMap && !isList) return (null, "it is neither a dictionary {0: 'name', …} nor a list");
        string inner = trimmed[1..^1];
        var names = new SortedDictionary<int, string>();
        int at = 0;
        foreach (Match match in Entry().Matches(inner))
        {
            if (inner[at..match.Index].Trim(' ', '\t', '\r', '\n', ',').Length > 0) break;
            at = match.Index + match.Length;
            Group key = match.Groups["key"];
            if (key.Success != isMap) return (null, isMap ? $"'{Shown(match.Value)}' has no number" : $"'{Shown(match.Value)}' is no name");
            int index = names.Count;
            if (isMap && !int.TryParse(key.Value, NumberStyles.None, CultureInfo.InvariantCulture, out index))
                return (null, $"'{Shown(key.Value)}' is no number of a class");
            string name = match.Groups["quote"].Success ? Unescape(match.Groups["name"].Value) : match.Groups["bare"].Value.Trim();
            if (name.Trim().Length == 0) return (null, $"class {index} has an empty name");
            if (!names.TryAdd(index, name)) return (null, $"class {index} is there twice");
        }

        string rest = inner[at..].Trim(' ', '\t', '\r', '\n', ',');
        if (rest.Length > 0) return (null, $"'{Shown(rest)}' is no name");
        if (names.Count == 0) return (null, "it holds no name");
        int missing = Enumerable.Range(0, names.Count).FirstOrDefault(index => !names.ContainsKey(index), -1);
        return missing >= 0 ? (null, $"class {missing} is missing") : ([.. names.Values], null);
    }

    private static string Shown(string text) => text.Length <= 40 ? text : text[..40] + "…";

    private static string Unescape(string name) => name.Contains('\\') ? Regex.Replace(name, @"\\(.)", "$1") : name;

    // A backslash is read in one way alone: in two, an entry that is not closed would be tried in all of their combinations.
    [GeneratedRegex(
        """(?:["']?(?<key>\d+)["']?\s*:\s*)?"""
            + """(?:(?<quote>["'])(?<name>(?>\\.|(?!\k<quote>)[^\\])*)\k<quote>|(?<bare>[^\s,:{}\[\]'"][^,:{}\[\]'"]*))""",
        RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex Entry();
}
