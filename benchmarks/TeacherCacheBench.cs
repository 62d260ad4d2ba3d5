using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Teachers.Onnx;
using Microsoft.ML.Distillation.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Benchmarks;

/// <summary>An epoch under an ONNX teacher whose answers are all in its cache, beside the same student's epoch without a teacher.</summary>
internal static class TeacherCacheBench
{
    private const int Images = 32;
    private const int Predictions = 2000;
    private const int Classes = 20;
    private const int Repeats = 9;
    private const double Bound = 1.2;

    private static readonly string[] Names = [.. Enumerable.Range(0, Classes).Select(c => $"class{c}")];

    public static void Run()
    {
        int threads = get_num_threads();
        string folder = Directory.CreateTempSubdirectory("teacher-cache-bench").FullName;
        try
        {
            string teacher = Path.Combine(folder, "teacher.onnx");
            File.WriteAllBytes(teacher, Teacher());
            using SampleStore images = Store();
            // On one thread: several wait for one another at every small operation, and on a busy machine that is all that is measured.
            set_num_threads(1);
            Report("Faster R-CNN, ShuffleNetV2 ×0.5", DetectorPlan.FasterRcnn(Backbone.ShuffleNetV2_x0_5, 320), images, teacher, folder);
            Report("one-stage, ShuffleNetV2 ×0.5", DetectorPlan.OneStage(Backbone.ShuffleNetV2_x0_5, 320), images, teacher, folder);
        }
        finally
        {
            set_num_threads(threads);
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Report(string name, DetectorPlan plan, SampleStore images, string path, string folder)
    {
        var options = new OnnxTeacherOptions { CacheDirectory = Path.Combine(folder, "cache") };
        using var teacher = new CachedOnnxTeacher(
            new OnnxTeacher(path, OnnxDetectorFormat.Ssd, Names, options, Names),
            new AnswerCache(options.CacheDirectory, OnnxFingerprint.Of(path, OnnxDetectorFormat.Ssd, Names, options), options.CacheBytes));
        using Detector alone = plan.Build(DataStatistics.Of(images)), taught = plan.Build(DataStatistics.Of(images));
        using IObjective supervised = Objective(alone, null), distilled = Objective(taught, teacher);
        Epoch(supervised, null, images);
        Epoch(distilled, teacher, images);
        int looks = teacher.Looks;
        var (times, plain) = (new double[Repeats], new double[Repeats]);
        var (cpu, plainCpu) = (0.0, 0.0);
        for (int i = 0; i < Repeats; i++)
        {
            // One after the other, so that whatever else the machine does hits both.
            double start = ProcessorSeconds();
            plain[i] = Benchmarks.Report.Seconds(() => Epoch(supervised, null, images));
            double between = ProcessorSeconds();
            times[i] = Benchmarks.Report.Seconds(() => Epoch(distilled, teacher, images));
            plainCpu += between - start;
            cpu += ProcessorSeconds() - between;
        }

        double[] ratios = [.. times.Zip(plain, (time, without) => time / without).Order()];
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{name}: an epoch of {Images} images on one thread {times.Min():0.00} s with the cache, {plain.Min():0.00} s without a "
                + $"teacher; ratio {times.Min() / plain.Min():0.00} "
            + $"(of pairs: median {ratios[Repeats / 2]:0.00}, {ratios[0]:0.00} to {ratios[^1]:0.00}), of the processor's time "
                + $"{cpu / plainCpu:0.00}; bound {Bound}; the model looked at {looks} images, then at {teacher.Looks - looks}"));
    }

    private static IObjective Objective(Detector student, ITeacher? teacher) => student is FasterRcnn twoStage
        ? new TwoStageObjective(twoStage, 0, teacher is null ? null : new LossSelection(), teacher, CPU)
        : new OneStageObjective((OneStageDetector)student, 0, teacher is null ? null : new LossSelection(), teacher, CPU);

    private static void Epoch(IObjective objective, ITeacher? teacher, IDetectionDataset images)
        => new TrainingLoop([(objective, new TrainingOptions { Epochs = 1, Seed = 1, BatchSize = 8 })], teacher, images, null, CPU).Run();

    private static double ProcessorSeconds()
    {
        using Process process = Process.GetCurrentProcess();
        return process.TotalProcessorTime.TotalSeconds;
    }

    /// <summary>Images of VOC's size with three objects each.</summary>
    private static SampleStore Store()
    {
        var builder = new SampleStoreBuilder(Names, 1 << 30);
        var random = new Random(1);
        for (int i = 0; i < Images; i++)
        {
            var pixels = new byte[3 * 500 * 375];
            random.NextBytes(pixels);
            float[] boxes = [.. Enumerable.Range(0, 3).SelectMany(_ => Box(random))];
            builder.Add(new RgbImage(500, 375, pixels),
                new Annotation(boxes, [.. Enumerable.Range(0, 3).Select(_ => random.Next(Classes))]));
        }

        return builder.Build();
    }

    /// <summary>A detector that predicts as many boxes as SSD's, of which sixty are above the noise and twelve sure.</summary>
    private static byte[] Teacher()
    {
        var random = new Random(2);
        float[] boxes = [.. Enumerable.Range(0, Predictions).SelectMany(_ => Box(random))], scores = new float[Predictions * (Classes + 1)];
        for (int i = 0; i < Predictions; i++)
        {
            float best = i < 12 ? 0.8f : i < 60 ? 0.2f : 0.01f;
            scores[i * (Classes + 1)] = 1 - best;
            scores[i * (Classes + 1) + 1 + random.Next(Classes)] = best;
        }

        var graph = new GraphBuilder();
        string image = graph.Input("images", TensorProto.Types.DataType.Float, "batch", 3, 320, 320);
        string mean = graph.Add("ReduceMean", [image, graph.Integers(1, 2, 3)], ("keepdims", 0));
        Output("scores", scores, Classes + 1);
        Output("boxes", boxes, 4);
        return new OnnxModelFile(graph.Build([])).ToBytes();

        void Output(string name, float[] values, int columns)
        {
            // Nothing of the brightness, but a batch's axis.
            string none = graph.Add("Mul", [graph.Add("Reshape", [mean, graph.Integers(-1, 1, 1)]), graph.Scalar(0f)]);
            graph.Output(name, graph.Add("Add", [none, graph.Floats(values, [1, Predictions, columns])]), TensorProto.Types.DataType.Float,
                "batch", Predictions, columns);
        }
    }

    private static float[] Box(Random random)
    {
        (float x, float y) = (0.6f * random.NextSingle(), 0.6f * random.NextSingle());
        return [x, y, x + 0.1f + 0.3f * random.NextSingle(), y + 0.1f + 0.3f * random.NextSingle()];
    }
}
