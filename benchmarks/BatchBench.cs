using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.OnnxRuntime;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Benchmarks;

/// <summary>
/// A folder of photos through a student, beside bare sessions of ONNX Runtime: as many of one thread as there are cores, each with its
/// share of the files to decode.
/// </summary>
internal static class BatchBench
{
    private const int Photos = 24, Repeats = 5;

    public static void Run()
    {
        string folder = Directory.CreateTempSubdirectory("batch-bench").FullName;
        try
        {
            string[] photos = [.. Enumerable.Range(0, Photos).Select(i => Path.Combine(folder, $"{i:00}.jpg"))];
            for (int i = 0; i < Photos; i++) File.WriteAllBytes(photos[i], DrawnPhotos.Draw(640, 480, i).Jpeg);
            Console.WriteLine($"{Photos} photos of 640×480 from their files, images a second, {Environment.ProcessorCount} cores; "
                + $"the ratio is to bare sessions:");
            Row("one-stage, ShuffleNetV2 ×0.5 at 320", DetectorPlan.OneStage(Backbone.ShuffleNetV2_x0_5, 320, 320), folder, photos);
            Row("one-stage, ResNet-18 at 320", DetectorPlan.OneStage(Backbone.ResNet18, 320, 320), folder, photos);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Row(string name, DetectorPlan plan, string folder, string[] photos)
    {
        random.manual_seed(1);
        string[] classes = [.. Enumerable.Range(0, 20).Select(i => $"class{i}")];
        using Detector detector = plan.Build(new DataStatistics(100, 3, 4f / 3, [.1f, .1f, .3f, .3f], [.1f, .1f, .3f, .3f], classes));
        string onnx = Path.Combine(folder, "student.onnx"), zip = Path.Combine(folder, "student.zip");
        OnnxModelFile model = DetectorFile.Export(detector);
        File.WriteAllBytes(onnx, model.ToBytes());
        TrainedDetector.FromModel(onnx).SavePipeline(zip);

        var mlContext = new MLContext();
        ITransformer pipeline = mlContext.Model.Load(zip, out _);
        using var whenDone = (IDisposable)pipeline;
        using ObjectDetector usual = ObjectDetector.Load(onnx);
        using ObjectDetector oneThread = ObjectDetector.Load(onnx, new ObjectDetectorOptions { Threads = 1 });
        InferenceSession[] bare = [.. Enumerable.Range(0, Environment.ProcessorCount).Select(_ => BareSession(model))];
        (string Name, Action Run)[] ways =
        [
            ("bare sessions", () => Bare(bare, photos)),
            ("ObjectDetector.Detect of a list", () => usual.Detect(photos)),
            ("ObjectDetector.Detect of a list, one thread", () => oneThread.Detect(photos)),
            ("ObjectDetector.Detect in Parallel.ForEach, one thread", () => Parallel.ForEach(photos, photo => oneThread.Detect(photo))),
            ("ML.NET pipeline, one cursor", () => Rows(mlContext, pipeline, photos)),
            ("ML.NET pipeline, a cursor a core", () => photos.Chunk(8).AsParallel().ForAll(part => Rows(mlContext, pipeline, part))),
        ];
        double[] seconds = Report.MedianSeconds(Repeats, [.. ways.Select(way => way.Run)]);
        Console.WriteLine(name);
        foreach ((string way, double time) in ways.Select(way => way.Name).Zip(seconds))
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"  {way,-56} {photos.Length / time,8:0.0}   ratio {seconds[0] / time:0.00}"));
        }

        foreach (InferenceSession session in bare) session.Dispose();
    }

    private static InferenceSession BareSession(OnnxModelFile model)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1 };
        return new InferenceSession(model.ToBytes(), options);
    }

    private static void Bare(InferenceSession[] sessions, string[] photos) => Parallel.For(0, sessions.Length, core =>
    {
        for (int i = core; i < photos.Length; i += sessions.Length)
        {
            RgbImage image = ImageFile.Read(photos[i]);
            using OrtValue pixels = OrtValue.CreateTensorValueFromMemory(image.Pixels, [1, image.Pixels.Length]);
            using OrtValue size = OrtValue.CreateTensorValueFromMemory(new long[] { image.Height, image.Width }, [1, 2]);
            using var options = new RunOptions();
            using var found = sessions[core].Run(
                options, new Dictionary<string, OrtValue> { ["pixels"] = pixels, ["size"] = size }, sessions[core].OutputNames);
        }
    });

    private static void Rows(MLContext mlContext, ITransformer pipeline, string[] photos)
    {
        IDataView rows = mlContext.Data.LoadFromEnumerable(photos.Select(photo => new Photo { ImagePath = photo }));
        foreach (Found found in mlContext.Data.CreateEnumerable<Found>(pipeline.Transform(rows), reuseRowObject: true))
            ArgumentNullException.ThrowIfNull(found.Score);
    }

    private sealed class Photo
    {
        public string ImagePath { get; set; } = "";
    }

    private sealed class Found
    {
        [VectorType]
        public float[] Score { get; set; } = [];

        [VectorType]
        public float[] PredictedBoundingBoxes { get; set; } = [];
    }
}
