using Microsoft.ML.Data;

namespace Microsoft.ML.Distillation.Samples.Demo;

/// <summary>Pictures that show side by side what is there and what each model sees.</summary>
internal static class DemoPictures
{
    private const float LeastScore = .5f;
    private const int Gap = 4;
    private const int Title = 20;

    /// <summary>Writes one picture for each image: the annotation, then each model's detections.</summary>
    /// <param name="models">Each model's name, and what it found in each of the images.</param>
    public static void Write(
        string folder, IReadOnlyList<TestImage> images, IReadOnlyList<string> classNames,
        IReadOnlyList<(string Name, IReadOnlyList<IReadOnlyList<Detection>> Found)> models)
    {
        Directory.CreateDirectory(folder);
        for (int i = 0; i < images.Count; i++)
        {
            int at = i;
            using MLImage image = ImageLoader.Load(images[i].ImagePath);
            (string Name, IEnumerable<Detection> Shown)[] panels =
                [("annotated", images[i].Annotated()),
                    .. models.Select(model => (model.Name, model.Found[at].Where(found => found.Score >= LeastScore)))];
            var whole = new Picture(panels.Length * (image.Width + Gap) - Gap, image.Height + Title);
            for (int p = 0; p < panels.Length; p++)
            {
                using MLImage panel = Panel(image, panels[p].Name, [.. panels[p].Shown], classNames);
                whole.Paste(panel, p * (image.Width + Gap), 0);
            }

            whole.Save(Path.Combine(folder, Path.GetFileNameWithoutExtension(images[i].ImagePath) + ".png"));
        }
    }

    /// <summary>An image with what is shown on it, under its title: that of a box around the whole image.</summary>
    private static MLImage Panel(MLImage image, string title, IReadOnlyList<Detection> shown, IReadOnlyList<string> classNames)
    {
        using MLImage drawn = image.DrawDetections(shown, classNames);
        var panel = new Picture(image.Width, image.Height + Title);
        panel.Paste(drawn, 0, Title);
        using MLImage bare = panel.ToMLImage();
        return bare.DrawDetections([new Detection(title, float.NaN, new BoundingBox(0, Title, image.Width, image.Height + Title))],
            [.. classNames, title]);
    }
}

/// <summary>An annotated image, as <c>LoadDetections</c> gives it.</summary>
internal sealed class TestImage
{
    /// <summary>The image's file.</summary>
    public string ImagePath { get; set; } = "";

    /// <summary>The classes of the objects.</summary>
    public string[] Label { get; set; } = [];

    /// <summary>x0 y0 x1 y1 of each object in pixels.</summary>
    public float[] BoundingBoxes { get; set; } = [];

    /// <summary>The objects as detections without a score.</summary>
    public IEnumerable<Detection> Annotated() => Label.Select((label, i) => new Detection(
        label, float.NaN, new BoundingBox(BoundingBoxes[4 * i], BoundingBoxes[4 * i + 1], BoundingBoxes[4 * i + 2],
            BoundingBoxes[4 * i + 3])));
}
