using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation;
using Microsoft.ML.Runtime;

if (args.Length is 0 or > 3)
{
    Console.Error.WriteLine("usage: MLDistill.Training DATA [teacher.onnx] [EPOCHS]");
    return 2;
}

string data = args[0];
string? teacherFile = args.FirstOrDefault(arg => arg.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase));
int? epochs = int.TryParse(args[^1], out int number) ? number : null;

var mlContext = new MLContext(seed: 1);
mlContext.Log += (_, line) =>
{
    if (line.Kind >= ChannelMessageKind.Info && line.Source.Contains("Detector", StringComparison.Ordinal))
        Console.WriteLine(line.RawMessage);
};

IDataView train = mlContext.Data.LoadDetections(data, DetectionFormat.Yolo, split: "train");
var prepare = mlContext.Transforms.LoadUprightImages("Image", inputColumnName: "ImagePath")
    .Append(mlContext.Transforms.Conversion.MapValueToKey("Label"), TransformerScope.Training);

Teacher teacher = teacherFile is not null ? Teacher.FromOnnx(teacherFile) : Teacher.FromModel(prepare
    .Append(mlContext.Transforms.TrainDetector(new TrainDetectorOptions
    {
        Detector = DetectorPlan.FasterRcnn(Backbone.ResNet18, inputSize: 320),
        Epochs = epochs,
    }))
    .Fit(train));

var student = prepare
    .Append(mlContext.Transforms.DistillDetector(new DistillDetectorOptions
    {
        Teacher = teacher,
        Student = DetectorPlan.For(LatencyClass.Balanced),
        Epochs = epochs,
    }))
    .Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"))
    .Fit(train);

mlContext.Model.Save(student.GetModelFor(TransformerScope.Scoring), train.Schema, "student.zip");
student.SaveOnnx("student.onnx");
Console.WriteLine("saved student.zip and student.onnx");

if (mlContext.Data.HasDetectionSplit(data, DetectionFormat.Yolo, "val"))
{
    IDataView held = mlContext.Data.LoadDetections(data, DetectionFormat.Yolo, split: "val");
    DetectionMetrics metrics = mlContext.EvaluateDetections(student.Transform(held));
    Console.WriteLine($"AP {metrics.AveragePrecision:P1}, AP50 {metrics.AveragePrecision50:P1} on val");
}

return 0;
