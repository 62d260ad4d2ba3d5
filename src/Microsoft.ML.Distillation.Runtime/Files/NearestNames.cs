namespace Microsoft.ML.Distillation.Files;

/// <summary>Finds what a mistyped name may have meant.</summary>
internal static class NearestNames
{
    /// <summary>The names most like a given one, best first: by the number of letters to insert, delete or exchange.</summary>
    public static IReadOnlyList<string> Of(string name, IEnumerable<string> names, int count = 5) =>
        [.. names.Distinct().OrderBy(other => Distance(name, other)).Take(count)];

    /// <summary>Those of the names that may well be what was meant, best first: at most a third of the letters differ.</summary>
    public static IReadOnlyList<string> Close(string name, IEnumerable<string> names, int count = 3) =>
        [.. Of(name, names, count).Where(other => Distance(name, other) <= Math.Max(1, Math.Min(name.Length, other.Length) / 3))];

    /// <summary>The edit distance (Levenshtein, 1966), regardless of case; a name that contains the other is nearer.</summary>
    private static int Distance(string a, string b)
    {
        var row = new int[b.Length + 1];
        for (int j = 0; j <= b.Length; j++) row[j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int exchange = diagonal + (char.ToUpperInvariant(a[i - 1]) == char.ToUpperInvariant(b[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(exchange, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        bool contains = b.Contains(a, StringComparison.OrdinalIgnoreCase) || a.Contains(b, StringComparison.OrdinalIgnoreCase);
        return contains ? row[b.Length] / 4 : row[b.Length];
    }
}
