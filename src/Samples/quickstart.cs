#!/usr/bin/env dotnet
#:package ML.Distillation@0.2.0
#:package TorchSharp-cpu@0.107.0
#:package Microsoft.ML.OnnxRuntime@1.31.1
#:property TargetFramework=net10.0
#:property PublishAot=false
#:property ManagePackageVersionsCentrally=false

// dotnet run quickstart.cs DATA teacher.onnx: one file, no project. Distils a compact student from a published ONNX detector on a data set
// in YOLO's layout (data.yaml, images/train, labels/train), and finds objects with it. Copy it anywhere.
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation;
using Microsoft.ML.Runtime;

if (args.Length < 2)
{
    Console.Error.WriteLine("usage: dotnet run quickstart.cs DATA teacher.onnx [EPOCHS]");
    return 2;
}

var mlContext = new MLContext(seed: 1);
mlContext.Log += (_, line) =>
{
    if (line.Kind >= ChannelMessageKind.Info && line.Source.StartsWith("DistillDetector", StringComparison.Ordinal))
        Console.WriteLine(line.RawMessage);
};
IDataView train = mlContext.Data.LoadDetections(args[0], DetectionFormat.Yolo, split: "train");
var pipeline = mlContext.Transforms.LoadUprightImages("Image", inputColumnName: "ImagePath")
    .Append(mlContext.Transforms.Conversion.MapValueToKey("Label"), TransformerScope.Training)
    .Append(mlContext.Transforms.DistillDetector(new DistillDetectorOptions
    {
        Teacher = Teacher.FromOnnx(args[1]),
        Student = DetectorPlan.For(LatencyClass.Balanced),
        Epochs = args.Length > 2 ? int.Parse(args[2], System.Globalization.CultureInfo.InvariantCulture) : null,
    }))
    .Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
var model = pipeline.Fit(train);
model.SaveOnnx("student.onnx");

using var detector = ObjectDetector.Load("student.onnx");
foreach (string picture in ImageLoader.FilesIn(Path.Combine(args[0], "images", "train")).Take(3))
{
    Console.WriteLine(Path.GetFileName(picture));
    foreach (Detection found in detector.Detect(picture).Take(3)) Console.WriteLine($"  {found}");
}

return 0;
