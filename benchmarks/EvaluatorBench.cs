using System.Globalization;
using Microsoft.ML.Distillation.Evaluation;

namespace Microsoft.ML.Distillation.Benchmarks;

/// <summary>The COCO evaluator on a set of the size that pycocotools was timed on.</summary>
internal static class EvaluatorBench
{
    private const int Classes = 80;

    private static readonly string[] Names = [.. Enumerable.Range(0, Classes).Select(c => $"class{c}")];

    /// <summary>Prints the time, and the memory for one, two, four and eight times as much.</summary>
    public static void Run()
    {
        Console.WriteLine("COCO evaluation of 1,000 images, 7,000 boxes, 98,000 detections, 80 classes (pycocotools on such a machine: "
            + "13.6 s)");
        foreach ((string name, int threads) in ((string, int)[])[("one thread", 1), ("all threads", -1)])
        {
            EvaluationImage[] images = Images(1000);
            Report.Time($"  on {name}", Report.MedianSeconds(() => CocoEvaluator.Evaluate(images, Names, threads), 5));
            foreach (int times in (int[])[1, 2, 4, 8]) PrintMemory(Images(1000 * times), threads);
        }
    }

    /// <summary>All that an evaluation allocates, which its peak cannot exceed; linear where the last column stays.</summary>
    private static void PrintMemory(EvaluationImage[] images, int threads)
    {
        CocoEvaluator.Evaluate(images, Names, threads);
        long before = GC.GetTotalAllocatedBytes(precise: true);
        CocoEvaluator.Evaluate(images, Names, threads);
        long allocated = GC.GetTotalAllocatedBytes(precise: true) - before, detections = images.Sum(image => (long)image.Detections.Length);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"    {detections,8:N0} detections: {allocated / 1e6,6:0.0} MB allocated, {(double)allocated / detections:0} bytes a "
                + $"detection"));
    }

    private static EvaluationImage[] Images(int count)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, count).Select(_ => Image(random))];
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
