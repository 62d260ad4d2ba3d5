using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.OnnxRuntime;

namespace Microsoft.ML.Distillation.Benchmarks;

/// <summary>An image through the fitted ML.NET pipeline, beside the same image through a bare ONNX Runtime session.</summary>
internal static class PipelineBench
{
    public static void Run()
    {
        string folder = Directory.CreateTempSubdirectory("pipeline-bench").FullName;
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
        var mlContext = new MLContext(1);
        string path = Path.Combine(folder, "image.png");
        var pixels = new byte[4 * 320 * 240];
        new Random(1).NextBytes(pixels);
        using (MLImage image = MLImage.CreateFromPixels(320, 240, MLPixelFormat.Rgba32, pixels)) image.Save(path);

        Example[] examples = [.. Enumerable.Repeat(new Example { ImagePath = path }, 8)];
        IDataView data = mlContext.Data.LoadFromEnumerable(examples);
        ITransformer model = mlContext.Transforms.LoadUprightImages("Image", inputColumnName: "ImagePath")
            .Append(mlContext.Transforms.Conversion.MapValueToKey("Label"), TransformerScope.Training)
            .Append(mlContext.Transforms.TrainDetector(
                detector: DetectorPlan.FasterRcnn(Backbone.ShuffleNetV2_x0_5 with { Weights = PretrainedWeights.None }, 320), epochs: 1))
            .Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"))
            .Fit(data).GetModelFor(TransformerScope.Scoring);
        string onnx = Path.Combine(folder, "model.onnx");
        model.SaveOnnx(onnx);

        using var session = new InferenceSession(onnx);
        RgbImage rgb;
        using (MLImage image = MLImage.CreateFromFile(path)) rgb = MLImagePixels.ToRgb(image);
        using OrtValue bytes = OrtValue.CreateTensorValueFromMemory(rgb.Pixels, [1, rgb.Pixels.Length]);
        using OrtValue size = OrtValue.CreateTensorValueFromMemory(new long[] { rgb.Height, rgb.Width }, [1, 2]);
        var inputs = new Dictionary<string, OrtValue> { ["pixels"] = bytes, ["size"] = size };
        using var options = new RunOptions();
        double bare = Report.MedianSeconds(() =>
        {
            using MLImage decoded = MLImage.CreateFromFile(path);
            _ = decoded.Pixels.Length;
            session.Run(options, inputs, ["boxes", "scores", "classes"]).Dispose();
        }, 50);
        using var engine = mlContext.Model.CreatePredictionEngine<Example, Prediction>(model);
        double pipeline = Report.MedianSeconds(() => engine.Predict(examples[0]), 50);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"an image through the ML.NET pipeline: {pipeline * 1e3:0.00} ms; decoded and through a bare session: {bare * 1e3:0.00} ms; "
                + $"{pipeline / bare:0.00} times"));
    }

    private sealed class Example
    {
        public string ImagePath { get; set; } = "";

        public string[] Label { get; set; } = ["thing"];

        public float[] BoundingBoxes { get; set; } = [60, 40, 200, 180];
    }

    private sealed class Prediction
    {
        public float[] Score { get; set; } = [];
    }
}
