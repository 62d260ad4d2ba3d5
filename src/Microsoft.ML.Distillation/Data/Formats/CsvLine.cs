using System.Text;

namespace Microsoft.ML.Distillation.Data.Formats;

/// <summary>Splits a line of comma-separated values. A quoted value cannot go over the end of the line.</summary>
internal static class CsvLine
{
    /// <summary>The values of a line.</summary>
    /// <exception cref="FormatException">A quote is not closed, or text follows it.</exception>
    public static List<string> Split(TextLines lines, string line)
    {
        var values = new List<string>();
        int at = 0;
        while (true)
        {
            if (at < line.Length && line[at] == '"')
            {
                values.Add(Quoted(lines, line, ref at));
            }
            else
            {
                int end = line.IndexOf(',', at);
                if (end < 0) end = line.Length;
                values.Add(line[at..end]);
                at = end;
            }

            if (at == line.Length) return values;
            if (line[at] != ',') throw lines.Error("text follows a closing quote");
            at++;
        }
    }

    private static string Quoted(TextLines lines, string line, ref int at)
    {
        var value = new StringBuilder();
        while (true)
        {
            int end = line.IndexOf('"', at + 1);
            if (end < 0) throw lines.Error("a quote is not closed");
            value.Append(line, at + 1, end - at - 1);
            at = end + 1;
            if (at >= line.Length || line[at] != '"') return value.ToString();
            // Two quotes stand for one.
            value.Append('"');
        }
    }
}
