namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors;

/// <summary>Which names mean the same class.</summary>
internal sealed class ClassAliases
{
    /// <summary>The names by which PASCAL VOC and COCO differ, apart from their spaces.</summary>
    private static readonly (string, string)[] Common =
        [("aeroplane", "airplane"), ("motorbike", "motorcycle"), ("sofa", "couch"), ("tvmonitor", "tv")];

    private readonly Dictionary<string, string> _parents = [];

    /// <param name="pairs">Pairs of names that mean the same.</param>
    public ClassAliases(IEnumerable<KeyValuePair<string, string>> pairs)
    {
        foreach ((string a, string b) in Common) Join(a, b);
        foreach ((string a, string b) in pairs) Join(a, b);
    }

    /// <summary>The aliases of the options and of the file that they name.</summary>
    /// <exception cref="FormatException">A line of the file is no pair of names; the message names it.</exception>
    public static ClassAliases Of(OnnxTeacherOptions options)
        => new(options.AliasFile is string path ? options.Aliases.Concat(Read(path)) : options.Aliases);

    /// <summary>A name as it is compared: case, spaces, underscores and hyphens do not count.</summary>
    public static string Plain(string name)
        => string.Concat(name.Where(letter => !char.IsWhiteSpace(letter) && letter is not ('_' or '-'))).ToUpperInvariant();

    /// <summary>A name that all names of the same meaning share.</summary>
    public string Meaning(string name)
    {
        string plain = Plain(name);
        while (_parents.TryGetValue(plain, out string? parent)) plain = parent;
        return plain;
    }

    private static IEnumerable<KeyValuePair<string, string>> Read(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no alias file '{path}'.", path);
        int number = 0;
        foreach (string line in File.ReadLines(path))
        {
            number++;
            if (line.TrimStart().StartsWith('#') || line.Trim().Length == 0) continue;
            string[] names = line.Split('=', StringSplitOptions.TrimEntries);
            if (names.Length != 2 || names.Any(name => name.Length == 0))
                throw new FormatException($"{path}({number}): 'name = name' is expected, not '{line.Trim()}'.");
            yield return KeyValuePair.Create(names[0], names[1]);
        }
    }

    private void Join(string a, string b)
    {
        (string one, string other) = (Meaning(a), Meaning(b));
        if (one != other) _parents[one] = other;
    }
}
