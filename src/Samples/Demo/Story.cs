using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.Distillation.Samples.Demo.Scenes;

namespace Microsoft.ML.Distillation.Samples.Demo;

/// <summary>The whole story on one page: a teacher, a compact student that learns alone, and the same student that learns from the
/// teacher.</summary>
internal static class Story
{
    /// <summary>Trains the three, shows a table of them and leaves models and pictures.</summary>
    public static void Tell(DemoOptions options)
    {
        var watch = Stopwatch.StartNew();
        string data = options.Data ?? options.Draw ?? Path.Combine(options.Output, "data");
        if (Directory.Exists(options.Draw) && Directory.EnumerateFileSystemEntries(options.Draw).Any())
            throw new IOException($"'{options.Draw}' is not empty: --draw takes a new folder.");
        if (options.Data is null)
        {
            SceneDataSet.Write(data, options.Seed, SceneDataSet.Splits);
            Console.WriteLine($"drew {SceneDataSet.Splits.Sum(split => split.Scenes)} scenes into {data}");
        }

        if (options.Draw is not null) return;

        var mlContext = new MLContext(options.Seed);
        IDataView train = mlContext.Data.LoadDetections(data, split: ChooseSplit("train"));
        var loadImages = mlContext.Transforms.LoadUprightImages("Image", inputColumnName: "ImagePath").Fit(train);
        var toKeys = mlContext.Transforms.Conversion.MapValueToKey("Label").Fit(train);
        IDataView Prepare(IDataView view) => toKeys.Transform(loadImages.Transform(view));
        IDataView? validation = ChooseSplit("val") is not null ? Prepare(mlContext.Data.LoadDetections(data, split: "val")) : null;

        // What would only show after the training is looked at before it.
        IDataView annotated = mlContext.Data.LoadDetections(data, split: ChooseSplit("test", "val"));
        TestImage[] test = [.. mlContext.Data.CreateEnumerable<TestImage>(annotated, reuseRowObject: false).Where(CanBeRead)];
        Directory.CreateDirectory(options.Output);

        // A teacher of some size, and a student of a few convolutions that cannot quite follow it by itself.
        // Both start from random parameters, so that the demo shows the same on every machine.
        Backbone wide = Backbone.Plain(16, 32, 64, 96, 96) with { Weights = PretrainedWeights.None };
        Backbone narrow = Backbone.Plain(8, 16, 24, 32) with { Weights = PretrainedWeights.None };
        DetectorPlan large = DetectorPlan.FasterRcnn(wide, inputSize: 192);
        DetectorPlan small = DetectorPlan.FasterRcnn(narrow, inputSize: 128);

        string teacherPath = Fit("teacher", "teacher", progress => mlContext.Transforms.TrainDetector(new TrainDetectorOptions
        {
            Detector = large,
            Epochs = options.Epochs ?? 24,
            Seed = options.Seed,
            ValidationSet = validation,
            OnInvalidSample = InvalidSampleHandling.Skip,
            Progress = progress,
        }));

        // The student alone and the distilled student start from the same weights and see the same batches.
        string alonePath = Fit("student alone", "student-alone", progress => mlContext.Transforms.TrainDetector(new TrainDetectorOptions
        {
            Detector = small,
            Epochs = options.Epochs ?? 40,
            Seed = options.Seed,
            ValidationSet = validation,
            OnInvalidSample = InvalidSampleHandling.Skip,
            Progress = progress,
        }));
        string studentPath = Fit("student distilled", "student", progress => mlContext.Transforms.DistillDetector(new DistillDetectorOptions
        {
            Teacher = Teacher.FromModel(teacherPath),
            Student = small,
            Epochs = options.Epochs ?? 40,
            Seed = options.Seed,
            ValidationSet = validation,
            OnInvalidSample = InvalidSampleHandling.Skip,
            Progress = progress,
        }));
        mlContext.Model.Load(studentPath, out _).SaveOnnx(Path.ChangeExtension(studentPath, ".onnx"));

        (string Name, string Path)[] models = [("teacher", teacherPath), ("student alone", alonePath), ("student distilled", studentPath)];
        var found = new List<(string, IReadOnlyList<IReadOnlyList<Detection>>)>();
        string[] classNames = [.. test.SelectMany(image => image.Label).Distinct().Order(StringComparer.Ordinal)];
        Console.WriteLine();
        Console.WriteLine($"{"model",-20}{"AP",6}{"AP50",6}{"parameters",12}{"MB",7}{"ms/image",10}");
        foreach ((string name, string path) in models)
        {
            using var detector = ObjectDetector.Load(path);
            DetectorMeasurement measured = mlContext.MeasureDetector(detector, mlContext.Data.LoadFromEnumerable(test));
            found.Add((name, measured.Found));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{name,-20}{100 * measured.Metrics.AveragePrecision,6:0.0}{100 * measured.Metrics.AveragePrecision50,6:0.0}"
                    + $"{measured.Parameters,12:N0}{measured.Bytes / 1e6,7:0.00}{measured.Milliseconds,10:0.0}"));
        }

        DemoPictures.Write(Path.Combine(options.Output, "pictures"), [.. test.Take(12)], classNames, found);
        Console.WriteLine();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{watch.Elapsed.TotalSeconds:0} s; student.zip, student.onnx, teacher.zip and pictures are in {options.Output}"));

        // The first of the parts that the data have; null, all of them, where they have none.
        string? ChooseSplit(params string[] names)
            => names.FirstOrDefault(name => mlContext.Data.HasDetectionSplit(data, DetectionFormat.PascalVoc, name));

        // Trains, saves the pipeline from an image's path to names, scores and boxes, and tells where.
        string Fit(string title, string file, Func<IProgress<TrainingProgress>, IEstimator<DetectorTransformer>> estimatorFor)
        {
            var model = estimatorFor(new EpochLines(title))
                .Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel")).Fit(Prepare(train));
            string path = Path.Combine(options.Output, file + ".zip");
            mlContext.Model.Save(loadImages.Append(model), train.Schema, path);
            return path;
        }
    }

    private static bool CanBeRead(TestImage image)
    {
        try
        {
            ImageLoader.Check(image.ImagePath);
            return true;
        }
        catch (Exception problem) when (problem is IOException or FormatException)
        {
            Console.Error.WriteLine($"warning: a test image is left out: {problem.Message}");
            return false;
        }
    }

    /// <summary>A line for each epoch.</summary>
    private sealed class EpochLines(string title) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (!value.EpochEnd) return;
            string accuracy = value.ValidationAveragePrecision is double ap
                ? string.Create(CultureInfo.InvariantCulture, $"  AP {100 * ap:0.0} %") : "";
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{title}: epoch {value.Epoch}/{value.Epochs}  loss {value.Loss:0.0000}  {value.ImagesPerSecond:0.0} images/s{accuracy}"));
        }
    }
}
