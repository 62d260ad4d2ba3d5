using System.Globalization;
using System.Text;
using Microsoft.ML.Distillation.Drawing;
using static Microsoft.ML.Distillation.Reports.HtmlWriter;

namespace Microsoft.ML.Distillation.Reports.Plots;

/// <summary>The outside of a plot: title, axes, grid. Its inside is 420 by 230 units, whatever its width on the page.</summary>
internal static class PlotFrame
{
    public const double Left = 52, Top = 14, Width = 420, Height = 230;
    public const double Right = Left + Width, Bottom = Top + Height;
    private const double ViewWidth = Right + 12, ViewHeight = Bottom + 44;

    /// <summary>Opens a figure with its title; what is drawn until the result is disposed lies above the grid.</summary>
    /// <param name="x">The axis across, from <see cref="Left"/> to <see cref="Right"/>.</param>
    /// <param name="y">The axis upwards, from <see cref="Bottom"/> to <see cref="Top"/>.</param>
    /// <param name="note">A line beneath the title.</param>
    /// <param name="legend">Names and the classes that colour them.</param>
    public static IDisposable Open(
        HtmlWriter html, string title, Axis x, string xTitle, Axis y, string? note = null,
        IReadOnlyList<(string Name, string Color)>? legend = null,
        Func<double, string>? xLabel = null, Func<double, string>? yLabel = null)
    {
        IDisposable figure = html.Tag("figure", ("class", "plot"));
        using (html.Tag("figcaption"))
        {
            html.Leaf("strong", title);
            if (note is not null) html.Leaf("span", note, ("class", "note"));
        }

        if (legend is { Count: > 0 }) Legend(html, legend);
        IDisposable svg = html.Tag("svg", ("viewBox", $"0 0 {N(ViewWidth)} {N(ViewHeight)}"), ("role", "img"), ("aria-label", title));
        foreach (double tick in y.Ticks)
        {
            html.Leaf("line", null, ("class", "grid"), ("x1", N(Left)), ("x2", N(Right)), ("y1", N(y.At(tick))), ("y2", N(y.At(tick))));
            html.Leaf("text", (yLabel ?? Axis.Label)(tick), ("class", "tick end"), ("x", N(Left - 7)), ("y", N(y.At(tick) + 4)));
        }

        foreach (double tick in x.Ticks)
        {
            html.Leaf("line", null, ("class", "mark"), ("x1", N(x.At(tick))), ("x2", N(x.At(tick))), ("y1", N(Bottom)),
                ("y2", N(Bottom + 4)));
            html.Leaf("text", (xLabel ?? Axis.Label)(tick), ("class", "tick middle"), ("x", N(x.At(tick))), ("y", N(Bottom + 18)));
        }

        html.Leaf("line", null, ("class", "axis"), ("x1", N(Left)), ("x2", N(Right)), ("y1", N(Bottom)), ("y2", N(Bottom)));
        html.Leaf("text", xTitle, ("class", "axis-title end"), ("x", N(Right)), ("y", N(Bottom + 37)));
        return new Both(svg, figure);
    }

    /// <summary>A list of names with their colours.</summary>
    public static void Legend(HtmlWriter html, IReadOnlyList<(string Name, string Color)> entries)
    {
        using (html.Tag("ul", ("class", "legend")))
        {
            foreach ((string name, string color) in entries) html.Leaf("li", name, ("class", color));
        }
    }

    private sealed class Both(IDisposable first, IDisposable second) : IDisposable
    {
        public void Dispose()
        {
            first.Dispose();
            second.Dispose();
        }
    }
}

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
        for (double tick = Math.Ceiling(from / step - 1e-9) * step; tick <= to + step * 1e-9; tick += step) ticks
            .Add(Math.Abs(tick) < step * 1e-9 ? 0 : tick);
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
        if (ticks.Length > 10) ticks = [.. ticks.Where(mark => Math.Abs(Math.Log10(mark) - Math.Round(Math.Log10(mark))) < 1e-9)];
        return new Axis(Math.Log(low), Math.Log(high), start, end, true) { Ticks = ticks };
    }

    /// <summary>The place of a value in pixels.</summary>
    public double At(double value) => _start + ((_logarithmic ? Math.Log(value) : value) - _from) / (_to - _from) * (_end - _start);

    /// <summary>A tick's label.</summary>
    public static string Label(double tick)
        => Math.Abs(tick) >= 10_000 ? (tick / 1000).ToString("0.#", CultureInfo.InvariantCulture) + "k"
        : tick != 0 && Math.Abs(tick) < 0.001 ? tick.ToString("0.#e+0", CultureInfo.InvariantCulture)
        : tick.ToString("0.####", CultureInfo.InvariantCulture);

    /// <summary>A tick's label where values are per cent.</summary>
    public static string PercentLabel(double tick) => $"{Label(tick)}\u00A0%";

    private static double Step(double raw)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        double digit = raw / power;
        return power * (digit <= 1.0001 ? 1 : digit <= 2.0001 ? 2 : digit <= 2.5001 ? 2.5 : digit <= 5.0001 ? 5 : 10);
    }
}

