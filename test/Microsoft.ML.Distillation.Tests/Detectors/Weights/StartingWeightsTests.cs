using System.Security.Cryptography;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Detectors.Weights;
using Microsoft.ML.Distillation.Estimators;
using Microsoft.ML.Distillation.Tests.Detectors.Graphs;
using Microsoft.ML.Distillation.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Detectors.Weights;

/// <summary>Where a backbone's parameters come from, with a cache and a publisher of the test's own.</summary>
public class StartingWeightsTests
{
    private const string FileName = "shufflenetv2_x0.5-own.safetensors";

    private static readonly Backbone ShuffleNet = Backbone.ShuffleNetV2_x0_5 with { Stages = 1, OutputStride = 8 };

    private TemporaryFolder _folder = null!;
    private byte[] _content = [];
    private PublishedWeights _published = null!;

    [OneTimeSetUp]
    public void MakeWeights()
    {
        _folder = new TemporaryFolder();
        using DisposeScope scope = NewDisposeScope();
        random.manual_seed(7);
        using Detector other = DetectorPlan.FasterRcnn(ShuffleNet, 64).Build(TestDetectors.Statistics);
        string path = _folder.Sub(FileName);
        SafetensorsFile.Write(path, other.state_dict()
            .Where(e => e.Key.StartsWith("backbone.", StringComparison.Ordinal) && e.Value.dtype == ScalarType.Float32)
            .ToDictionary(e => e.Key["backbone.".Length..], e => e.Value), new Dictionary<string, string>());
        _content = File.ReadAllBytes(path);
        _published = new PublishedWeights(
            BackboneKind.ShuffleNetV2_x0_5, FileName, Convert.ToHexStringLower(SHA256.HashData(_content)), _content.Length);
    }

    [OneTimeTearDown]
    public void DropWeights() => _folder.Dispose();

    [Test]
    public void Auto_IsTheDefault_AndTakesWhatIsInTheCache()
    {
        Assert.That(Backbone.ResNet18.Weights, Is.EqualTo(PretrainedWeights.Auto));
        using var server = new LoopbackServer(_content);
        WeightsCache cache = Cache("auto", server);
        Assert.That(StartingWeights.Of(ShuffleNet, cache), Is.Null);
        Assert.That(StartingWeights.Advice(ShuffleNet), Does.Contain("random").And.Contain("shufflenetv2_x0.5-f707e7126e.pth")
            .And.Contain("Backbone.Weights = PretrainedWeights.ImageNet").And.Contain("6 MB"));

        Put(cache);
        StartingWeights found = StartingWeights.Of(ShuffleNet, cache)!;
        Assert.That(found.Path, Is.EqualTo(cache.PathOf(_published)));
        Assert.That(found.Origin.ToString(), Does.Contain(FileName).And.Contain(_published.Sha256).And.Contain("torchvision").And
            .Contain("BSD-3-Clause"));
        Assert.That(StartingWeights.Of(Backbone.Plain(4), cache), Is.Null, "nothing is published for it");
        Assert.That(StartingWeights.Advice(Backbone.Plain(4)), Is.Null);
        Assert.That(server.Requests, Is.Empty, "nobody asked for a download");
    }

    [Test]
    public void None_IsRandom_WhateverIsInTheCache()
    {
        WeightsCache cache = Cache("none", null);
        Put(cache);
        Backbone random = ShuffleNet with { Weights = PretrainedWeights.None };
        Assert.That(StartingWeights.Of(random, cache), Is.Null);
        Assert.That(StartingWeights.Advice(random), Is.Null, "whoever chose need not be told");
    }

    [Test]
    public void ImageNet_IsDownloadedOnce_AndTheDetectorStartsFromIt()
    {
        using var server = new LoopbackServer(_content);
        WeightsCache cache = Cache("imagenet", server);
        Backbone backbone = ShuffleNet with { Weights = PretrainedWeights.ImageNet };
        StartingWeights weights = StartingWeights.Of(backbone, cache)!;
        Assert.That(StartingWeights.Of(backbone, cache), Is.EqualTo(weights));
        Assert.That(server.Requests, Has.Count.EqualTo(1));

        using DisposeScope scope = NewDisposeScope();
        random.manual_seed(8);
        foreach (DetectorPlan plan in (DetectorPlan[])[DetectorPlan.FasterRcnn(backbone, 64), DetectorPlan.OneStage(backbone, 64)])
        {
            using Detector detector = plan.Build(TestDetectors.Statistics, weights);
            using WeightsFile file = WeightsFile.Open(weights.Path);
            Assert.That(TensorArrays.Floats(detector.state_dict()["backbone.conv1.0.weight"]),
                Is.EqualTo(TensorArrays.Floats(file.Read("conv1.0.weight"))));
            Assert.That(detector.Weights, Is.EqualTo(_published.ToOrigin()));
        }
    }

    [Test]
    public void ImageNet_IsRefused_WhereNothingIsPublished()
        => Assert.That(() => DetectorPlan.FasterRcnn(Backbone.VggM with { Weights = PretrainedWeights.ImageNet }),
            Throws.ArgumentException.With.Message.Contains("Backbone.Weights").And.Message.Contains("VggM").And.Message
                .Contains("ResNet18"));

