using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Weights;
using Microsoft.ML.Distillation.Estimators;
using Microsoft.ML.Distillation.Reports;
using Microsoft.ML.Distillation.Tests.Detectors;
using Microsoft.ML.Distillation.Tests.Detectors.Weights;

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
    public void AFreshHead_LearnsFasterThanThePretrainedBackboneUnderIt()
    {
        var origin = new WeightsOrigin("own.pth", new string('0', 64));
        DetectorPlan oneStage = DetectorPlan.OneStage(Backbone.Plain(8, 16, 24), 64);
        DetectorPlan twoStage = DetectorPlan.FasterRcnn(Backbone.Plain(4, 6), 64);
        using Detector pretrained = oneStage.Build(TestDetectors.Statistics), random = oneStage.Build(TestDetectors.Statistics),
            faster = twoStage.Build(TestDetectors.Statistics);
        pretrained.Weights = faster.Weights = origin;
        var options = new TrainDetectorOptions { Detector = oneStage };
        TrainingOptions Of(Detector student, TrainDetectorOptions asked) => new TrainingSetup(oneStage, null, asked).TrainingOf(student);

        Assert.That((Of(pretrained, options).LearningRate, Of(pretrained, options).BackboneRate), Is.EqualTo((0.016, 0.1)));
        Assert.That((Of(random, options).LearningRate, Of(random, options).BackboneRate), Is.EqualTo((0.016, (double?)null)));
        Assert.That((Of(faster, options).LearningRate, Of(faster, options).BackboneRate), Is.EqualTo(((double?)null, (double?)null)));
        TrainDetectorOptions asked = options with { LearningRate = 0.001, BackboneRate = 0.5 };
        Assert.That((Of(pretrained, asked).LearningRate, Of(pretrained, asked).BackboneRate), Is.EqualTo((0.001, 0.5)));
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

    [Test]
    public void StudentsSideBySide_SayItOnce()
    {
        using var folder = new DrawnFolder(train: 4, val: 0, test: 0);
        var mlContext = new MLContext(seed: 1);
        var log = new List<string>();
        mlContext.Log += (_, e) => log.Add(e.RawMessage);
        var options = new TrainDetectorOptions
        {
            Detector = DetectorPlan.FasterRcnn(Backbone.ShuffleNetV2_x0_5 with { Stages = 1 }, 64),
            Epochs = 1,
        };
        foreach (DetectorTransformer model in mlContext.Transforms.FitSideBySide(Annotated(mlContext, folder), [options, options]))
            model.Dispose();
        Assert.That(log.Count(line => line.StartsWith("The backbone starts from", StringComparison.Ordinal)), Is.EqualTo(1));
    }

    [Test]
    public void Download_IsSeenInTheLog()
    {
        // Nine megabytes of nothing under the name of a published file, which has about as many.
        using var server = new LoopbackServer(new byte[9_000_000]);
        string? before = Environment.GetEnvironmentVariable(WeightsCache.MirrorVariable);
        Environment.SetEnvironmentVariable(WeightsCache.MirrorVariable, server.Address);
        try
        {
            using var folder = new DrawnFolder(train: 1, val: 0, test: 0);
            var log = new List<string>();
            Assert.That(() => Fit(new TrainDetectorOptions
            {
                Detector = DetectorPlan.FasterRcnn(Backbone.ShuffleNetV2_x1_0 with { Weights = PretrainedWeights.ImageNet }, 64),
            }, folder, log), Throws.TypeOf<InvalidDataException>().With.Message.Contains("shufflenetv2_x1-5666bf0f80.pth"));
            Assert.That(log, Has.Some.EqualTo("Downloading weights: 0.0 of 9.0 MB").And.Some.EqualTo("Downloading weights: 9.0 of 9.0 MB"));
            Assert.That(log.Count(line => line.StartsWith("Downloading", StringComparison.Ordinal)), Is.LessThan(15));
        }
        finally
        {
            Environment.SetEnvironmentVariable(WeightsCache.MirrorVariable, before);
        }
    }

    private static DetectorTransformer Fit(TrainDetectorOptions options, DrawnFolder folder, List<string> log)
    {
        var mlContext = new MLContext(seed: 1);
        mlContext.Log += (_, e) => log.Add(e.RawMessage);
        return mlContext.Transforms.TrainDetector(options).Fit(Annotated(mlContext, folder));
    }

    private static IDataView Annotated(MLContext mlContext, DrawnFolder folder)
    {
        IDataView data = mlContext.Data.LoadDetections(folder.Path, split: "train");
        return mlContext.Transforms.LoadImages("Image", imageFolder: null, inputColumnName: "ImagePath")
            .Append(mlContext.Transforms.Conversion.MapValueToKey("Label")).Fit(data).Transform(data);
    }
}
