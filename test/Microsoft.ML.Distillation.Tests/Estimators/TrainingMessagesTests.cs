using Microsoft.ML.Distillation.Training;

namespace Microsoft.ML.Distillation.Tests.Estimators;

/// <summary>What training takes as it is, and what it says of the rest.</summary>
public class TrainingMessagesTests
{
    private readonly List<string> _log = [];
    private MLContext _mlContext = null!;

    [SetUp]
    public void Listen()
    {
        _log.Clear();
        _mlContext = new MLContext(seed: 1);
        _mlContext.Log += (_, e) => _log.Add($"{e.Kind}: {e.RawMessage}");
    }

    [Test]
    public void TheSameClassesInAnotherOrder_AreMatchedByName([Values] bool distilled)
    {
        IDataView train = Images("square", "disc");
        TrainedDetector initial = TrainedDetector.FromModel(TrainedModels.TwoStage);
        Assert.That(initial.ClassNames, Is.EqualTo(new[] { "disc", "square" }), "the other way round");
        var options = new TrainDetectorOptions { InitialStudent = initial, Epochs = 1, LearningRate = 1e-9 };
        using DetectorTransformer further = distilled
            ? _mlContext.Transforms.DistillDetector(new DistillDetectorOptions
            {
                Teacher = Teacher.FromModel(TrainedModels.TwoStage),
                InitialStudent = initial,
                Epochs = 1,
                LearningRate = 1e-9,
            }).Fit(train)
            : _mlContext.Transforms.TrainDetector(options).Fit(train);
        Assert.That(further.ClassNames, Is.EqualTo(initial.ClassNames));
        using DetectorTransformer before = initial.ToTransformer(_mlContext, train.Schema);
        Assert.That(Ap(further), Is.EqualTo(Ap(before)).Within(0.02).And.GreaterThan(0.2), "it knows which is which");

        Assert.That(() => _mlContext.Transforms.TrainDetector(options).Fit(Images("square", "disc", "star")),
            Throws.ArgumentException.With.Message.Contains("InitialStudent").And.Message.Contains("disc, square; the data have square"));

        double Ap(ITransformer model) => _mlContext.EvaluateDetections(model.Transform(train)).AveragePrecision;
    }

    [Test]
    public void WhatItLearns_IsSaidByTheLossesNames_AndThatItLearnsNothingFromTheTeacherIsAWarning()
    {
        var options = new DistillDetectorOptions
        {
            Teacher = Teacher.FromModel(TrainedModels.TwoStage),
            Student = DetectorPlan.FasterRcnn(Backbone.Plain(4, 8, 8), 64),
            Epochs = 1,
        };
        IDataView train = Images("disc", "square");
        _mlContext.Transforms.DistillDetector(options).Fit(train).Dispose();
        Assert.That(_log, Has.Some.StartsWith("Info: What it learns: class.soft 0.5, ").And.Some
            .Contains("cwd 10 (by default); maps conv"));
        Assert.That(_log, Has.None.Contains(" { ").And.None.StartsWith("Warning"), "no record as C# writes it");

        _mlContext.Transforms.DistillDetector(options with { Losses = [] }).Fit(train).Dispose();
        Assert.That(_log, Has.Some.EqualTo("Info: What it learns: the labels alone").And
            .Some.Contains("Warning: The option Losses names no loss"));
    }

    [Test]
    public void AColumnThatASetLacks_IsSaidWithTheOptionThatNamesTheSet()
    {
        IDataView files = _mlContext.Data.LoadDetections(TrainedModels.Images.Path);
        var options = new TrainDetectorOptions { Detector = DetectorPlan.FasterRcnn(Backbone.Plain(4, 8, 8), 64), Epochs = 1 };
        Assert.That(() => _mlContext.Transforms.TrainDetector(options with { ValidationSet = files }).Fit(Images("disc", "square")),
            Throws.ArgumentException.With.Message.StartsWith("ValidationSet: the data have no column 'Image'"));
        Assert.That(() => _mlContext.Transforms.TrainDetector(options with { GeneratedSet = files }).Fit(Images("disc", "square")),
            Throws.ArgumentException.With.Message.StartsWith("GeneratedSet: the data have no column 'Image'"));
    }

    [TestCase("names 'disc' twice", "disc", "square", "disc")]
    [TestCase("names no class")]
    public void ClassNames_ThatCannotBe_AreRefused(string why, params string[] names)
        => Assert.That(() => _mlContext.Transforms.DistillDetector(new DistillDetectorOptions
        {
            Teacher = Teacher.FromModel(TrainedModels.TwoStage),
            WithoutLabels = true,
            ClassNames = names,
        }), Throws.ArgumentException.With.Message.Contains("ClassNames").And.Message.Contains(why));

    [Test]
    public void WhatTellsRunsApart_IsTheSameInEveryCulture()
    {
        using var comma = new CommaCulture();
        Assert.That(RunSettings.Text(new SoftClasses { Weight = 0.5, Temperature = 1.5 }), Does.Contain("1.5").And.Not.Contain("1,5"));
        Assert.That(RunSettings.Text(new AugmentationOptions { ScaleJitter = 0.25f }), Does.Contain("0.25"));
        Assert.That($"{0.5}", Is.EqualTo("0,5"), "the culture is put back");
    }

    [Test]
    public void ClassesOfATeacher_ArePrintedAsNames()
        => Assert.That(Teacher.FromModel(TrainedModels.TwoStage).MatchClasses(["square", "star"]).ToString(),
            Does.Contain("Taught = [square], Unknown = [star], Ignored = [disc]"));

    /// <summary>The drawn images with the labels' keys in this order.</summary>
    private IDataView Images(params string[] keys)
    {
        IDataView files = _mlContext.Data.LoadDetections(TrainedModels.Images.Path, split: "train");
        IDataView order = _mlContext.Data.LoadFromEnumerable(keys.Select(key => new Key { Name = key }));
        return _mlContext.Transforms.LoadImages("Image", null!, "ImagePath")
            .Append(_mlContext.Transforms.Conversion.MapValueToKey("Label", keyData: order)).Fit(files).Transform(files);
    }

    private sealed class Key
    {
        public string Name { get; set; } = "";
    }
}
