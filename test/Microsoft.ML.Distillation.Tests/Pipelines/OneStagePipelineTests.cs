using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Tensors;

namespace Microsoft.ML.Distillation.Tests.Pipelines;

/// <summary>One-stage detectors in ML.NET pipelines: as students of every kind of teacher, and as teachers.</summary>
public class OneStagePipelineTests
{
    private static readonly OneStageOptions Light = new() { Channels = 16, HeadLayers = 1, Strides = [8, 16] };

    [Test]
    public void TeacherAndStudent_SaveLoadAndPredict()
    {
        using var folder = new TemporaryFolder();
        DrawnFolder images = TrainedModels.Images;
        var mlContext = new MLContext(seed: 1);
        IDataView train = mlContext.Data.LoadDetections(images.Path, split: "train"),
            test = mlContext.Data.LoadDetections(images.Path, split: "test");
        var prepare = mlContext.Transforms.LoadImages("Image", imageFolder: null, inputColumnName: "ImagePath")
            .Append(mlContext.Transforms.Conversion.MapValueToKey("Label"), TransformerScope.Training);
        ITransformer teacher = mlContext.Model.Load(TrainedModels.OneStage, out _);
        using var teacherModel = (IDisposable)teacher;
        DetectionMetrics metrics = mlContext.EvaluateDetections(teacher.Transform(test));
        TestContext.Out.WriteLine($"teacher {metrics.AveragePrecision:P1} {metrics.AveragePrecision50:P1}");
        Assert.That(metrics.AveragePrecision50, Is.GreaterThan(.5));
        var student = prepare
            .Append(mlContext.Transforms.DistillDetector(new DistillDetectorOptions
            {
                Teacher = Teacher.FromModel(TrainedModels.OneStage),
                Student = DetectorPlan.OneStage(Backbone.Plain(8, 16, 16), 64, Light),
                Epochs = 3,
            }))
            .Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel")).Fit(train);
        using var studentModel = (IDisposable)student;
        mlContext.Model.Save(student.GetModelFor(TransformerScope.Scoring), train.Schema, folder.Sub("student.zip"));
        ITransformer loaded = new MLContext().Model.Load(folder.Sub("student.zip"), out _);
        using var engine = mlContext.Model.CreatePredictionEngine<Photo, Found>(loaded);
        Found[] expected = [.. mlContext.Data.CreateEnumerable<Found>(student.Transform(test), reuseRowObject: false)];
        Assert.That(expected, Has.Length.EqualTo(4));
        for (int i = 0; i < expected.Length; i++)
        {
            Found again = engine.Predict(new Photo { ImagePath = images.Image(TrainedModels.Seen + i) });
            Assert.That((again.PredictedLabel, again.Score, again.PredictedBoundingBoxes),
                Is.EqualTo((expected[i].PredictedLabel, expected[i].Score, expected[i].PredictedBoundingBoxes)));
        }

        student.SaveOnnx(folder.Sub("student.onnx"));
        using Detector rebuilt = DetectorFile.Load(OnnxModelFile.LoadAll(folder.Sub("student.onnx")).Single());
        Assert.That(rebuilt, Is.TypeOf<OneStageDetector>());
        Assert.That(Teacher.FromModel(folder.Sub("student.onnx")).ClassNames, Is.EquivalentTo(new[] { "square", "disc" }));
    }

    private sealed class Photo
    {
        public string ImagePath { get; set; } = "";
    }

    private sealed class Found
    {
        [VectorType]
        public string[] PredictedLabel { get; set; } = [];

        [VectorType]
        public float[] Score { get; set; } = [];

        [VectorType]
        public float[] PredictedBoundingBoxes { get; set; } = [];
    }

    [Test]
    public void Student_LearnsFromAPublishedModel()
    {
        using var folder = new DrawnFolder(train: 8, val: 0, test: 0);
        using var graph = new TeacherGraph("batch").Output("scores", [.1f, .8f, .1f], [1, 3]).Output("boxes", [.1f, .1f, .4f, .5f], [1, 4]);
        string hint = graph.Pool(), path = graph.Save();
        var mlContext = new MLContext(seed: 1);
        var pipeline = mlContext.Transforms.LoadImages("Image", imageFolder: null, inputColumnName: "ImagePath")
            .Append(mlContext.Transforms.Conversion.MapValueToKey("Label"))
            .Append(mlContext.Transforms.DistillDetector(new DistillDetectorOptions
            {
                Teacher = Teacher.FromOnnx(path, OnnxDetectorFormat.Auto, ["square", "triangle"],
                    new OnnxTeacherOptions { Hints = [hint] }),
                Student = DetectorPlan.OneStage(Backbone.Plain(8, 16, 16), 64, Light),
                Losses = [new SoftClasses(), new Hint(), new ChannelWise()],
                Epochs = 2,
            }));
        var losses = new List<string>();
        mlContext.Log += (_, e) => losses.Add(e.RawMessage);
        using var model = (IDisposable)pipeline.Fit(mlContext.Data.LoadDetections(folder.Path, split: "train"));
        Assert.That(losses, Has.Some.Contains("class.soft").And.Some.Contains("hint.neck0").And.Some.Contains("cwd.neck0"));
    }
}
