using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Evaluation;
using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers.Dense;

namespace Microsoft.ML.Distillation.Tests.Teachers.Onnx;

/// <summary>Shows real photographs to published detectors and measures what they see.</summary>
internal static class PublishedModels
{
    /// <summary>The 100 annotated photographs.</summary>
    public static IReadOnlyList<Photograph> Photographs()
    {
        string root = TestData.Folder("voc2012-100");
        IEnumerable<AnnotatedImage> images = CocoReader
            .Read(new AnnotationSource(Path.Combine(root, "annotations", "coco_format_v1", "instances_default.json")));
        return [.. images.Select(image => new Photograph(
            Path.Combine(root, "JPEGImages", Path.GetFileName(image.ImagePath)),
            [.. image.Objects.Select(o => o.Label)], [.. image.Objects.SelectMany(o => new[] { o.X0, o.Y0, o.X1, o.Y1 })]))];
    }

    /// <summary>Reads an image.</summary>
    public static RgbImage Read(string path)
    {
        using MLImage image = MLImage.CreateFromFile(path);
        return MLImagePixels.ToRgb(image);
    }

    /// <summary>What a detector reports of an image, as training would show it.</summary>
    public static Detections Detect(PublishedDetector detector, RgbImage image)
    {
        float[] pixels = AntialiasedResize.Resize(image, detector.InputSize);
        return Suppression.Detect(detector.Run(pixels, [new ImageSize(image.Width, image.Height)])[0].Predictions);
    }

    /// <summary>AP50 over the classes that both know.</summary>
    public static DetectionMetrics Evaluate(PublishedDetector detector)
    {
        IReadOnlyList<Photograph> photographs = Photographs();
        string[] classes = [.. photographs.SelectMany(photograph => photograph.Labels).Distinct().Order()];
        var aliases = new ClassAliases([]);
        int[] classOf = [.. detector.ClassNames
            .Select(name => Array.FindIndex(classes, other => aliases.Meaning(other) == aliases.Meaning(name)))];
        Assert.That(Enumerable.Range(0, classes.Length).Except(classOf), Is.Empty, "the detector knows all of VOC's classes");
        var images = new List<EvaluationImage>();
        foreach (Photograph photograph in photographs)
        {
            RgbImage image = Read(photograph.ImagePath);
            Detections found = Detect(detector, image);
            int[] kept = [.. Enumerable.Range(0, found.Count).Where(i => classOf[found.Labels[i]] >= 0)];
            images.Add(EvaluationImage.FromShares(
                image.Width, image.Height,
                [.. photograph.Boxes.Select((value, i) => value / (i % 2 == 0 ? image.Width : image.Height))],
                [.. photograph.Labels.Select(label => Array.IndexOf(classes, label))],
                [.. kept.SelectMany(i => found.Boxes[(4 * i)..(4 * i + 4)])],
                [.. kept.Select(i => found.Scores[i])], [.. kept.Select(i => classOf[found.Labels[i]])]));
        }

        return DetectionEvaluator.Evaluate(images, classes);
    }
}

/// <summary>A photograph and its objects.</summary>
/// <param name="Boxes">4N values in pixels.</param>
internal sealed record Photograph(string ImagePath, string[] Labels, float[] Boxes);
