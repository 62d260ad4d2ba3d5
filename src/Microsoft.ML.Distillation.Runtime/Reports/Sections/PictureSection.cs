using Microsoft.ML.Distillation.Drawing;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Reports.Plots;
using static Microsoft.ML.Distillation.Reports.HtmlWriter;

namespace Microsoft.ML.Distillation.Reports.Sections;

/// <summary>Test images: what is there, and what each model sees; where the student gained most, and where it errs most.</summary>
internal static class PictureSection
{
    private const int MostPanels = 5;

    // A panel is as narrow as 170 points of a screen.
    private const float LettersInWidth = 18;

    // How much wider than the letters that are measured those of the page are, which are bold.
    private const double Bold = 1.2;

    /// <summary>Writes the section, where there are images and detections.</summary>
    public static void Write(HtmlWriter html, ReportContent content)
    {
        ReportedModel[] models = [.. content.Models
            .Where(model => model.Found.Count == content.Images.Count && model.Role != DetectorRole.Control).Take(MostPanels - 1)];
        ReportedModel? main = models.Contains(content.Main) ? content.Main : models.LastOrDefault();
        if (content.Images.Count == 0 || main is null || content.Pictures < 1) return;
        var choice = PictureChoice.Of(content.Images, main,
            models.FirstOrDefault(model => model.Role == DetectorRole.Alone && model != main), content.Pictures);
        using IDisposable section = Section.Open(
            html, "pictures", "What they see",
            $"Detections of score {Figures.Short(PictureChoice.LeastScore)} or more, at IoU .50. "
                + "Wrong and missed boxes have their class; point at any for its score.");
        PlotFrame.Legend(html, [("annotated", "b-truth"), ("right", "b-right"), ("wrong", "b-wrong"), ("missed", "b-missed")]);
        int number = 0;
        foreach ((string title, IReadOnlyList<int> images) in choice.Groups)
        {
            if (images.Count == 0) continue;
            html.Leaf("h3", title);
            foreach (int image in images) Row(html, content.Images[image], image, models, $"p{number++}");
        }
    }

    private static void Row(HtmlWriter html, ReportedImage image, int index, ReportedModel[] models, string id)
    {
        ReportThumbnail thumbnail = image.Load();
        using IDisposable row = html.Tag("figure", ("class", "pictures"));
        html.Leaf("figcaption", image.Name);
        // The picture stands in the page once and is used by every panel.
        using (html.Tag("svg", ("class", "hidden"), ("aria-hidden", "true")))
        using (html.Tag("defs"))
        {
            html.Leaf("image", null, ("id", id), ("width", N(image.Size.Width)), ("height", N(image.Size.Height)),
                ("preserveAspectRatio", "none"),
                ("href", $"data:{thumbnail.MediaType};base64,{Convert.ToBase64String(thumbnail.Content)}"));
        }

        using IDisposable panels = html.Tag("div", ("class", "panels"));
        Panel(html, image, id, "Ground truth", Counted.Of(image.Truth.Count(box => !box.Ignored), "object"), null,
            [.. image.Truth.Select(box => (box, box.Ignored ? "b-ignored" : "b-truth"))]);
        foreach (ReportedModel model in models)
        {
            var judged = JudgedImage.Of(image.Truth, model.Found[index]);
            string counts = $"{judged.Right} right · {judged.Wrong} wrong · {judged.Missed} missed";
            Panel(html, image, id, model.Name + model.OfFirstSeed, counts, model.Color, judged.Boxes);
        }
    }

    private static void Panel(HtmlWriter html, ReportedImage image, string id, string title, string note, string? color,
        IReadOnlyList<(ReportedBox Box, string Class)> boxes)
    {
        using IDisposable panel = html.Tag("div", ("class", "panel"));
        using (html.Tag("div", ("class", "panel-title")))
        {
            html.Leaf("b", title, ("class", color is null ? null : $"key {color}"));
            html.Leaf("small", note);
        }

        using IDisposable svg = html.Tag("svg", ("viewBox", $"0 0 {image.Size.Width} {image.Size.Height}"), ("role", "img"),
            ("aria-label", $"{title}: {note}"));
        html.Leaf("use", null, ("href", $"#{id}"));
        foreach ((ReportedBox box, string kind) in boxes)
        {
            using IDisposable shape = html.Tag("rect", ("class", $"box {kind}"), ("x", N(box.X0)), ("y", N(box.Y0)),
                ("width", N(Math.Max(1, box.X1 - box.X0))), ("height", N(Math.Max(1, box.Y1 - box.Y0))));
            html.Leaf("title", box.Score is float score ? $"{box.Label} {Figures.Short(score)}" : box.Label);
        }

        Labels(html, image, [.. boxes.Where(entry => entry.Class is "b-wrong" or "b-missed")]);
    }

    /// <summary>Names on boxes, as paper and phones have no pointer; those that find no room are left out.</summary>
    private static void Labels(HtmlWriter html, ReportedImage image, IReadOnlyList<(ReportedBox Box, string Class)> boxes)
    {
        float size = image.Size.Width / LettersInWidth;
        double height = 1.2 * size, longest = Math.Max(size, image.Size.Width / Bold);
        var places = new LabelPlaces(new LabelPlace(0, 0, image.Size.Width, image.Size.Height));
        foreach ((ReportedBox box, string kind) in boxes)
        {
            var frame = new LabelPlace(box.X0, box.Y0, box.X1 - box.X0, box.Y1 - box.Y0);
            string text = Lettering.Fit(box.Label, size, (float)longest);
            LabelPlace? found = places.Take(
                Bold * Lettering.WidthOf(text, size), height, place => place.GapTo(frame) <= 2 * height,
                (frame.Left, frame.Top - height), (frame.Left, frame.Top), (frame.Left, frame.Bottom));
            if (found is { } label) html.Leaf("text", text, ("class", $"box-label {kind}"), ("x", N(label.Left)),
                ("y", N(label.Top + 0.95 * size)), ("style", $"font-size:{N(size)}px"));
        }
    }
}
