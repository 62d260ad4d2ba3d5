using static Microsoft.ML.Distillation.Reports.Figures;

namespace Microsoft.ML.Distillation.Reports.Sections;

/// <summary>The data: images, boxes, sizes, classes.</summary>
internal static class DataSection
{
    /// <summary>Writes the section, where anything is known of the data.</summary>
    public static void Write(HtmlWriter html, ReportContent content)
    {
        DataSummary[] parts = [.. content.Main.Training?.Data ?? [], .. content.Images.Count > 0 ? (DataSummary[])[Test(content.Images)]
            : []];
        if (parts.Length == 0) return;
        using IDisposable section = Section.Open(html, "data", "Data");
        using (html.Tag("div", ("class", "scroll")))
        using (html.Tag("table"))
        {
            using (html.Tag("thead"))
            using (html.Tag("tr"))
            {
                foreach (string head in (string[])["Part", "Images", "Objects", "per image", "Median box, of the image"]) html
                    .Leaf("th", head);
            }

            using IDisposable body = html.Tag("tbody");
            foreach (DataSummary part in parts)
            {
                using IDisposable row = html.Tag("tr");
                html.Leaf("th", part.Name, ("scope", "row"));
                html.Leaf("td", Count(part.Images));
                html.Leaf("td", Count(part.Objects));
                html.Leaf("td", Short((double)part.Objects / Math.Max(1, part.Images)));
                html.Leaf("td", $"{Percent(part.MedianWidth)} × {Percent(part.MedianHeight)}");
            }
        }

        Classes(html, parts);
        Sizes(html, content.Images);
    }

    private static void Classes(HtmlWriter html, DataSummary[] parts)
    {
        DataSummary[] counted = [.. parts.Where(part => part.ClassCounts.Length == part.Classes.Count)];
        if (counted.Length == 0) return;
        string[] names = [.. counted.SelectMany(part => part.Classes).Distinct()];
        using IDisposable scroll = html.Tag("div", ("class", "scroll"));
        using IDisposable table = html.Tag("table");
        using (html.Tag("thead"))
        using (html.Tag("tr"))
        {
            html.Leaf("th", "Class");
            foreach (DataSummary part in counted) html.Leaf("th", part.Name);
        }

        using IDisposable body = html.Tag("tbody");
        foreach (string name in names.OrderByDescending(name => counted.Sum(part => CountOf(part, name))))
        {
            using IDisposable row = html.Tag("tr");
            html.Leaf("th", name, ("scope", "row"));
            foreach (DataSummary part in counted) html
                .Leaf("td", $"{Count(CountOf(part, name))} ({Percent((double)CountOf(part, name) / Math.Max(1, part.Objects))})");
        }
    }

    private static void Sizes(HtmlWriter html, IReadOnlyList<ReportedImage> images)
    {
        if (images.Count == 0) return;
        double[] areas = [.. images.SelectMany(image => image.Truth).Where(box => !box.Ignored)
            .Select(box => (double)(box.X1 - box.X0) * (box.Y1 - box.Y0))];
        IEnumerable<string> sizes = images.GroupBy(image => image.Size).OrderByDescending(group => group.Count()).Take(4)
            .Select(group => $"{group.Count()} of {group.Key}");
        html.Leaf("p", $"Test images: {string.Join(", ", sizes)} pixels. Their boxes: {areas.Count(a => a <= 32 * 32)} small (to 32×32 "
            + $"pixels), "
            + $"{areas.Count(a => a is > 32 * 32 and <= 96 * 96)} medium (to 96×96), {areas.Count(a => a > 96 * 96)} large.",
            ("class", "note"));
    }

    private static int CountOf(DataSummary part, string name)
    {
        int index = part.Classes.ToList().IndexOf(name);
        return index < 0 ? 0 : part.ClassCounts[index];
    }

    private static DataSummary Test(IReadOnlyList<ReportedImage> images)
    {
        (ReportedImage Image, ReportedBox Box)[] boxes =
            [.. images.SelectMany(image => image.Truth.Where(box => !box.Ignored).Select(box => (image, box)))];
        string[] names = [.. boxes.Select(entry => entry.Box.Label).Distinct().Order(StringComparer.Ordinal)];
        return new DataSummary(
            "test", images.Count, boxes.Length, names,
            Median(boxes.Select(entry => (double)(entry.Box.X1 - entry.Box.X0) / entry.Image.Size.Width)),
            Median(boxes.Select(entry => (double)(entry.Box.Y1 - entry.Box.Y0) / entry.Image.Size.Height)))
        {
            ClassCounts = [.. names.Select(name => boxes.Count(entry => entry.Box.Label == name))],
        };
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : sorted[sorted.Length / 2];
    }
}
