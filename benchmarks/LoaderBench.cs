using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Benchmarks;

/// <summary>
/// What an epoch takes longer because its images are decoded from their files as it goes, beside the same steps on batches that are ready,
/// by the clock and by the processors' time, which tells the same on a machine that does other things too.
/// </summary>
internal static class LoaderBench
{
    private const int Images = 16, Batch = 2, Width = 640, Height = 480, Input = 320;

    public static void Run()
    {
        string folder = Directory.CreateTempSubdirectory("loader-bench").FullName;
        try
        {
            Run(folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Run(string folder)
    {
        NativeHeap.KeepFreedMemory();
        var context = new MLContext(1);
        IDataView files = context.Data.LoadFromEnumerable(Enumerable.Range(0, Images).Select(i => Write(folder, i)).ToArray());
        IDataView view = context.Transforms.LoadUprightImages("Image", inputColumnName: "ImagePath")
            .Append(context.Transforms.Conversion.MapValueToKey("Label")).Fit(files).Transform(files);
        using SampleStore store = new DataViewIngest(new() { CacheBytes = 0 }).Read(view);
        var loader = new BatchLoader(store, [new ImageSize(Input, Input)], Batch, new AugmentationOptions(), wholeBatches: true);
        DetectionBatch[] ready = [.. loader.Epoch(1, 0, shuffle: true)];
        using Detector detector = DetectorPlan.FasterRcnn(Backbone.ResNet18 with { Weights = PretrainedWeights.None }, Input, Input)
            .Build(DataStatistics.Of(store));
        using var objective = new TwoStageObjective((FasterRcnn)detector, 0, null, null, CPU);
        var options = new TrainingOptions { Epochs = 1, Seed = 1, BatchSize = Batch };
        var plan = TrainingPlan.For(options, Images, detector.parameters().Sum(p => p.numel()));
        using var state = new TrainingState(objective, options, plan);
        detector.train();
        int step = 0;
        var processor = new List<double>[] { [], [], [] };
        double[] seconds = Report.MedianSeconds(
            3,
            () => Timed(0, () => Epoch(ready, owned: false)),
            () => Timed(1, () => Epoch(loader.Epoch(1, 0, shuffle: true), owned: true)),
            () => Timed(2, () =>
            {
                foreach (DetectionBatch batch in loader.Epoch(1, 0, shuffle: true)) batch.Dispose();
            }));
        // The first was to warm up.
        double[] spent = [.. processor.Select(times => times.Skip(1).Order().ElementAt(1))];
        foreach (DetectionBatch batch in ready) batch.Dispose();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"an epoch of {Images} JPEGs of {Width}×{Height}, Faster R-CNN ResNet-18 at {Input}, {Environment.ProcessorCount} cores: from "
            + $"files {seconds[1]:0.00} s ({spent[1]:0.00} s of processors), on batches that are ready {seconds[0]:0.00} s "
            + $"({spent[0]:0.00} s); the loader alone takes {spent[2]:0.00} s of processors, "
            + $"{100 * spent[2] / spent[1]:0.0} % of the epoch's, and gives {Images / spent[2]:0} images for each second of one"));

        void Timed(int which, Action action)
        {
            using var process = Process.GetCurrentProcess();
            TimeSpan before = process.TotalProcessorTime;
            action();
            process.Refresh();
            processor[which].Add((process.TotalProcessorTime - before).TotalSeconds);
        }

        void Epoch(IEnumerable<DetectionBatch> batches, bool owned)
        {
            foreach (DetectionBatch batch in batches)
            {
                using (var scope = NewDisposeScope())
                {
                    LossSum loss = LossSum.Of(objective.Compute(batch.Annotations, batch.Views[0], teacher: null));
                    state.Parameters.Gradients.zero_();
                    loss.Total.backward();
                    loss.ReadFinite(state.Parameters.Gradients, ++step);
                    state.Optimizer.Step(1e-4, step);
                }

                if (owned) batch.Dispose();
            }
        }
    }

    private static Example Write(string folder, int seed)
    {
        (byte[] jpeg, float[] box) = DrawnPhotos.Draw(Width, Height, seed);
        string path = Path.Combine(folder, $"{seed}.jpg");
        File.WriteAllBytes(path, jpeg);
        return new Example { ImagePath = path, BoundingBoxes = box };
    }

    private sealed class Example
    {
        public string ImagePath { get; set; } = "";

        public string[] Label { get; set; } = ["disc"];

        public float[] BoundingBoxes { get; set; } = [];
    }
}
