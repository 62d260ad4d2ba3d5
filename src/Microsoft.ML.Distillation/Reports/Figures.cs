using System.Globalization;

namespace Microsoft.ML.Distillation.Reports;

/// <summary>Numbers as people read them.</summary>
internal static class Figures
{
    /// <summary>A share in per cent, without the sign; "–" where there is none.</summary>
    public static string Percent(double? share) => share is double value && double.IsFinite(value) ? Text(100 * value, "0.0") : "–";

    /// <summary>A difference of shares in points, with its sign.</summary>
    public static string Points(double difference) => double.IsFinite(difference) ? Text(100 * difference, "+0.0;−0.0;0.0") : "–";

    /// <summary>A number of bytes in MB.</summary>
    public static string Megabytes(long? bytes) => bytes is long value ? Short(value / 1e6) : "–";

    /// <summary>Three digits.</summary>
    public static string Short(double? number) => number switch
    {
        null => "–",
        double value when !double.IsFinite(value) => "–",
        double value when Math.Abs(value) >= 100 => Text(value, "N0"),
        double value when Math.Abs(value) >= 10 => Text(value, "0.0"),
        0 => "0",
        double value when Math.Abs(value) >= 0.1 => Text(value, "0.00"),
        double value when Math.Abs(value) >= 0.001 => Text(value, "0.####"),
        double value => Text(value, "0.###e+0"),
    };

    /// <summary>A count with its thousands set apart.</summary>
    public static string Count(long? count) => count is long value ? Text(value, "N0") : "–";

    /// <summary>How many times.</summary>
    public static string Times(double factor) => Text(factor, factor >= 10 ? "0" : "0.0") + "×";

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
