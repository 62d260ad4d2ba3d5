using System.Diagnostics;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Distillation;

// Loads a model, predicts on images, saves its ONNX form, and prints what it found and whether libtorch crept in.
// Arguments: model.zip, where to write the ONNX file, images.
// Or: --detect, a model, an image: prints what ObjectDetector finds.
if (args is ["--detect", string file, string picture])
{
    using var detector = ObjectDetector.Load(file);
    foreach (Detection one in detector.Detect(picture)) Console.WriteLine(one);
    return;
}

var mlContext = new MLContext();
ITransformer model = mlContext.Model.Load(args[0], out _);
using var engine = mlContext.Model.CreatePredictionEngine<Photo, Found>(model);
Found[] found = [.. args[2..].Select(path => engine.Predict(new Photo { ImagePath = path }))];
mlContext.Model.Load(args[0], out _).SaveOnnx(args[1]);

bool torchIsLoaded = Process.GetCurrentProcess().Modules.Cast<ProcessModule>()
    .Any(module => module.ModuleName.Contains("torch", StringComparison.OrdinalIgnoreCase)
        && !module.ModuleName.EndsWith(".dll", StringComparison.Ordinal));
Console.WriteLine(JsonSerializer.Serialize(new { TorchIsLoaded = torchIsLoaded, Found = found }));

internal sealed class Photo
{
    public string ImagePath { get; set; } = "";
}

internal sealed class Found
{
    public string[] PredictedLabel { get; set; } = [];

    public float[] Score { get; set; } = [];

    public float[] PredictedBoundingBoxes { get; set; } = [];
}
