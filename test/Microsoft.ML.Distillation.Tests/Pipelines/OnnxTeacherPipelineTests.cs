namespace Microsoft.ML.Distillation.Tests.Pipelines;

public class OnnxTeacherPipelineTests
{
    [Test]
    public void Student_LearnsFromAPublishedModel_WithOtherClassesAndHints()
    {
        using var folder = new DrawnFolder(train: 8, val: 0, test: 2);
        using var graph = new TeacherGraph("batch").Output("scores", [.1f, .8f, .1f], [1, 3]).Output("boxes", [.1f, .1f, .4f, .5f], [1, 4]);
        string hint = graph.Pool(), path = graph.Save();
        File.WriteAllLines(folder.At("names.txt"), ["Square", "triangle"]);
        var mlContext = new MLContext(seed: 1);
        var log = new List<string>();
        mlContext.Log += (_, e) => log.Add(e.RawMessage);
        IDataView train = mlContext.Data.LoadDetections(folder.Path, split: "train");
        var pipeline = mlContext.Transforms.LoadImages("Image", imageFolder: null, inputColumnName: "ImagePath")
            .Append(mlContext.Transforms.Conversion.MapValueToKey("Label"))
            .Append(mlContext.Transforms.DistillDetector(new DistillDetectorOptions
            {
                Teacher = Teacher.FromOnnx(path, OnnxDetectorFormat.Auto, folder.At("names.txt"),
                    new OnnxTeacherOptions { Hints = [hint] }),
                Student = DetectorPlan.FasterRcnn(Backbone.Plain(8, 16, 16), inputSize: 64),
                Epochs = 2,
            }));

        using var model = (IDisposable)pipeline.Fit(train);

        Assert.That(log, Has.Some.Contains("does not know 'disc'").And.Some.Contains("count as background: triangle"));
        Assert.That(log, Has.Some.Contains("hint"));
    }

    [Test]
    public void MissingFiles_AreErrors_BeforeAnythingIsTrained()
    {
        Assert.That(() => Teacher.FromOnnx("nowhere.onnx", OnnxDetectorFormat.Auto, ["cat"]), Throws.TypeOf<FileNotFoundException>());
        Assert.That(() => Teacher.FromOnnx("nowhere.onnx", OnnxDetectorFormat.Auto, "nowhere.txt"), Throws.TypeOf<FileNotFoundException>());
    }
}
