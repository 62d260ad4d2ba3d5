namespace Microsoft.ML.Distillation.Reports.Plots;

/// <summary>Shares stacked on each other.</summary>
internal static class AreaPlot
{
    /// <summary>Draws the areas in an open frame, the first at the bottom.</summary>
    /// <param name="places">Where the values are.</param>
    /// <param name="layers">Each layer's values there, none below 0.</param>
    public static void Draw(HtmlWriter html, Axis x, Axis y, IReadOnlyList<double> places, IReadOnlyList<(string Color, IReadOnlyList<double> Values)> layers)
    {
        var below = new double[places.Count];
        foreach ((string color, IReadOnlyList<double> values) in layers)
        {
            double[] above = [.. below.Select((value, i) => value + values[i])];
            IEnumerable<(double, double)> outline = places.Select((at, i) => (at, above[i])).Concat(places.Select((at, i) => (at, below[i])).Reverse());
            html.Leaf("path", null, ("class", $"area {color}"), ("d", LinePlot.Path(x, y, outline) + "Z"));
            below = above;
        }
    }
}
