using System.Text;
using static Microsoft.ML.Distillation.Reports.HtmlWriter;

namespace Microsoft.ML.Distillation.Reports.Plots;

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
            double from = i == 0 ? PlotFrame.Left : (x.At(places[i - 1].At) + at) / 2, to = i + 1 < places.Count ? (x.At(places[i + 1].At) + at) / 2 : PlotFrame.Right;
            using (html.Tag("rect", ("class", "band"), ("x", N(from)), ("y", N(PlotFrame.Top)), ("width", N(Math.Max(0.5, to - from))), ("height", N(PlotFrame.Height))))
                html.Leaf("title", places[i].Text);
        }
    }

    /// <summary>A path through points.</summary>
    public static string Path(Axis x, Axis y, IEnumerable<(double X, double Y)> points)
    {
        var path = new StringBuilder();
        foreach ((double px, double py) in points) path.Append(path.Length == 0 ? 'M' : 'L').Append(N(x.At(px))).Append(' ').Append(N(y.At(py)));
        return path.ToString();
    }
}
