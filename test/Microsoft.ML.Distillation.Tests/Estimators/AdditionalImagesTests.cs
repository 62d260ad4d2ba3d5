namespace Microsoft.ML.Distillation.Tests.Estimators;

public class AdditionalImagesTests
{
    private sealed record Row(string ImagePath);

    [Test]
    public void UnlabelledImages_AreLabelledByTheTeacher_AndTrainingResumesOnThem()
    {
        using var folder = new DrawnFolder(train: 6, val: 12, test: 2);
        var mlContext = new MLContext(seed: 1);
        var log = new List<string>();
        mlContext.Log += (_, e) => log.Add(e.RawMessage);
        IDataView train = Annotated(mlContext, folder, "train");
        IDataView files = mlContext.Data.LoadFromEnumerable(Enumerable.Range(6, 12).Select(i => new Row(folder.Image(i))).ToArray());
        IDataView unlabelled = mlContext.Transforms.LoadImages("Image", imageFolder: null, inputColumnName: "ImagePath").Fit(files)
            .Transform(files);
        var options = new DistillDetectorOptions
        {
            Teacher = Teacher.FromModel(TrainedModels.TwoStage),
            Student = DetectorPlan.FasterRcnn(Backbone.Plain(4, 8, 8), 64),
            Epochs = 2,
            UnlabelledSet = unlabelled,
            GeneratedLabels = new GeneratedLabelOptions { ScoreThreshold = 0.02 },
            CheckpointDirectory = folder.At("checkpoints"),
        };

        using DetectorTransformer first = mlContext.Transforms.DistillDetector(options).Fit(train);
        Assert.That(log, Has.Some.Contains("The teacher labelled ").And.Some.Contains("of 12 images without labels"));
        Assert.That(log, Has.Some.Matches<string>(line => line!.StartsWith("Training on 1", StringComparison.Ordinal)),
            "of the 18 images at least 10");
        using DetectorTransformer again = mlContext.Transforms.DistillDetector(options).Fit(train);
        Assert.That(Weights(again), Is.EqualTo(Weights(first)), "the finished run was taken up again: the labels are the same");

        Assert.That(() => mlContext.Transforms.DistillDetector(options with { LabelledShare = 0.5 }).Fit(train),
            Throws.InvalidOperationException.With.Message.Contains("training set"));
        Assert.That(() => mlContext.Transforms.DistillDetector(options with { UnlabelledSet = files, CheckpointDirectory = null })
            .Fit(train),
            Throws.ArgumentException.With.Message.Contains("UnlabelledSet").And.Message.Contains("LoadUprightImages"));

        static float[] Weights(DetectorTransformer model)
            => [.. model.Model.Parameters().OrderBy(p => p.Key, StringComparer.Ordinal).SelectMany(p => p.Value.Values)];
    }

    [Test]
    public void AOneStageTeacher_LabelsToo_BesideLabelsAndWithoutAny()
    {
        using var folder = new DrawnFolder(train: 6, val: 6, test: 0);
        var mlContext = new MLContext(seed: 1);
        var log = new List<string>();
        mlContext.Log += (_, e) => log.Add(e.RawMessage);
        IDataView train = Annotated(mlContext, folder, "train"), others = Annotated(mlContext, folder, "val");
        var light = new OneStageOptions { Channels = 16, HeadLayers = 1, Strides = [8, 16] };
        var options = new DistillDetectorOptions
        {
            Teacher = Teacher.FromModel(TrainedModels.OneStage),
            Student = DetectorPlan.OneStage(Backbone.Plain(4, 8, 8), 64, light),
            GeneratedLabels = new GeneratedLabelOptions { ScoreThreshold = 0.06 },
            Epochs = 1,
        };

        mlContext.Transforms.DistillDetector(options with { UnlabelledSet = others }).Fit(train).Dispose();
        Assert.That(log, Has.Some.Contains("The teacher labelled ").And.Some.Contains("of 6 images without labels").And.Some
            .Contains("Training on 12 images"));
        mlContext.Transforms.DistillDetector(options with { WithoutLabels = true }).Fit(others).Dispose();
        Assert.That(log, Has.Some.Contains("Training on 6 images of 2 classes"));
    }

    [Test]
    public void AGeneratedSet_JoinsTheTrainingImages()
    {
        using var folder = new DrawnFolder(train: 4, val: 8, test: 0);
        var mlContext = new MLContext(seed: 1);
        var log = new List<string>();
        mlContext.Log += (_, e) => log.Add(e.RawMessage);
        using DetectorTransformer model = mlContext.Transforms.TrainDetector(new TrainDetectorOptions
        {
            Detector = DetectorPlan.FasterRcnn(Backbone.Plain(4, 8, 8), 64),
            Epochs = 1,
            GeneratedSet = Annotated(mlContext, folder, "val"),
        }).Fit(Annotated(mlContext, folder, "train"));
        Assert.That(log, Has.Some.Contains("Training on 12 images of 2 classes"));
    }

    [Test]
    public void ImpossibleOptions_AreNamed()
    {
        var catalog = new MLContext().Transforms;
        Assert.That(() => catalog.TrainDetector(new TrainDetectorOptions { LabelledShare = 1 }),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("LabelledShare"));
        Assert.That(() => new GeneratedLabelOptions { ScoreThreshold = 0 }.Validate(),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("ScoreThreshold"));
    }

    private static IDataView Annotated(MLContext mlContext, DrawnFolder folder, string split)
    {
        IDataView data = mlContext.Data.LoadDetections(folder.Path, split: split);
        return mlContext.Transforms.LoadImages("Image", imageFolder: null, inputColumnName: "ImagePath")
            .Append(mlContext.Transforms.Conversion.MapValueToKey("Label")).Fit(data).Transform(data);
    }
}
