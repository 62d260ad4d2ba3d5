namespace Microsoft.ML.Distillation.Reports.Sections;

/// <summary>Opens sections.</summary>
internal static class Section
{
    /// <summary>A section with its heading and, perhaps, a line that says how to read it.</summary>
    public static IDisposable Open(HtmlWriter html, string id, string heading, string? lede = null)
    {
        IDisposable section = html.Tag("section", ("id", id));
        html.Leaf("h2", heading);
        if (lede is not null) html.Leaf("p", lede, ("class", "lede"));
        return section;
    }

    /// <summary>A table of two columns.</summary>
    public static void Pairs(HtmlWriter html, string caption, IEnumerable<(string Name, string Value)> pairs)
    {
        using IDisposable scroll = html.Tag("div", ("class", "scroll"));
        using IDisposable table = html.Tag("table", ("class", "pairs"));
        html.Leaf("caption", caption);
        using IDisposable body = html.Tag("tbody");
        foreach ((string name, string value) in pairs)
        {
            using IDisposable row = html.Tag("tr");
            html.Leaf("th", name, ("scope", "row"));
            html.Leaf("td", value);
        }
    }
}