/// <summary>Shares stacked on each other.</summary>
internal static class AreaPlot
{
    /// <summary>Draws the areas in an open frame, the first at the bottom.</summary>
    /// <param name="places">Where the values are.</param>
    /// <param name="layers">Each layer's values there, none below 0.</param>
    public static void Draw(HtmlWriter html, Axis x, Axis y, IReadOnlyList<double> places,
        IReadOnlyList<(string Color, IReadOnlyList<double> Values)> layers)
    {
        var below = new double[places.Count];
        foreach ((string color, IReadOnlyList<double> values) in layers)
        {
            double[] above = [.. below.Select((value, i) => value + values[i])];
            IEnumerable<(double, double)> outline = places.Select((at, i) => (at, above[i]))
                .Concat(places.Select((at, i) => (at, below[i])).Reverse());
            html.Leaf("path", null, ("class", $"area {color}"), ("d", LinePlot.Path(x, y, outline) + "Z"));
            below = above;
        }
    }
}

/// <summary>Lines over a common axis. Pointing at a stretch of it names all values there.</summary>
internal static class LinePlot
{
    /// <summary>Draws the lines in an open frame.</summary>
    public static void Draw(HtmlWriter html, Axis x, Axis y, IReadOnlyList<Series> series)
    {
        foreach (Series line in series)
            html.Leaf("path", null, ("class", $"line {line.Color}"), ("d", Path(x, y, line.Points)));
    }

    /// <summary>Bands to point at, one for each place, with a text for each.</summary>
    public static void Bands(HtmlWriter html, Axis x, IReadOnlyList<(double At, string Text)> places)
    {
        for (int i = 0; i < places.Count; i++)
        {
            double at = x.At(places[i].At);
            double from = i == 0 ? PlotFrame.Left : (x.At(places[i - 1].At) + at) / 2, to = i + 1 < places.Count
                ? (x.At(places[i + 1].At) + at) / 2 : PlotFrame.Right;
            using (html.Tag("rect", ("class", "band"), ("x", N(from)), ("y", N(PlotFrame.Top)), ("width", N(Math.Max(0.5, to - from))),
                ("height", N(PlotFrame.Height))))
                html.Leaf("title", places[i].Text);
        }
    }

    /// <summary>A path through points.</summary>
    public static string Path(Axis x, Axis y, IEnumerable<(double X, double Y)> points)
    {
        var path = new StringBuilder();
        foreach ((double px, double py) in points) path.Append(path.Length == 0 ? 'M' : 'L').Append(N(x.At(px))).Append(' ')
            .Append(N(y.At(py)));
        return path.ToString();
    }
}

/// <summary>A point of a scatter plot.</summary>
/// <param name="Spread">How far up and down the value may be; 0 or not a number for no mark.</param>
internal sealed record ScatterPoint(string Name, string Color, double X, double Y, string Text, double Spread = 0);

/// <summary>Points with their names beside them.</summary>
internal static class ScatterPlot
{
    // Points that are so near crowd.
    private const double Radius = 6.5, Gap = 12, Crowd = 40, LeadGap = 3;

    // The larger of the style sheet's sizes, that of narrow pages. Letters of other fonts are hardly wider than those they are measured by.
    private const float Size = 15;
    private const double Ascent = 14, Height = 18, LongestName = 0.6 * PlotFrame.Width;

    // How far a name may stand below or above its point's height, beside it.
    private static readonly double[] Shifts =
        [0, .. Enumerable.Range(1, 20).Select(i => 3.0 * i), .. Enumerable.Range(1, 20).Select(i => -3.0 * i)];

