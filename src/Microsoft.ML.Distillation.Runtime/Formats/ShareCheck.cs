using System.Globalization;

namespace Microsoft.ML.Distillation.Formats;

/// <summary>Looks at numbers that are to be shares of an image, in formats that have such.</summary>
internal static class ShareCheck
{
    // Boxes that hang over the border by the rounding of some tool are nothing to speak of.
    private const double Largest = 1.01;

    /// <summary>Whether a number is no share of anything.</summary>
    public static bool IsNone(double number) => Math.Abs(number) > Largest;

    /// <summary>Takes note of the line that was read last.</summary>
    public static void Note(AnnotationNotes? notes, TextLines lines) => notes?.Count(
        "Objects with numbers above 1, where shares of the image are expected (are these pixels?)",
        string.Create(CultureInfo.InvariantCulture, $"{lines.File}({lines.Number})"));
}
