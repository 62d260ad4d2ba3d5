using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Distillation;

// Inference MODEL IMAGE…: detects objects in images with a model of this library. student.zip and student.onnx run on ONNX Runtime alone;
// --pipeline runs student.zip as an ML.NET pipeline. Neither needs TorchSharp's native libraries.
bool asPipeline = args is ["--pipeline", ..];
if (asPipeline) args = args[1..];
if (args.Length < 2)
{
    Console.Error.WriteLine("usage: Inference [--pipeline] MODEL.zip|MODEL.onnx IMAGE...");
    return 2;
}

if (asPipeline) RunPipeline(args[0], args[1..]);
else RunDetector(args[0], args[1..]);
return 0;

static void RunDetector(string path, string[] images)
{
    using var detector = ObjectDetector.Load(path);
    foreach (string image in images)
    {
        IReadOnlyList<Detection> found = detector.Detect(image);
        Console.WriteLine($"{Path.GetFileName(image)}: {found.Count} detections");
        foreach (Detection one in found.Where(one => one.Score >= 0.5f)) Console.WriteLine($"  {one}");
    }
}

static void RunPipeline(string path, string[] images)
{
    var mlContext = new MLContext();
    ITransformer model = mlContext.Model.Load(path, out _);
    using var whenDone = (IDisposable)model;

    // An engine owns its model by default, and takes it along when it is disposed of: a model that is kept would serve one engine only.
    using PredictionEngine<Photo, Prediction> engine = mlContext.Model.CreatePredictionEngine<Photo, Prediction>(
        model, new PredictionEngineOptions { OwnsTransformer = false });
    foreach (string image in images)
    {
        Prediction found = engine.Predict(new Photo { ImagePath = image });
        Console.WriteLine($"{Path.GetFileName(image)}: {found.Score.Length} detections");
        for (int i = 0; i < found.Score.Length && found.Score[i] >= 0.5f; i++)
        {
            string box = string.Join(' ', found.PredictedBoundingBoxes[(4 * i)..(4 * i + 4)]
                .Select(side => side.ToString("0.0", CultureInfo.InvariantCulture)));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {found.PredictedLabel[i]} {found.Score[i]:0.000} at {box}"));
        }
    }
}

/// <summary>What the pipeline reads.</summary>
internal sealed class Photo
{
    public string ImagePath { get; set; } = "";
}

/// <summary>What the pipeline writes: for each detection its class, its score, and x0 y0 x1 y1 in pixels.</summary>
internal sealed class Prediction
{
    public string[] PredictedLabel { get; set; } = [];

    public float[] Score { get; set; } = [];

    public float[] PredictedBoundingBoxes { get; set; } = [];
}
