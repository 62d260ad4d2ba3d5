using Microsoft.ML.Distillation.Drawing;
using Microsoft.ML.Distillation.Evaluation;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Reports;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>Made-up models and images for reports.</summary>
internal static class ReportScenes
{
    private static readonly string[] Names = ["cat", "dog <b>&\"'"];

    /// <summary>A teacher that finds all, a student alone that finds a third, a distilled one that finds two thirds.</summary>
    public static ReportContent Content(int images = 6, IReadOnlyList<SeedFigures>? aloneSeeds = null,
        IReadOnlyList<SeedFigures>? distilledSeeds = null)
    {
        ReportedImage[] all = [.. Enumerable.Range(0, images).Select(Image)];
        return new ReportContent("A <test> & report", [
            Model("teacher", DetectorRole.Teacher, all, 3, 4_000_000, 40),
            Model("student alone", DetectorRole.Alone, all, 1, 70_000, 4) with { Seeds = aloneSeeds ?? [] },
            Model("student distilled", DetectorRole.Distilled, all, 2, 70_000, 4.1) with { Seeds = distilledSeeds
                ?? [], Training = Training() },
        ])
        {
            Made = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
            Images = all,
            Command = "ml-distill distill --data \"a b\"",
            Pictures = 4,
        };
    }

    /// <summary>A training of a hundred steps.</summary>
    public static TrainingRecord Training() => new()
    {
        Terms = ["rpn class", "hint"],
        Losses = [.. Enumerable.Range(1, 20).Select(i => new LossPoint(5 * i, 0.002 * (21 - i) / 20, [1.0 / i, 0.5 / i]))],
        Validations = [.. Enumerable.Range(1, 4).Select(i => new ValidationPoint(25 * i, i, 0.1 * i, 0.2 * i))],
        Settings = new() { ["Seed"] = "7", ["Epochs"] = "4" },
        Data = [new DataSummary("train", 10, 30, Names, 0.2, 0.3) { ClassCounts = [20, 10] }],
        Versions = new() { ["ML.Distillation"] = "0" },
    };

    private static ReportedImage Image(int index)
    {
        ReportedBox[] truth = [.. Enumerable.Range(0, 3)
            .Select(k => new ReportedBox(Names[k % 2], 10 + 30 * k, 10 + index, 30 + 30 * k, 40 + index))];
        return new ReportedImage($"image{index}.png", new ImageSize(120, 90), truth, () =>
        {
            using var folder = new TemporaryFolder();
            var picture = new Picture(120, 90);
            picture.Fill(10, 10, 60, 40, new Color(200, (byte)(20 * index), 40));
            picture.Save(folder.Sub("a.png"));
            return new ReportThumbnail("image/png", File.ReadAllBytes(folder.Sub("a.png")));
        });
    }

    private static ReportedModel Model(string name, DetectorRole role, ReportedImage[] images, int finds, long parameters,
        double milliseconds)
    {
        ReportedBox[][] found = [.. images
            .Select((image, i) => (ReportedBox[])[.. image.Truth.Take(finds).Select(box => box with { Score = 0.9f }),
            .. i % 2 == 0 ? (ReportedBox[])[new ReportedBox("cat", 90, 60, 110, 80, 0.7f)] : []])];
        EvaluationImage[] evaluated = [.. images.Zip(found, (image, boxes) => new EvaluationImage(
            [.. image.Truth.Select(box => new TrueBox(new Box(box.X0, box.Y0, box.X1, box.Y1), Array.IndexOf(Names, box.Label)))],
            [.. boxes.Select(box => new DetectedBox(new Box(box.X0, box.Y0, box.X1, box.Y1), Array.IndexOf(Names, box.Label),
                box.Score!.Value))]))];
        return new ReportedModel(name, role)
        {
            Metrics = DetectionEvaluator.Evaluate(evaluated, Names),
            Parameters = parameters,
            Bytes = 4 * parameters,
            Milliseconds = milliseconds,
            Found = found,
        };
    }
}
