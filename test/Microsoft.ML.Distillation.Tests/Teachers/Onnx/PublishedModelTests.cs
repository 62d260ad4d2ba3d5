using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Teachers.Onnx;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Teachers.Onnx;

public class PublishedModelTests
{
    /// <summary>Measured: 0.502. Its authors' figure on COCO is 0.341 over 80 classes and smaller objects.</summary>
    [Test]
    public void FastestDet_FindsWhatPhotographsShow()
    {
        using var detector = new PublishedDetector(
            TestData.Model("fastestdet.onnx"), OnnxDetectorFormat.Auto, ClassNameFile.Read(TestData.Model("coco.names")),
            new OnnxTeacherOptions(), floor: 0.01f);
        Assert.That(detector.Format, Is.EqualTo(OnnxDetectorFormat.FastestDet));

        DetectionMetrics metrics = PublishedModels.Evaluate(detector);

        TestContext.Out.WriteLine($"AP {metrics.Coco.AveragePrecision:F3}, AP50 {metrics.Coco.AveragePrecision50:F3} over "
            + $"{metrics.Classes.Count} classes");
        Assert.That(metrics.Coco.AveragePrecision50, Is.GreaterThan(0.48));
    }

    /// <summary>Measured over all 100 photographs: 42 of 50 faces lie in the upper half of an annotated person.</summary>
    [Test]
    public void UltraFace_FindsFaces_WherePersonsAre()
    {
        using var detector = new PublishedDetector(TestData.Model("ultraface-rfb320.onnx"), OnnxDetectorFormat.Auto, ["face"],
            new OnnxTeacherOptions());
        Assert.That(detector.Format, Is.EqualTo(OnnxDetectorFormat.Ssd));
        int faces = 0, onPersons = 0;
        foreach (Photograph photograph in PublishedModels.Photographs().Where(p => p.Labels.Contains("person")))
        {
            RgbImage image = PublishedModels.Read(photograph.ImagePath);
            Detections found = PublishedModels.Detect(detector, image);
            foreach (int i in Enumerable.Range(0, found.Count).Where(i => found.Scores[i] > 0.9))
            {
                float x = (found.Boxes[4 * i] + found.Boxes[4 * i + 2]) / 2 * image.Width,
                y = (found.Boxes[4 * i + 1] + found.Boxes[4 * i + 3]) / 2 * image.Height;
                faces++;
                if (Enumerable.Range(0, photograph.Labels.Length)
                    .Any(p => photograph.Labels[p] == "person" && IsInUpperHalf(x, y, photograph.Boxes.AsSpan(4 * p, 4)))) onPersons++;
            }
        }

        TestContext.Out.WriteLine($"{onPersons} of {faces} faces");
        Assert.That(onPersons, Is.GreaterThanOrEqualTo(40));
        Assert.That((double)onPersons / faces, Is.GreaterThan(0.85));
    }

    [Test]
    public void OwnConfidentBoxes_GetTheirOwnProbabilities()
    {
        IReadOnlyList<string> names = ClassNameFile.Read(TestData.Model("coco.names"));
        var options = new OnnxTeacherOptions();
        using var teacher = new OnnxTeacher(TestData.Model("fastestdet.onnx"), OnnxDetectorFormat.Auto, names, options, names);
        using var detector = new PublishedDetector(TestData.Model("fastestdet.onnx"), OnnxDetectorFormat.Auto, names, options);
        RgbImage[] photographs = [.. PublishedModels.Photographs().Take(4).Select(p => PublishedModels.Read(p.ImagePath))];
        float[] pixels = [.. photographs.SelectMany(p => AntialiasedResize.Resize(p, teacher.InputSize))];
        using Tensor images = tensor(pixels, [4, 3, 352, 352]);
        ImageSize[] sizes = [.. photographs.Select(p => new ImageSize(p.Width, p.Height))];

        DensePredictions[] own = [.. detector.Run(pixels, sizes).Select(d => d.Predictions)];
        int[][] confident = [.. own.Select(p => Enumerable.Range(0, p.Count).Where(i => p.Confidences[i] >= detector.ConfidentScore)
            .ToArray())];
        using ITeacherView view = teacher.View(images, sizes);
        BoxScores scores = view.ScoreBoxes(
            [.. own.Zip(confident, (p, rows) => TensorArrays.Boxes([.. rows.SelectMany(i => p.Boxes[(4 * i)..(4 * i + 4)])], CPU))]);

        float[] expected = [.. own.Zip(confident, (p, rows) => rows.SelectMany(i => p.Probabilities[(80 * i)..(80 * i + 80)]))
            .SelectMany(row => row)];
        Assert.That(confident.Sum(rows => rows.Length), Is.GreaterThan(10));
        Assert.That(TensorArrays.Floats(scores.Probabilities.narrow(1, 1, 80)), Is.EqualTo(expected).AsCollection.Within(1e-6f));
        Assert.That(scores.Known!.data<bool>().ToArray(), Is.All.True);
    }

    private static bool IsInUpperHalf(float x, float y, ReadOnlySpan<float> box)
        => x >= box[0] && x <= box[2] && y >= box[1] && y <= (box[1] + box[3]) / 2;
}
