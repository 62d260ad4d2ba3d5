namespace Microsoft.ML.Distillation.Reports.Sections;

/// <summary>What is needed to do it again: the command, every setting with the seed, versions.</summary>
internal static class SettingsSection
{
    private const int LongText = 100;

    /// <summary>Writes the section, where anything is known.</summary>
    public static void Write(HtmlWriter html, ReportContent content)
    {
        ReportedModel[] trained = [.. content.Models.Where(model => model.Training is not null)];
        if (trained.Length == 0 && content.Command is null) return;
        using IDisposable section = Section.Open(html, "settings", "To do it again");
        if (content.Command is not null)
        {
            using IDisposable pre = html.Tag("pre");
            html.Leaf("code", content.Command);
        }

        if (trained.Length == 0) return;
        Settings(html, trained);
        Section.Pairs(html, "Versions", (trained.FirstOrDefault(model => model == content.Main) ?? trained[0]).Training!.Versions.Select(pair => (pair.Key, pair.Value)));
    }

    private static void Settings(HtmlWriter html, ReportedModel[] models)
    {
        using IDisposable scroll = html.Tag("div", ("class", "scroll"));
        using IDisposable table = html.Tag("table", ("class", "settings"));
        html.Leaf("caption", "Settings, also those that the data decided");
        using (html.Tag("thead"))
        using (html.Tag("tr"))
        {
            html.Leaf("th", "");
            foreach (ReportedModel model in models)
            {
                using IDisposable head = html.Tag("th");
                html.Leaf("span", model.Name, ("class", $"key {model.Color}"));
            }
        }

        using IDisposable body = html.Tag("tbody");
        // Whole descriptions of networks come last: what one looks for is short.
        bool IsLong(string name) => models.Any(model => model.Training!.Settings.GetValueOrDefault(name, "").Length > LongText);
        foreach (string name in models.SelectMany(model => model.Training!.Settings.Keys).Distinct().OrderBy(IsLong))
        {
            string? text = IsLong(name) ? "long" : null;
            string[] values = [.. models.Select(model => model.Training!.Settings.GetValueOrDefault(name, "–"))];
            using IDisposable row = html.Tag("tr");
            html.Leaf("th", name, ("scope", "row"));
            if (values.Distinct().Count() == 1)
            {
                html.Leaf("td", values[0], ("colspan", $"{values.Length}"), ("class", text));
                continue;
            }

            foreach (string value in values) html.Leaf("td", value, ("class", text ?? "differs"));
        }
    }
}
