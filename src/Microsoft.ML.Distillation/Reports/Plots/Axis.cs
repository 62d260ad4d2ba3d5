using System.Globalization;

namespace Microsoft.ML.Distillation.Reports.Plots;

/// <summary>Maps values onto a stretch of pixels, and knows round numbers to mark.</summary>
internal sealed class Axis
{
    private readonly double _from;
    private readonly double _to;
    private readonly double _start;
    private readonly double _end;
    private readonly bool _logarithmic;

    private Axis(double from, double to, double start, double end, bool logarithmic)
        => (_from, _to, _start, _end, _logarithmic) = (from, to, start, end, logarithmic);

    /// <summary>The round numbers to mark.</summary>
    public required IReadOnlyList<double> Ticks { get; init; }

    /// <summary>An axis with even steps; it begins and ends where it is told.</summary>
    public static Axis Linear(double from, double to, double start, double end, int steps = 5)
    {
        if (!(to > from)) to = from + 1;
        double step = Step((to - from) / steps);
        var ticks = new List<double>();
        for (double tick = Math.Ceiling(from / step - 1e-9) * step; tick <= to + step * 1e-9; tick += step) ticks.Add(Math.Abs(tick) < step * 1e-9 ? 0 : tick);
        return new Axis(from, to, start, end, false) { Ticks = ticks };
    }

    /// <summary>An axis whose end is the next round number.</summary>
    public static Axis LinearTo(double from, double to, double start, double end, int steps = 5)
    {
        if (!(to > from)) to = from + 1;
        double step = Step((to - from) / steps);
        return Linear(from, Math.Ceiling(to / step - 1e-9) * step, start, end, steps);
    }

    /// <summary>An axis of powers: equal factors are equally far apart.</summary>
    public static Axis Logarithmic(double from, double to, double start, double end)
    {
        double[] marks = [.. from power in Enumerable.Range(-6, 16) from digit in (double[])[1, 2, 5] select digit * Math.Pow(10, power)];
        double low = marks.Last(mark => mark <= from * 0.8), high = marks.First(mark => mark >= to * 1.25);
        double[] ticks = [.. marks.Where(mark => mark >= low && mark <= high)];
        if (ticks.Length > 7) ticks = [.. ticks.Where(mark => Math.Abs(Math.Log10(mark) - Math.Round(Math.Log10(mark))) < 1e-9)];
        return new Axis(Math.Log(low), Math.Log(high), start, end, true) { Ticks = ticks };
    }

    /// <summary>The place of a value in pixels.</summary>
    public double At(double value) => _start + ((_logarithmic ? Math.Log(value) : value) - _from) / (_to - _from) * (_end - _start);

    /// <summary>A tick's label.</summary>
    public static string Label(double tick)
        => Math.Abs(tick) >= 10_000 ? (tick / 1000).ToString("0.#", CultureInfo.InvariantCulture) + "k"
        : tick != 0 && Math.Abs(tick) < 0.001 ? tick.ToString("0.#e+0", CultureInfo.InvariantCulture)
        : tick.ToString("0.####", CultureInfo.InvariantCulture);

    private static double Step(double raw)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        double digit = raw / power;
        return power * (digit <= 1.0001 ? 1 : digit <= 2.0001 ? 2 : digit <= 2.5001 ? 2.5 : digit <= 5.0001 ? 5 : 10);
    }
}
