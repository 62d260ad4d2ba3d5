using Microsoft.ML.Data;

namespace Microsoft.ML.Distillation.Tests.Estimators;

public class LabelWithTeacherTests
{
    [Test]
    public void Images_GetLabels_ThatTrainingTakes([Values] bool oneStage)
    {
        using var folder = new DrawnFolder(train: 5, val: 10, test: 0);
        var mlContext = new MLContext(seed: 1);
        var log = new List<string>();
        mlContext.Log += (_, e) => log.Add(e.RawMessage);
        IDataView train = Annotated(mlContext, folder), unlabelled = Unlabelled(mlContext, folder);
        var options = new LabelWithTeacherOptions
        {
            Teacher = Teacher.FromModel(oneStage ? TrainedModels.OneStage : TrainedModels.TwoStage),
            LabelledSet = train,
            Ensemble = new EnsembleOptions { Transforms = LabelTransform.Of([1], flip: true), LeastScore = 0 },
        };
        using LabelWithTeacherTransformer labeller = mlContext.Transforms.LabelWithTeacher(options).Fit(unlabelled);
        Assert.That(log, Has.None.Contains("fewer objects"));
        IDataView labels = labeller.Transform(unlabelled);

        Row[] rows = [.. mlContext.Data.CreateEnumerable<Row>(labels, reuseRowObject: false)];
        int labelled = mlContext.Data.CreateEnumerable<Row>(train, reuseRowObject: false, ignoreMissingColumns: true)
            .Sum(row => row.Label.Length);
        Assert.That(rows, Has.Length.EqualTo(10));
        Assert.That(rows.Sum(row => row.Label.Length), Is.EqualTo(2 * labelled).Within(1),
            "as many in each of 10 images as in each of the 5");
        Assert.That(rows.All(row => row.BoundingBoxes.Length == 4 * row.Label.Length && row.LabelScore.Length == row.Label.Length));
        Assert.That(rows.SelectMany(row => row.LabelScore).Min(), Is.GreaterThanOrEqualTo(labeller.Thresholds.Values.Min()));
        Assert.That(rows.SelectMany(row => row.BoundingBoxes).Max(), Is.GreaterThan(1), "boxes are in pixels");
        VBuffer<ReadOnlyMemory<char>> names = default;
        labels.Schema["Label"].GetKeyValues(ref names);
        Assert.That(names.DenseValues().Select(name => name.ToString()), Is.EqualTo(labeller.Thresholds.Keys));

        using DetectorTransformer student = mlContext.Transforms.TrainDetector(new TrainDetectorOptions
        {
            Detector = DetectorPlan.FasterRcnn(Backbone.Plain(4, 8, 8), 64),
            Epochs = 1,
            GeneratedSet = labels,
        }).Fit(train);
        Assert.That(log, Has.Some.Contains($"Training on {5 + rows.Count(row => row.Label.Length > 0)} images"),
            "images without labels are not used");
        Assert.That(student.ClassNames, Is.EquivalentTo(new[] { "disc", "square" }));

        mlContext.Transforms.LabelWithTeacher(options with
        {
            Ensemble = options.Ensemble with { LeastScore = 1 },
            Labels = new GeneratedLabelOptions { PerClass = true }
        }).Fit(unlabelled).Dispose();
        Assert.That(log, Has.Some.Contains("fewer objects").And.Some.Contains("of disc 0 ").And.Some.Contains("of square 0 ").And.Some
            .Contains("ScoreThreshold"));
    }

    [Test]
    public void AColumnThatIsMissing_IsNamed()
    {
        using var folder = new DrawnFolder(train: 2, val: 0, test: 0);
        var mlContext = new MLContext(seed: 1);
        IDataView train = Annotated(mlContext, folder);
        IDataView files = mlContext.Data.LoadDetections(folder.Path);
        Assert.That(() => mlContext.Transforms.LabelWithTeacher(Teacher.FromModel(TrainedModels.TwoStage), train).Fit(files),
            Throws.ArgumentException.With.Message.Contains("'Image'").And.Message.Contains("LoadUprightImages"));
    }

    private static IDataView Annotated(MLContext mlContext, DrawnFolder folder)
    {
        IDataView data = mlContext.Data.LoadDetections(folder.Path, split: "train");
        return mlContext.Transforms.LoadImages("Image", imageFolder: null, inputColumnName: "ImagePath")
            .Append(mlContext.Transforms.Conversion.MapValueToKey("Label")).Fit(data).Transform(data);
    }

    private static IDataView Unlabelled(MLContext mlContext, DrawnFolder folder)
    {
        IDataView data = mlContext.Transforms.SelectColumns("ImagePath").Fit(mlContext.Data.LoadDetections(folder.Path, split: "val"))
            .Transform(mlContext.Data.LoadDetections(folder.Path, split: "val"));
        return mlContext.Transforms.LoadImages("Image", imageFolder: null, inputColumnName: "ImagePath").Fit(data).Transform(data);
    }

    private sealed class Row
    {
        public uint[] Label { get; set; } = [];

        public float[] BoundingBoxes { get; set; } = [];

        public float[] LabelScore { get; set; } = [];
    }
}
