using Microsoft.ML.Distillation.Detectors.Weights;
using Microsoft.ML.Distillation.Reports;

namespace Microsoft.ML.Distillation.Tests.Estimators;

public class PretrainedTrainingTests
{
    [Test]
    public void WhatATrainingStartedFrom_IsInLogModelAndReport_AndInTheRunThatContinues()
    {
        using var folder = new DrawnFolder(train: 4, val: 2, test: 0);
        string weights = folder.At("own.pth"), hash = WeightsCache.HashOf(Golden.Path("Weights", "plain.pth"));
        File.Copy(Golden.Path("Weights", "plain.pth"), weights);
        var options = new TrainDetectorOptions
        {
            Detector = DetectorPlan.FasterRcnn(Backbone.Plain(4, 6) with { Weights = weights }, 64),
            Epochs = 1,
            CheckpointDirectory = folder.At("checkpoints"),
        };

        var log = new List<string>();
        using DetectorTransformer first = Fit(options, folder, log);
        Assert.That(log, Has.Some.StartsWith($"The backbone starts from {weights}: own.pth; SHA-256 {hash}"));
        Assert.That(first.Model.Metadata["ml-distillation.weights"], Does.Contain(hash).And.Contain("own.pth"));
        Assert.That(TrainingRecord.In(first.Model.Metadata)!.Settings["weights"], Is.EqualTo($"own.pth; SHA-256 {hash}"));

        // The checkpoint has the parameters, and says what they were.
        File.Delete(weights);
        using DetectorTransformer again = Fit(options, folder, log);
        Assert.That(again.Model.Metadata["ml-distillation.weights"], Is.EqualTo(first.Model.Metadata["ml-distillation.weights"]));
        Assert.That(TrainingRecord.In(again.Model.Metadata)!.Settings["weights"], Does.Contain(hash));
        Assert.That(again.Model.Parameters()["backbone.conv1.weight"].Values,
            Is.EqualTo(first.Model.Parameters()["backbone.conv1.weight"].Values));
    }

    [Test]
    public void RandomParameters_AreNamedSo_AndWhoDidNotChooseIsToldOfBetterOnes()
    {
        using var folder = new DrawnFolder(train: 4, val: 2, test: 0);
        Backbone backbone = Backbone.ShuffleNetV2_x0_5 with { Stages = 1 };
        foreach (PretrainedWeights weights in (PretrainedWeights[])[PretrainedWeights.Auto, PretrainedWeights.None])
        {
            var log = new List<string>();
            using DetectorTransformer model = Fit(new TrainDetectorOptions
            {
                Detector = DetectorPlan.FasterRcnn(backbone with { Weights = weights }, 64),
                Epochs = 1,
            }, folder, log);
            Assert.That(log.Any(line => line.StartsWith("The backbone starts from random parameters", StringComparison.Ordinal)),
                Is.EqualTo(weights == PretrainedWeights.Auto));
            Assert.That(model.Model.Metadata, Does.Not.ContainKey("ml-distillation.weights"));
            Assert.That(TrainingRecord.In(model.Model.Metadata)!.Settings["weights"], Is.EqualTo("random"));
        }
    }

    [Test]
    public void WeightsThatAreNotToBeHad_EndATraining_BeforeItsDataAreRead()
    {
        var mlContext = new MLContext(seed: 1);
        IDataView nothing = mlContext.Data.LoadFromEnumerable(new[] { new { ImagePath = "none.png" } });
        Assert.That(() => mlContext.Transforms.TrainDetector(new TrainDetectorOptions
        {
            Detector = DetectorPlan.FasterRcnn(Backbone.ResNet18 with { Weights = PretrainedWeights.ImageNet }, 64),
        }).Fit(nothing), Throws.InstanceOf<IOException>().With.Message.Contains("resnet18-f37072fd.pth"));
    }

    private static DetectorTransformer Fit(TrainDetectorOptions options, DrawnFolder folder, List<string> log)
    {
        var mlContext = new MLContext(seed: 1);
        mlContext.Log += (_, e) => log.Add(e.RawMessage);
        IDataView data = mlContext.Data.LoadDetections(folder.Path, split: "train");
        IDataView images = mlContext.Transforms.LoadImages("Image", imageFolder: null, inputColumnName: "ImagePath")
            .Append(mlContext.Transforms.Conversion.MapValueToKey("Label")).Fit(data).Transform(data);
        return mlContext.Transforms.TrainDetector(options).Fit(images);
    }
}
