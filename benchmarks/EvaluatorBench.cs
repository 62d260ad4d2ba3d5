using Microsoft.ML.Distillation.Evaluation;

namespace Microsoft.ML.Distillation.Benchmarks;

/// <summary>The COCO evaluator on a set of the size that pycocotools was timed on.</summary>
internal static class EvaluatorBench
{
    private const int Classes = 80;

    /// <param name="threads">How many threads; -1 for all processors.</param>
    public static double Seconds(int threads)
    {
        var random = new Random(1);
        EvaluationImage[] images = [.. Enumerable.Range(0, 1000).Select(_ => Image(random))];
        string[] names = [.. Enumerable.Range(0, Classes).Select(c => $"class{c}")];
        return Report.MedianSeconds(() => CocoEvaluator.Evaluate(images, names, threads), 5);
    }

    private static EvaluationImage Image(Random random) => new(
        [.. Enumerable.Range(0, 7).Select(_ => new TrueBox(Somewhere(random), random.Next(Classes)))],
        [.. Enumerable.Range(0, 98).Select(_ => new DetectedBox(Somewhere(random), random.Next(Classes), random.NextSingle()))]);

    private static Box Somewhere(Random random)
    {
        (double x, double y) = (500 * random.NextDouble(), 400 * random.NextDouble());
        return new Box(x, y, x + 5 + 150 * random.NextDouble(), y + 5 + 150 * random.NextDouble());
    }
}
