using Microsoft.ML.Distillation.Evaluation;

namespace Microsoft.ML.Distillation.Tests.Evaluation;

/// <summary>Random streets: objects of all of KITTI's difficulties and regions that nobody annotated, with imperfect detections.</summary>
internal static class KittiScenes
{
    public static readonly string[] Names = ["Car", "Van", "Pedestrian", "Person_sitting", "Cyclist", "Tram"];

    public static EvaluationImage[] Draw(int seed, int images = 100)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, images).Select(_ => DrawImage(random))];
    }

    /// <summary>Objects side by side, so that no detection fits two of them.</summary>
    public static EvaluationImage[] DrawApart(int seed, int images = 100)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, images).Select(_ => new EvaluationImage(
            [.. Enumerable.Range(0, 8).Select(i => DrawObject(random, 150 * i))], []))];
    }

    public static EvaluationImage[] Perfect(EvaluationImage[] images)
        => [.. images.Select((image, i) => image with
        {
            Detections = [.. image.Truth.Select((box, j) => new DetectedBox(box.Box, box.Label, 1.0 / (1 + i + 1000.0 * j)))],
        })];

    private static EvaluationImage DrawImage(Random random)
    {
        var truth = new List<TrueBox>();
        for (int i = 0; i < 8; i++) truth.Add(DrawObject(random, 1000 * random.NextDouble()));
        truth.Add(new TrueBox(DrawBox(random, 1000 * random.NextDouble(), 150), TrueBox.EveryClass) { DontCare = true });
        var found = new List<DetectedBox>();
        for (int i = 0; i < 20; i++)
        {
            TrueBox like = truth[random.Next(truth.Count)];
            bool real = random.NextDouble() < .7;
            Box box = real ? Shake(like.Box, random) : DrawBox(random, 1000 * random.NextDouble(), 90);
            int label = real && like.Label >= 0 && random.NextDouble() < .9 ? like.Label : random.Next(Names.Length);
            double score = (real ? .3 : .05) + .6 * random.NextDouble();
            found.Add(new DetectedBox(box, label, score));
        }

        return new EvaluationImage([.. truth], [.. found]);
    }

    private static TrueBox DrawObject(Random random, double x)
        => new(DrawBox(random, x, 90), random.Next(Names.Length))
        {
            Occlusion = Math.Max(0, random.Next(7) - 3),
            Truncation = Math.Max(0, random.NextDouble() - .5),
        };

    private static Box DrawBox(Random random, double x, double most)
    {
        double y = 300 * random.NextDouble(), height = 20 + (most - 20) * random.NextDouble();
        return new Box(x, y, x + height * (.6 + random.NextDouble()), y + height);
    }

    private static Box Shake(Box box, Random random)
    {
        double Off(double size) => (random.NextDouble() - .5) * .2 * size;
        return new Box(box.X0 + Off(box.Width), box.Y0 + Off(box.Height), box.X1 + Off(box.Width), box.Y1 + Off(box.Height));
    }
}