    [Test]
    public void File_IsAPathAlone_AndAPublishedOneIsKnownUnderAnyName()
    {
        WeightsCache cache = Cache("file", null);
        string own = Golden.Path("Weights", "plain.pth");
        Backbone plain = Backbone.Plain(4, 6) with { Weights = own };
        Assert.That(plain.Weights, Is.EqualTo(PretrainedWeights.FromFile(own)));
        Assert.That(plain.Weights.Path, Is.EqualTo(own));
        StartingWeights mine = StartingWeights.Of(plain, cache)!;
        Assert.That(mine.Origin, Is.EqualTo(new WeightsOrigin("plain.pth", WeightsCache.HashOf(own))), "nobody knows its terms");

        string renamed = _folder.Sub("mine.bin");
        File.WriteAllBytes(renamed, _content);
        StartingWeights known = StartingWeights.Of(ShuffleNet with { Weights = renamed }, cache)!;
        Assert.That(known.Origin, Is.EqualTo(_published.ToOrigin() with { File = "mine.bin" }));
        Assert.That(() => PretrainedWeights.FromFile(""), Throws.ArgumentException);
    }

    [Test]
    public void Origin_StaysWithTheDetector_InItsFile_InParts_AndRead()
    {
        WeightsCache cache = Cache("origin", null);
        Put(cache);
        using DisposeScope scope = NewDisposeScope();
        Backbone backbone = ShuffleNet with { Compression = new CompressionOptions { FlopsShare = 0.5 } };
        using Detector detector = DetectorPlan.FasterRcnn(backbone, 64)
            .Build(TestDetectors.Statistics, StartingWeights.Of(backbone, cache));
        Assert.That(detector.Weights, Is.EqualTo(_published.ToOrigin()));
        var model = DetectorFile.Export(detector);
        Assert.That(model.Metadata["ml-distillation.weights"], Does.Contain(_published.Sha256).And.Contain("BSD-3-Clause"));
        using Detector again = DetectorFile.Load(model);
        Assert.That(again.Weights, Is.EqualTo(detector.Weights));

        using Detector fresh = DetectorPlan.FasterRcnn(Backbone.Plain(4), 64).Build(TestDetectors.Statistics);
        Assert.That(DetectorFile.Export(fresh).Metadata, Does.Not.ContainKey("ml-distillation.weights"));
    }

    [Test]
    public void OnnxGraph_IsWhatItsParametersStartedFrom()
    {
        using var trunk = new TrunkFile();
        using DisposeScope scope = NewDisposeScope();
        DetectorPlan[] plans = [DetectorPlan.FasterRcnn(trunk.Backbone(3), 64), DetectorPlan.OneStage(trunk.Backbone(3), 64)];
        foreach (DetectorPlan plan in plans)
        {
            using Detector detector = plan.Build(TestDetectors.Statistics, StartingWeights.Of(plan.Network));
            Assert.That(detector.Weights, Is.EqualTo(new WeightsOrigin(Path.GetFileName(trunk.Path), WeightsCache.HashOf(trunk.Path))));
        }
    }

    [TestCase(null)]
    [TestCase("")]
    [TestCase("[]")]
    [TestCase("{}")]
    [TestCase("{\"File\":null,\"Sha256\":\"0\"}")]
    [TestCase("no JSON")]
    public void Origin_ThatCannotBeRead_IsNotKnown(string? json) => Assert.That(WeightsOrigin.FromJson(json), Is.Null);

    [Test]
    public void ContinuedTraining_NeedsNoWeights()
    {
        string folder = _folder.Sub("continued/x")[..^2];
        WriteCheckpoint(folder, origin: null);
        TrainingSetup setup = Setup(ShuffleNet with { Weights = PretrainedWeights.ImageNet }, folder);
        Assert.That(setup.FindWeights(null, Cache("continued-cache", null)), Is.Null, "its parameters are in the checkpoint");
        Assert.That(() => (setup with { Options = setup.Options with { CheckpointDirectory = null } })
            .FindWeights(null, Cache("continued-cache", null)), Throws.InstanceOf<IOException>());
    }

    [Test]
    public void ContinuedTraining_OfLayersInParts_StartsFromWhatItStartedFrom()
    {
        // Which ranks the layers have followed from the weights, so the cache must not decide them anew.
        Backbone parts = ShuffleNet with { Compression = new CompressionOptions { FlopsShare = 0.5 } };
        WeightsCache empty = Cache("parts-empty", null), full = Cache("parts-full", null);
        Put(full);
        string begunRandomly = _folder.Sub("parts-random/x")[..^2], begunFrom = _folder.Sub("parts-from/x")[..^2];
        WriteCheckpoint(begunRandomly, null);
        WriteCheckpoint(begunFrom, _published.ToOrigin());
        Assert.That(Setup(parts, begunRandomly).FindWeights(null, full), Is.Null);
        Assert.That(Setup(parts, begunFrom).FindWeights(null, full)!.Origin, Is.EqualTo(_published.ToOrigin()));
        Assert.That(() => Setup(parts, begunFrom).FindWeights(null, empty),
            Throws.TypeOf<FileNotFoundException>().With.Message.Contains(FileName));
    }

    private static TrainingSetup Setup(Backbone backbone, string checkpoints) => new TrainDetectorOptions
    {
        Detector = DetectorPlan.FasterRcnn(backbone, 64),
        CheckpointDirectory = checkpoints,
    }.Setup;

    private static void WriteCheckpoint(string folder, WeightsOrigin? origin) => SafetensorsFile.Write(
        Path.Combine(folder, Checkpoint.FileName), new Dictionary<string, Tensor>(),
        origin is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["weights"] = origin.ToJson() });

    private WeightsCache Cache(string name, LoopbackServer? server) => new(Path.Combine(_folder.Path, name))
    {
        Published = [_published],
        Source = server?.Address ?? "http://127.0.0.1:9/",
    };

    private void Put(WeightsCache cache)
    {
        Directory.CreateDirectory(cache.Folder);
        File.WriteAllBytes(cache.PathOf(_published), _content);
    }
}
