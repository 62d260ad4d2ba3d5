using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation;
using Microsoft.ML.Runtime;

// QuickStart DATA [EPOCHS]: trains a teacher on the data set (Pascal VOC, with the splits train and test), distils a compact
// student from it, measures both, and writes student.zip and student.onnx into the current folder.
if (args.Length is 0 or > 2 || (args.Length == 2 && !int.TryParse(args[1], CultureInfo.InvariantCulture, out _)))
{
    Console.Error.WriteLine("usage: QuickStart DATA [EPOCHS]");
    return 2;
}

string data = args[0];
int? epochs = args.Length == 2 ? int.Parse(args[1], CultureInfo.InvariantCulture) : null;

var mlContext = new MLContext(seed: 1);
mlContext.Log += (_, line) =>
{
    if (line.Kind >= ChannelMessageKind.Info && line.Source.Contains("Detector", StringComparison.Ordinal))
        Console.WriteLine(line.RawMessage);
};

IDataView train = mlContext.Data.LoadDetections(data, split: "train");
IDataView test = mlContext.Data.LoadDetections(data, split: "test");

// From a path to an image, from names to keys. Keys are for training alone: a finished model needs no labels.
var prepare = mlContext.Transforms.LoadUprightImages("Image", inputColumnName: "ImagePath")
    .Append(mlContext.Transforms.Conversion.MapValueToKey("Label"), TransformerScope.Training);

var teacher = prepare
    .Append(mlContext.Transforms.TrainDetector(new TrainDetectorOptions
    {
        Detector = DetectorPlan.FasterRcnn(Backbone.ResNet18 with { Stages = 3 }, inputSize: 192),
        Epochs = epochs,
        OnInvalidSample = InvalidSampleHandling.Skip,
    }))
    .Fit(train);

var student = prepare
    .Append(mlContext.Transforms.DistillDetector(new DistillDetectorOptions
    {
        Teacher = Teacher.FromModel(teacher),
        Student = DetectorPlan.FasterRcnn(Backbone.ShuffleNetV2_x0_5, inputSize: 192),
        Epochs = epochs,
        OnInvalidSample = InvalidSampleHandling.Skip,
    }))
    .Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"))
    .Fit(train);

foreach ((string name, ITransformer model) in new (string, ITransformer)[] { ("teacher", teacher), ("student", student) })
{
    DetectionMetrics metrics = mlContext.EvaluateDetections(model.Transform(test));
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{name}: AP {100 * metrics.AveragePrecision:0.0} %, AP50 {100 * metrics.AveragePrecision50:0.0} %"));
}

mlContext.Model.Save(student.GetModelFor(TransformerScope.Scoring), train.Schema, "student.zip");
student.SaveOnnx("student.onnx");
Console.WriteLine("saved student.zip and student.onnx");
return 0;