    /// <summary>Draws the points in an open frame.</summary>
    public static void Draw(HtmlWriter html, Axis x, Axis y, IReadOnlyList<ScatterPoint> points)
    {
        IReadOnlyList<LabelPlace?> labels = Labels(x, y, points);
        // Beneath all points: a line from one may cross another.
        for (int i = 0; i < points.Count; i++)
        {
            if (labels[i] is { } label) Lead(html, points[i], label, x.At(points[i].X), y.At(points[i].Y));
        }

        for (int i = 0; i < points.Count; i++)
        {
            ScatterPoint point = points[i];
            double px = x.At(point.X), py = y.At(point.Y);
            using (html.Tag("g", ("class", $"point {point.Color}")))
            {
                html.Leaf("title", point.Text);
                if (point.Spread > 0)
                    html.Leaf("line", null, ("class", "whisker"), ("x1", N(px)), ("x2", N(px)), ("y1", N(y.At(point.Y - point.Spread))),
                        ("y2", N(y.At(point.Y + point.Spread))));
                html.Leaf("circle", null, ("cx", N(px)), ("cy", N(py)), ("r", N(Radius)));
                if (labels[i] is { } label) Write(html, point, label, px);
            }
        }
    }

    /// <summary>
    /// Where the names of points go: beside the point, off other names and points. Names of points that crowd stand beneath each other, in
    /// the order of the points.
    /// </summary>
    internal static IReadOnlyList<LabelPlace?> Labels(Axis x, Axis y, IReadOnlyList<ScatterPoint> points)
    {
        var places = new LabelPlaces(new LabelPlace(PlotFrame.Left, 0, PlotFrame.Width, PlotFrame.Bottom));
        foreach (ScatterPoint point in points)
        {
            double top = y.At(point.Y + point.Spread), bottom = y.At(point.Y - point.Spread);
            places.Block(new LabelPlace(x.At(point.X) - Radius, y.At(point.Y) - Radius, 2 * Radius, 2 * Radius));
            if (bottom > top) places.Block(new LabelPlace(x.At(point.X) - 1, top, 2, bottom - top));
        }

        var labels = new LabelPlace?[points.Count];
        foreach (int i in Enumerable.Range(0, points.Count).OrderByDescending(i => points[i].Y))
        {
            double px = x.At(points[i].X), py = y.At(points[i].Y), width = Lettering.WidthOf(Shown(points[i]), Size);
            double[] crowd = [.. points.Where(other => Math.Abs(x.At(other.X) - px) < Crowd && Math.Abs(y.At(other.Y) - py) < Crowd)
                .Select(other => x.At(other.X))];
            (double right, double left, double top) = (crowd.Max() + Gap, crowd.Min() - Gap - width, py - Height / 2);
            double[] sides = px > (PlotFrame.Left + PlotFrame.Right) / 2 ? [left, right] : [right, left];
            labels[i] = places.Take(width, Height, _ => true,
                [.. sides.SelectMany(side => Shifts.Select(shift => (side, top + shift))),
                    (px - width / 2, py - Gap - Height), (px - width / 2, py + Gap)]);
        }

        return labels;
    }

    /// <summary>A line from a point to its name, where that does not stand beside it.</summary>
    private static void Lead(HtmlWriter html, ScatterPoint point, LabelPlace label, double px, double py)
    {
        double toX = Math.Clamp(px, label.Left, label.Right), toY = Math.Clamp(py, label.Top + Radius, label.Bottom - Radius);
        if (Math.Max(Math.Abs(toX - px), Math.Abs(toY - py)) <= 1.5 * Gap) return;
        html.Leaf("line", null, ("class", $"lead {point.Color}"), ("x1", N(px)), ("y1", N(py)),
            ("x2", N(toX - LeadGap * Math.Sign(toX - px))), ("y2", N(toY)));
    }

    private static void Write(HtmlWriter html, ScatterPoint point, LabelPlace label, double px)
    {
        // Letters narrower than they were measured stay at their point.
        (string? anchor, double at) = label.Right <= px ? ("end", label.Right) : label.Left >= px ? ((string?)null, label.Left)
            : ("middle", label.Left + label.Width / 2);
        html.Leaf("text", Shown(point), ("class", anchor), ("x", N(at)), ("y", N(label.Top + Ascent)));
    }

    private static string Shown(ScatterPoint point) => Lettering.Fit(point.Name, Size, (float)LongestName);
}

/// <summary>A line of a plot.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Color">The class that colours it.</param>
/// <param name="Points">Its points, from left to right.</param>
internal sealed record Series(string Name, string Color, IReadOnlyList<(double X, double Y)> Points);
