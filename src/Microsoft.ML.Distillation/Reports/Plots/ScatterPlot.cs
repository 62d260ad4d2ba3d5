using static Microsoft.ML.Distillation.Reports.HtmlWriter;

namespace Microsoft.ML.Distillation.Reports.Plots;

/// <summary>A point of a scatter plot.</summary>
/// <param name="Spread">How far up and down the value may be; 0 or not a number for no mark.</param>
internal sealed record ScatterPoint(string Name, string Color, double X, double Y, string Text, double Spread = 0);

/// <summary>Points with their names beside them.</summary>
internal static class ScatterPlot
{
    private const double LineHeight = 15;

    /// <summary>Draws the points in an open frame.</summary>
    public static void Draw(HtmlWriter html, Axis x, Axis y, IReadOnlyList<ScatterPoint> points)
    {
        double[] labels = Spaced([.. points.Select(point => y.At(point.Y) + 4)]);
        for (int i = 0; i < points.Count; i++)
        {
            ScatterPoint point = points[i];
            double px = x.At(point.X), py = y.At(point.Y);
            using (html.Tag("g", ("class", $"point {point.Color}")))
            {
                html.Leaf("title", point.Text);
                if (point.Spread > 0)
                    html.Leaf("line", null, ("class", "whisker"), ("x1", N(px)), ("x2", N(px)), ("y1", N(y.At(point.Y - point.Spread))), ("y2", N(y.At(point.Y + point.Spread))));
                html.Leaf("circle", null, ("cx", N(px)), ("cy", N(py)), ("r", "6.5"));
                bool isRight = px > (PlotFrame.Left + PlotFrame.Right) / 2;
                html.Leaf("text", point.Name, ("class", isRight ? "end" : null), ("x", N(px + (isRight ? -12 : 12))), ("y", N(labels[i])));
            }
        }
    }

    /// <summary>Moves labels apart that would lie on each other, keeping their order.</summary>
    internal static double[] Spaced(double[] wanted)
    {
        int[] order = [.. Enumerable.Range(0, wanted.Length).OrderBy(i => wanted[i])];
        double[] placed = [.. wanted];
        for (int round = 0; round < 20; round++)
        {
            for (int k = 1; k < order.Length; k++)
            {
                double lack = LineHeight - (placed[order[k]] - placed[order[k - 1]]);
                if (lack <= 0) continue;
                placed[order[k - 1]] -= lack / 2;
                placed[order[k]] += lack / 2;
            }
        }

        return placed;
    }
}
