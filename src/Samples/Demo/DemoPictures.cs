using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Drawing;
using Microsoft.ML.Distillation.Tensors;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Samples.Demo;

/// <summary>Pictures that show side by side what is there and what each model sees.</summary>
internal static class DemoPictures
{
    private const float LeastScore = .5f;
    private const int Gap = 4;
    private const float TitleSize = 12;

    /// <summary>Writes one picture for each image: the annotation, then each model's detections.</summary>
    public static void Write(string folder, IEnumerable<AnnotatedRow> images, IReadOnlyList<(string Name, string Path)> models)
    {
        IImageDetector[] detectors = [.. models.Select(model => ImageDetector.Open(model.Path))];
        string[] names = [.. detectors.SelectMany(detector => detector.ClassNames).Distinct()];
        foreach (AnnotatedRow truth in images)
        {
            var panels = new List<Picture> { Panel(truth.ImagePath, "annotated", truth.Label, null, truth.BoundingBoxes, names) };
            for (int m = 0; m < detectors.Length; m++)
            {
                DetectedImage found = detectors[m].Detect([truth.ImagePath]).Single();
                panels.Add(Panel(truth.ImagePath, models[m].Name, found.Labels, found.Scores, found.Boxes, names));
            }

            SideBySide(panels).Save(Path.Combine(folder, Path.GetFileNameWithoutExtension(truth.ImagePath) + ".png"));
        }

        foreach (IImageDetector detector in detectors) detector.Dispose();
    }

    private static Picture Panel(string path, string title, string[] labels, float[]? scores, float[] boxes, string[] names)
    {
        using MLImage image = InputImages.Load(path);
        var picture = Picture.Of(image);
        for (int i = labels.Length - 1; i >= 0; i--)
        {
            if (scores is null || scores[i] >= LeastScore)
                DetectionPainter.Draw(picture, boxes.AsSpan(4 * i, 4), Math.Max(0, Array.IndexOf(names, labels[i])), labels[i], scores?[i]);
        }

        int bar = (int)Lettering.HeightOf(TitleSize) + Gap;
        var panel = new Picture(picture.Width, picture.Height + bar);
        panel.Write(Gap, Gap / 2f, title, TitleSize, Color.White);
        panel.Paste(picture, 0, bar);
        return panel;
    }

    private static Picture SideBySide(IReadOnlyList<Picture> panels)
    {
        var whole = new Picture(panels.Sum(panel => panel.Width + Gap) - Gap, panels.Max(panel => panel.Height));
        int x = 0;
        foreach (Picture panel in panels)
        {
            whole.Paste(panel, x, 0);
            x += panel.Width + Gap;
        }

        return whole;
    }
}
