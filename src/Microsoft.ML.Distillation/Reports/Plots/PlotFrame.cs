using static Microsoft.ML.Distillation.Reports.HtmlWriter;

namespace Microsoft.ML.Distillation.Reports.Plots;

/// <summary>The outside of a plot: title, axes, grid. Its inside is 420 by 230 units, whatever its width on the page.</summary>
internal static class PlotFrame
{
    public const double Left = 46, Top = 14, Width = 420, Height = 230;
    public const double Right = Left + Width, Bottom = Top + Height;
    private const double ViewWidth = Right + 12, ViewHeight = Bottom + 44;

    /// <summary>Opens a figure with its title; what is drawn until the result is disposed lies above the grid.</summary>
    /// <param name="x">The axis across, from <see cref="Left"/> to <see cref="Right"/>.</param>
    /// <param name="y">The axis upwards, from <see cref="Bottom"/> to <see cref="Top"/>.</param>
    /// <param name="note">A line beneath the title.</param>
    /// <param name="legend">Names and the classes that colour them.</param>
    public static IDisposable Open(
        HtmlWriter html, string title, Axis x, string xTitle, Axis y, string? note = null, IReadOnlyList<(string Name, string Color)>? legend = null,
        Func<double, string>? xLabel = null)
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
            html.Leaf("text", Axis.Label(tick), ("class", "tick end"), ("x", N(Left - 7)), ("y", N(y.At(tick) + 4)));
        }

        foreach (double tick in x.Ticks)
        {
            html.Leaf("line", null, ("class", "mark"), ("x1", N(x.At(tick))), ("x2", N(x.At(tick))), ("y1", N(Bottom)), ("y2", N(Bottom + 4)));
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
