using static Microsoft.ML.Distillation.Reports.Figures;

namespace Microsoft.ML.Distillation.Reports.Sections;

/// <summary>How long models take on other devices than the one that made the report.</summary>
internal static class TimingSection
{
    /// <summary>Writes the section, where such times are known.</summary>
    public static void Write(HtmlWriter html, ReportContent content)
    {
        if (content.Timings.Count == 0) return;
        using IDisposable section = Section.Open(html, "devices", "On other devices",
            "Measured there, from an image's pixels to its boxes; all other times in this report are of the machine that made it.");
        using IDisposable scroll = html.Tag("div", ("class", "scroll"));
        using IDisposable table = html.Tag("table");
        using (html.Tag("thead"))
        using (html.Tag("tr"))
        {
            foreach (string head in (string[])["Model", "Device", "ms (median)", "ms (95 %)", "Images a second"]) html.Leaf("th", head);
        }

        using IDisposable body = html.Tag("tbody");
        foreach (DeviceTiming timing in content.Timings)
        {
            using IDisposable row = html.Tag("tr");
            // The size tells the model where the file has kept its form; a renamed or exported one has its file's name alone.
            string? known = timing.Bytes == 0 ? null : content.Models.FirstOrDefault(model => model.Bytes == timing.Bytes)?.Name;
            html.Leaf("th", known is null || known == timing.Model ? timing.Model : $"{known} ({timing.Model})", ("scope", "row"));
            using (html.Tag("td"))
            {
                html.Text(timing.Device);
                if (timing.Platform.Length > 0) html.Leaf("small", timing.Platform);
            }

            html.Leaf("td", Short(timing.Milliseconds));
            html.Leaf("td", Short(timing.Milliseconds95));
            html.Leaf("td", Short(1000 / timing.Milliseconds));
        }
    }
}
