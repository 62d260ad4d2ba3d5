namespace Microsoft.ML.Distillation.Files;

/// <summary>Finds what a mistyped name may have meant.</summary>
internal static class NearestNames
{
    /// <summary>The names most like a given one, best first: by the number of letters to insert, delete, exchange or swap.</summary>
    public static IReadOnlyList<string> Of(string name, IEnumerable<string> names, int count = 5) =>
        [.. names.Distinct().OrderBy(other => Distance(name, other)).Take(count)];

    /// <summary>
    /// Those of the names that may well be what was meant, best first: at most a third of the letters differ, counted in the longer of both
    /// where they begin alike, as epoks and epochs do, and in the shorter where not.
    /// </summary>
    public static IReadOnlyList<string> Close(string name, IEnumerable<string> names, int count = 3)
    {
        return [.. Of(name, names, count).Where(other => Distance(name, other) <= Math.Max(1, LettersOf(other) / 3))];

        int LettersOf(string other) => name.Length > 0 && other.StartsWith(name[..1], StringComparison.OrdinalIgnoreCase)
            ? Math.Max(name.Length, other.Length) : Math.Min(name.Length, other.Length);
    }

    /// <summary>
    /// The edit distance in which two neighbours that are swapped are one mistake (Damerau, 1964), regardless of case; a name that
    /// contains the other is nearer.
    /// </summary>
    private static int Distance(string a, string b)
    {
        (string x, string y) = (a.ToUpperInvariant(), b.ToUpperInvariant());
        int[,] edits = new int[x.Length + 1, y.Length + 1];
        for (int i = 0; i <= x.Length; i++) edits[i, 0] = i;
        for (int j = 0; j <= y.Length; j++) edits[0, j] = j;
        for (int i = 1; i <= x.Length; i++)
        {
            for (int j = 1; j <= y.Length; j++)
            {
                int exchange = edits[i - 1, j - 1] + (x[i - 1] == y[j - 1] ? 0 : 1);
                edits[i, j] = Math.Min(exchange, Math.Min(edits[i - 1, j], edits[i, j - 1]) + 1);
                bool swapped = i > 1 && j > 1 && x[i - 1] == y[j - 2] && x[i - 2] == y[j - 1];
                if (swapped) edits[i, j] = Math.Min(edits[i, j], edits[i - 2, j - 2] + 1);
            }
        }

        int distance = edits[x.Length, y.Length];
        bool contains = y.Contains(x, StringComparison.Ordinal) || x.Contains(y, StringComparison.Ordinal);
        return contains ? distance / 4 : distance;
    }
}
