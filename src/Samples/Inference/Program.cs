using System.Globalization;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;

// Inference MODEL IMAGE…: detects objects in images with a model of this library: student.zip runs as an ML.NET pipeline,
// student.onnx on ONNX Runtime alone. Neither needs TorchSharp's native libraries.
if (args.Length < 2)
{
    Console.Error.WriteLine("usage: Inference MODEL.zip|MODEL.onnx IMAGE...");
    return 2;
}

if (args[0].EndsWith(".onnx", StringComparison.OrdinalIgnoreCase)) RunOnnx(args[0], args[1..]);
else RunPipeline(args[0], args[1..]);
return 0;

static void RunPipeline(string path, string[] images)
{
    var mlContext = new MLContext();
    ITransformer model = mlContext.Model.Load(path, out _);
    using PredictionEngine<Photo, Prediction> engine = mlContext.Model.CreatePredictionEngine<Photo, Prediction>(model);
    foreach (string image in images)
    {
        Prediction prediction = engine.Predict(new Photo { ImagePath = image });
        Print(image, prediction.PredictedLabel, prediction.Score, prediction.PredictedBoundingBoxes);
    }
}

static void RunOnnx(string path, string[] images)
{
    using var session = new InferenceSession(path);
    string[] names = JsonSerializer.Deserialize<string[]>(session.ModelMetadata.CustomMetadataMap["names"])!;
    foreach (string file in images)
    {
        using MLImage image = MLImage.CreateFromFile(file);
        byte[] bytes = ToRgb(image);
        using OrtValue pixels = OrtValue.CreateTensorValueFromMemory(bytes, [1, bytes.Length]);
        using OrtValue size = OrtValue.CreateTensorValueFromMemory(new long[] { image.Height, image.Width }, [1, 2]);
        using var options = new RunOptions();
        using var found = session.Run(
            options, new Dictionary<string, OrtValue> { ["pixels"] = pixels, ["size"] = size }, ["boxes", "scores", "classes"]);
        string[] labels = [.. found[2].GetTensorDataAsSpan<long>().ToArray().Select(id => names[id])];
        Print(file, labels, found[1].GetTensorDataAsSpan<float>(), found[0].GetTensorDataAsSpan<float>());
    }
}

// ML.NET's pixels are four bytes each, red or blue first; the model wants three, red first.
static byte[] ToRgb(MLImage image)
{
    int red = image.PixelFormat == MLPixelFormat.Bgra32 ? 2 : 0;
    ReadOnlySpan<byte> pixels = image.Pixels;
    var rgb = new byte[3 * image.Width * image.Height];
    for (int i = 0; i < rgb.Length / 3; i++)
        (rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]) = (pixels[4 * i + red], pixels[4 * i + 1], pixels[4 * i + 2 - red]);
    return rgb;
}

static void Print(string image, string[] labels, ReadOnlySpan<float> scores, ReadOnlySpan<float> boxes)
{
    Console.WriteLine($"{Path.GetFileName(image)}: {labels.Length} detections");
    for (int i = 0; i < labels.Length && scores[i] >= 0.5f; i++)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {labels[i]} {scores[i]:0.000} at {boxes[4 * i]:0.0} {boxes[4 * i + 1]:0.0} {boxes[4 * i + 2]:0.0} {boxes[4 * i + 3]:0.0}"));
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
