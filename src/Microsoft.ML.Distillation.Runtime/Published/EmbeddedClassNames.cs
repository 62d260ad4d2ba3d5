using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.ML.Distillation.Onnx;

namespace Microsoft.ML.Distillation.Published;

/// <summary>Reads the class names that some exporters leave in a model's metadata.</summary>
internal static partial class EmbeddedClassNames
{
    private const string Key = "names";

    /// <summary>The class names in a model; <see langword="null"/> where it has none, or is a detector of this library.</summary>
    /// <exception cref="FormatException">The file is no ONNX model.</exception>
    public static IReadOnlyList<string>? In(string path)
    {
        if (new FileInfo(path) is not { Exists: true, Length: < int.MaxValue }) return null;
        return In(OnnxModelFile.Parse(File.ReadAllBytes(path), path));
    }

    /// <inheritdoc cref="In(string)"/>
    public static IReadOnlyList<string>? In(OnnxModelFile model)
        => !DetectorGraph.IsDetector(model) && model.Metadata.TryGetValue(Key, out string? text) ? Parse(text) : null;

    /// <summary>
    /// Names as Ultralytics writes them, a dictionary of Python, {0: 'person', 1: 'bicycle'}; or a list, or either in JSON.
    /// <see langword="null"/> where the text is something else.
    /// </summary>
    internal static IReadOnlyList<string>? Parse(string text)
    {
        var names = new SortedDictionary<int, string>();
        foreach (Match match in Entry().Matches(text))
        {
            int index = match.Groups["key"] is { Success: true } key && int
                .TryParse(key.Value, NumberStyles.None, CultureInfo.InvariantCulture, out int given) ? given : names.Count;
            if (!names.TryAdd(index, Unescape(match.Groups["name"].Value))) return null;
        }

        return names.Count > 0 && names.Keys.Last() == names.Count - 1 && names.Values.All(name => name.Trim().Length > 0)
            ? [.. names.Values] : null;
    }

    private static string Unescape(string name) => name.Contains('\\') ? Regex.Replace(name, @"\\(.)", "$1") : name;

    [GeneratedRegex("""(?:["']?(?<key>\d+)["']?\s*:\s*)?(?<quote>["'])(?<name>(?:\\.|(?!\k<quote>).)*)\k<quote>""",
        RegexOptions.CultureInvariant)]
    private static partial Regex Entry();
}
