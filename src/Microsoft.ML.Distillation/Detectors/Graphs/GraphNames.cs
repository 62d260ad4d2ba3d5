using System.Text;

namespace Microsoft.ML.Distillation.Detectors.Graphs;

/// <summary>Names of a state dict made of names of a graph: letters, digits and underscores, none twice.</summary>
internal sealed class GraphNames
{
    private static readonly string[] Endings = [".weight", ".kernel", "/kernel", "/weight", ".w_0", ".weights", "/weights"];

    // Regardless of case, as on some disks.
    private readonly HashSet<string> _taken = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>A name for a layer, made of that of its weights.</summary>
    public string Layer(string weights)
    {
        string? ending = Endings.FirstOrDefault(e => weights.Length > e.Length && weights.EndsWith(e, StringComparison.Ordinal));
        return Of(ending is null ? weights : weights[..^ending.Length]);
    }

    /// <summary>A name for a value.</summary>
    public string Of(string name)
    {
        var safe = new StringBuilder(name.Length);
        foreach (char c in name) safe.Append(char.IsAsciiLetterOrDigit(c) ? c : '_');
        if (safe.Length == 0 || char.IsAsciiDigit(safe[0])) safe.Insert(0, '_');
        string stem = safe.ToString(), found = stem;
        for (int i = 2; !_taken.Add(found); i++) found = FormattableString.Invariant($"{stem}_{i}");
        return found;
    }
}
