using Microsoft.ML.Distillation.Evaluation;

namespace Microsoft.ML.Distillation.Tests.Evaluation;

/// <summary>Random ground truth with imperfect detections of it, no two scores alike.</summary>
internal static class Scenes
{
    public static (EvaluationImage[] Images, string[] Names) Draw(
        int seed, int images = 30, int classes = 5, int objects = 6, int detections = 12)
    {
        var random = new Random(seed);
        var scenes = new EvaluationImage[images];
        for (int i = 0; i < images; i++)
        {
            TrueBox[] truth = [.. Enumerable.Range(0, objects).Select(_ => new TrueBox(DrawBox(random), random.Next(classes)))];
            var found = new DetectedBox[detections];
            for (int d = 0; d < detections; d++)
            {
                TrueBox like = truth[random.Next(objects)];
                bool real = random.NextDouble() < .7;
                found[d] = new DetectedBox(
                    real ? Shake(like.Box, random) : DrawBox(random), real ? like.Label
                        : random.Next(classes), .01 + .99 * random.NextDouble());
            }

            scenes[i] = new EvaluationImage(truth, found);
        }

        return (scenes, [.. Enumerable.Range(0, classes).Select(c => $"class {c}")]);
    }

    public static EvaluationImage[] Perfect(EvaluationImage[] images)
        => [.. images.Select(image => image with { Detections =
            [.. image.Truth.Select((box, i) => new DetectedBox(box.Box, box.Label, 1.0 / (i + 1)))] })];

    public static EvaluationImage[] Shuffle(EvaluationImage[] images, int seed)
    {
        var random = new Random(seed);
        EvaluationImage[] shuffled = [.. images.Select(image => new EvaluationImage([.. image.Truth], [.. image.Detections]))];
        random.Shuffle(shuffled);
        foreach (EvaluationImage image in shuffled)
        {
            random.Shuffle(image.Truth);
            random.Shuffle(image.Detections);
        }

        return shuffled;
    }

    public static EvaluationImage[] Relabel(EvaluationImage[] images, int[] labels)
        => [.. images.Select(image => new EvaluationImage(
            [.. image.Truth.Select(box => box with { Label = labels[box.Label] })],
            [.. image.Detections.Select(box => box with { Label = labels[box.Label] })]))];

    public static void AssertSame(CocoMetrics actual, CocoMetrics expected)
    {
        foreach (System.Reflection.PropertyInfo figure in typeof(CocoMetrics).GetProperties().Where(p => p.PropertyType == typeof(double)))
            Assert.That((double)figure.GetValue(actual)!, Is.EqualTo((double)figure.GetValue(expected)!).Within(1e-12), figure.Name);
    }

    private static Box DrawBox(Random random)
    {
        double x = random.NextDouble() * 500, y = random.NextDouble() * 400;
        double size = 8 + 120 * random.NextDouble() * random.NextDouble();
        return new Box(x, y, x + size, y + size * (.5 + random.NextDouble()));
    }

    private static Box Shake(Box box, Random random)
    {
        double Off(double size) => (random.NextDouble() - .5) * .3 * size;
        return new Box(box.X0 + Off(box.Width), box.Y0 + Off(box.Height), box.X1 + Off(box.Width), box.Y1 + Off(box.Height));
    }
}
