using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Benchmarks;

/// <summary>
/// Training on 100,000 JPEGs that are decoded together would take 23 GB: the time to the first step, the speed beside that of the loader
/// alone, and memory. The network is so small that the loader decides.
/// </summary>
internal static class ManyImagesBench
{
    private const int Images = 100_000, Pictures = 2_000, Width = 320, Height = 240, Batch = 32, TrainedImages = 24_000, Input = 64;

    public static void Run()
    {
        string folder = Directory.CreateTempSubdirectory("many-images-bench").FullName;
        try
        {
            Write(folder);
            Train(folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Train(string folder)
    {
        var context = new MLContext(1);
        var seconds = Stopwatch.StartNew();
        using var enough = new CancellationTokenSource();
        double first = 0, speed = 0;
        var memory = new List<string>();
        var progress = new AtStep(report =>
        {
            if (report.EpochEnd) return;
            if (report.Step == 1) first = seconds.Elapsed.TotalSeconds;
            if (report.Step * Batch % 4_000 < Batch) memory.Add(Megabytes());
            speed = report.ImagesPerSecond;
            if (report.Step * Batch >= TrainedImages) enough.Cancel();
        });
        IDataView files = context.Data.LoadDetections(folder, DetectionFormat.Coco, split: "train");
        IDataView view = context.Transforms.LoadUprightImages("Image", inputColumnName: "ImagePath")
            .Append(context.Transforms.Conversion.MapValueToKey("Label")).Fit(files).Transform(files);
        using (context.Transforms.TrainDetector(new TrainDetectorOptions
        {
            Detector = DetectorPlan.FasterRcnn(Backbone.Plain(4, 8, 8), Input),
            Epochs = 1,
            BatchSize = Batch,
            Seed = 1,
            CacheBytes = 256L << 20,
            Progress = progress,
            CancellationToken = enough.Token,
        }).Fit(view))
        {
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"Decoded one after another beforehand {Images:N0} JPEGs of {Width}×{Height} would take {Beforehand(view):0} s."));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Images:N0} JPEGs of {Width}×{Height}: the first step is made {first:0} s after the data are opened; then {speed:0} "
            + $"images/s, {speed / LoaderSpeed(view):P0} of the loader alone; memory every 4,000 images, MB: {string.Join(" ", memory)}"));
    }

    /// <summary>The seconds that all images would take to be decoded as rows of the data, from so many of them.</summary>
    private static double Beforehand(IDataView view)
    {
        const int Tried = 500;
        using var rows = new RowReader(view, new RowColumns { Image = "Image" });
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < Tried && rows.MoveNext(); i++) rows.ReadImage();
        return Stopwatch.GetElapsedTime(start).TotalSeconds * Images / Tried;
    }

    /// <summary>Images a second that are decoded and resized where nobody trains on them.</summary>
    private static double LoaderSpeed(IDataView view)
    {
        using SampleStore store = new DataViewIngest(new() { CacheBytes = 0 }).Read(view);
        var loader = new BatchLoader(store, [new ImageSize(Input, Input * Height / Width)], Batch, new AugmentationOptions());
        const int Batches = 100;
        long start = Stopwatch.GetTimestamp();
        foreach (DetectionBatch batch in loader.Epoch(1, 0, shuffle: true).Take(Batches)) batch.Dispose();
        return Batches * Batch / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static void Write(string folder)
    {
        // Every picture comes many times, under other names: what is measured does not know.
        var pictures = new (byte[] Jpeg, float[] Box)[Pictures];
        Parallel.For(0, Pictures, i => pictures[i] = DrawnPhotos.Draw(Width, Height, i));
        Directory.CreateDirectory(Path.Combine(folder, "annotations"));
        Directory.CreateDirectory(Path.Combine(folder, "train"));
        Parallel.For(0, Images, i => File.WriteAllBytes(Path.Combine(folder, "train", Name(i)), pictures[i % Pictures].Jpeg));
        using FileStream file = File.Create(Path.Combine(folder, "annotations", "instances_train.json"));
        using var json = new Utf8JsonWriter(file);
        json.WriteStartObject();
        json.WriteStartArray("categories");
        json.WriteRawValue("""{"id":1,"name":"disc"}""");
        json.WriteEndArray();
        json.WriteStartArray("images");
        for (int i = 0; i < Images; i++)
            json.WriteRawValue(JsonSerializer.Serialize(new { id = i + 1, file_name = Name(i), width = Width, height = Height }));
        json.WriteEndArray();
        json.WriteStartArray("annotations");
        for (int i = 0; i < Images; i++)
        {
            float[] box = pictures[i % Pictures].Box;
            json.WriteRawValue(JsonSerializer.Serialize(new
            {
                id = i + 1,
                image_id = i + 1,
                category_id = 1,
                iscrowd = 0,
                bbox = (float[])[box[0], box[1], box[2] - box[0], box[3] - box[1]],
            }));
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static string Name(int index) => string.Create(CultureInfo.InvariantCulture, $"{index:000000}.jpg");

    private static string Megabytes()
    {
        using Process process = Process.GetCurrentProcess();
        return (process.WorkingSet64 >> 20).ToString(CultureInfo.InvariantCulture);
    }

    private sealed class AtStep(Action<TrainingProgress> action) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => action(value);
    }
}
