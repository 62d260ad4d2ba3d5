using System.Globalization;

namespace Microsoft.ML.Distillation.Files;

/// <summary>Counts in words: 1 image, 2 images.</summary>
internal static class Counted
{
    /// <summary>A number with what it counts.</summary>
    /// <param name="noun">What one of it is called; its plural ends in s, or es.</param>
    public static string Of(long count, string noun) => string.Create(CultureInfo.InvariantCulture, $"{count} {Noun(count, noun)}");

    /// <summary>What is counted, without the number.</summary>
    /// <inheritdoc cref="Of"/>
    public static string Noun(long count, string noun) => noun + (count == 1 ? "" : noun[^1] is 's' or 'x' ? "es" : "s");
}
