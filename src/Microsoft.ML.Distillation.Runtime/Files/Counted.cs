using System.Globalization;

namespace Microsoft.ML.Distillation.Files;

/// <summary>Counts in words: 1 image, 2 images.</summary>
internal static class Counted
{
    /// <summary>A number with what it counts.</summary>
    /// <param name="noun">What one of it is called; its plural ends in s, or es.</param>
    public static string Of(long count, string noun)
    {
        string ending = count == 1 ? "" : noun[^1] is 's' or 'x' ? "es" : "s";
        return string.Create(CultureInfo.InvariantCulture, $"{count} {noun}{ending}");
    }
}
