using System.Globalization;

namespace Microsoft.ML.Distillation.Data.Formats;

/// <summary>Numbers in text.</summary>
internal static class NumberText
{
    /// <summary>A finite number.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out double number)
        => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number) && double.IsFinite(number);

    /// <summary>A whole number; "3.0" is one.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out int number)
    {
        bool isWhole = TryParse(text, out double value) && value == Math.Truncate(value) && Math.Abs(value) <= int.MaxValue;
        number = isWhole ? (int)value : 0;
        return isWhole;
    }

    /// <summary>The shortest text that reads back as the same number.</summary>
    public static string Format(float number) => number.ToString("R", CultureInfo.InvariantCulture);
}
