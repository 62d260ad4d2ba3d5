using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Teachers.Onnx;
using Microsoft.ML.Distillation.Training;

namespace Microsoft.ML.Distillation.Tests.Detectors;

/// <summary>Models that someone made to do harm, or that were damaged: refused by the documented exception, before room is made.</summary>
public class MalformedModelTests
{
    private const long LittleMemory = 64 << 20;

    [TestCase("\"HeadWidth\":\\d+", "\"HeadWidth\":2000000")]
    [TestCase("\"HeadWidth\":\\d+", "\"HeadWidth\":-1")]
    [TestCase("\"RpnChannels\":\\d+", "\"RpnChannels\":50000000")]
    [TestCase("\"RoiSize\":\\d+", "\"RoiSize\":5000")]
    [TestCase("\"InputSize\":\\{[^}]*\\}", "\"InputSize\":{\"Width\":2000000000,\"Height\":2000000000}")]
    [TestCase("\"InputSize\":\\{[^}]*\\}", "\"InputSize\":{\"Width\":16384,\"Height\":16384}")]
    [TestCase("\"Widths\":\\[[^]]*\\]", "\"Widths\":[8,1000000,1000000]")]
    [TestCase("\"Widths\":\\[[^]]*\\]", "\"Widths\":null")]
    [TestCase("\"Backbone\":\\{", "\"Backbone\":null,\"Ignored\":{")]
    [TestCase("\"Kind\":\"Plain\"", "\"Kind\":77")]
    [TestCase("\"Kind\":\"Plain\"", "\"Kind\":\"Onnx\"")]
    [TestCase("\"AnchorSizes\":\\[\\[[^]]*\\]\\]", "\"AnchorSizes\":[]")]
    [TestCase("\"AnchorSizes\":\\[\\[[^]]*\\]\\]", "\"AnchorSizes\":[null]")]
    [TestCase("\"AnchorSizes\":\\[\\[[^]]*\\]\\]", "\"AnchorSizes\":[[]]")]
    [TestCase("\"AnchorRatios\":\\[[^]]*\\]", "\"AnchorRatios\":[-1]")]
    [TestCase("\"ClassNames\":\\[[^]]*\\]", "\"ClassNames\":[null]")]
    [TestCase("\"ClassNames\":\\[[^]]*\\]", "\"ClassNames\":[]")]
    [TestCase("\"Ranks\":\\{\\}", "\"Ranks\":{\"head.fc6\":[2000000000]}")]
    [TestCase("\"Ranks\":\\{\\}", "\"Ranks\":{\"head.fc6\":[]}")]
    [TestCase("^.*$", "{")]
    [TestCase("^.*$", "[]")]
    public void ADescriptionThatCannotBe_IsRefused_BeforeRoomIsMade(string pattern, string text)
    {
        OnnxModelFile model = Changed(DetectorGraph.ArchitectureKey, description =>
        {
            string changed = Regex.Replace(description, pattern, text, RegexOptions.None, TimeSpan.FromSeconds(5));
            Assert.That(changed, Is.Not.EqualTo(description), "the text is there");
            return changed;
        });
        long before = GC.GetAllocatedBytesForCurrentThread();
        FormatException? error = Assert.Throws<FormatException>(() => DetectorFile.Load(model).Dispose());
        Assert.That(error!.Message, Has.Length.LessThan(500));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(LittleMemory));
    }

    [Test]
    public void MutatedDescriptions_AreReadOrRefused()
    {
        OnnxModelFile model = Single(TrainedModels.TwoStage), oneStage = Single(TrainedModels.OneStage);
        foreach (OnnxModelFile one in (OnnxModelFile[])[model, oneStage])
        {
            var mutator = new Mutator(5, [Encoding.UTF8.GetBytes(one.Metadata[DetectorGraph.ArchitectureKey])]);
            for (int i = 0; i < 100; i++)
            {
                string text = Encoding.UTF8.GetString(mutator.Next());
                ReadsOrRefuses(() => DetectorFile.Load(With(one, DetectorGraph.ArchitectureKey, text)).Dispose(), text);
            }
        }
    }

    [Test]
    public void ParametersOfAnotherSizeThanTheySay_AreRefused()
    {
        OnnxModelFile model = Single(TrainedModels.TwoStage);
        foreach (TensorProto tensor in model.Model.Graph.Initializer.Where(t => t.RawData.Length > 8))
            tensor.RawData = Google.Protobuf.ByteString.CopyFrom(tensor.RawData.Span[..^4]);
        Assert.That(() => DetectorFile.Load(model), Throws.InstanceOf<FormatException>().With.Message.Contains("its shape says otherwise"));
    }

    [TestCase("{0: disc", "cannot be read")]
    [TestCase("[null, \"a\"]", "no list of names")]
    [TestCase("null", "no list of names")]
    [TestCase("[]", "no list of names")]
    public void NamesThatCannotBeRead_AreRefused_WithTheFile(string names, string why)
    {
        using var folder = new TemporaryFolder();
        string path = folder.Sub("model.onnx");
        File.WriteAllBytes(path, Changed(DetectorGraph.NamesKey, _ => names).ToBytes());
        foreach (Func<object> open in (Func<object>[])[() => TrainedDetector.FromModel(path), () => ObjectDetector.Load(path)])
            Assert.That(() => open(), Throws.InstanceOf<FormatException>().With.Message.Contains(path).And.Message.Contains(why));
    }

    [Test]
    public void FewerNamesThanClasses_AreSaid_WhereAClassIsFoundThatHasNone()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Sub("model.onnx");
        File.WriteAllBytes(path, Changed(DetectorGraph.NamesKey, _ => "[\"disc\"]").ToBytes());
        using var detector = ObjectDetector.Load(path, new ObjectDetectorOptions { ScoreThreshold = 0 });
        Assert.That(() =>
        {
            foreach (string image in ImageLoader.FilesIn(TrainedModels.Images.At("JPEGImages"))) detector.Detect(image);
        }, Throws.InstanceOf<FormatException>().With.Message.Contains(path).And.Message.Contains("names 1 class"));
    }

    [Test]
    public void AZipThatUnpacksToGigabytes_IsRefused_BeforeRoomIsMade()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Sub("bomb.zip");
        using (ZipArchive zip = ZipFile.Open(path, ZipArchiveMode.Create))
        using (Stream entry = zip.CreateEntry("TransformerChain/OnnxModel").Open())
        {
            byte[] zeros = new byte[1 << 20];
            for (int i = 0; i < 100; i++) entry.Write(zeros);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(() => TrainedDetector.FromModel(path),
            Throws.InstanceOf<FormatException>().With.Message.Contains(path).And.Message.Contains("unpacks to more"));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(LittleMemory));
    }

    [Test]
    public void MutatedWeightsAndCheckpoints_AreReadOrRefused()
    {
        using var folder = new TemporaryFolder();
        using Detector detector = DetectorFile.Load(Single(TrainedModels.TwoStage));
        string whole = folder.Sub("whole"), path = folder.Sub(Checkpoint.FileName);
        TrainedWeightsFile.Write(whole, detector, new Dictionary<string, string> { ["note"] = "{}" });
        byte[] content = File.ReadAllBytes(whole);
        int header = 8 + BitConverter.ToInt32(content);
        var mutator = new Mutator(6, [content[..header]]);
        for (int i = 0; i < 150; i++)
        {
            byte[] start = mutator.Next();
            File.WriteAllBytes(path, [.. start, .. content.AsSpan(header)]);
            ReadsOrRefuses(() => TrainedDetector.FromModel(path), Encoding.UTF8.GetString(start.AsSpan(0, Math.Min(300, start.Length))));
            ReadsOrRefuses(() => Checkpoint.SeedIn(folder.Path), "seed");
            ReadsOrRefuses(() => Checkpoint.WeightsIn(folder.Path), "weights");
        }
    }

    [TestCase(-1, 4, 0)]
    [TestCase(1, -4, 0)]
    [TestCase(int.MaxValue, int.MaxValue, int.MaxValue)]
    [TestCase(1, 3, 1 << 29)]
    [TestCase(2, 3, 0)]
    public void AnAnswerWithAForgedChecksum_IsMissing(int count, int probabilities, int bins)
    {
        byte[] bytes = AnswerCache.Encode(new DensePredictions([0, 0, 1, 1], [.1f, .2f, .7f], [.9f]));
        Assert.That(AnswerCache.Decode(bytes), Is.Not.Null);
        BitConverter.TryWriteBytes(bytes, count);
        BitConverter.TryWriteBytes(bytes.AsSpan(4), probabilities);
        BitConverter.TryWriteBytes(bytes.AsSpan(8), bins);
        System.Security.Cryptography.SHA256.HashData(bytes.AsSpan(..^8)).AsSpan(0, 8).CopyTo(bytes.AsSpan(^8..));
        Assert.That(AnswerCache.Decode(bytes), Is.Null);
    }

    private static void ReadsOrRefuses(Action read, string text)
    {
        long started = Environment.TickCount64;
        try
        {
            read();
        }
        catch (FormatException e)
        {
            Assert.That(e.Message, Has.Length.LessThan(2000));
        }
        catch (Exception e)
        {
            Assert.Fail($"{e.GetType()}: {e.Message} of {text}\n{e.StackTrace}");
        }

        Assert.That(Environment.TickCount64 - started, Is.LessThan(20_000), text);
    }

    private static OnnxModelFile Single(string path) => OnnxModelFile.LoadAll(path).Single(DetectorGraph.IsDetector);

    private static OnnxModelFile Changed(string key, Func<string, string> change)
    {
        OnnxModelFile model = FittedDetectors.In(TrainedModels.TwoStage);
        return With(model, key, change(model.Metadata[key]));
    }

    private static OnnxModelFile With(OnnxModelFile model, string key, string value)
    {
        ModelProto copy = model.Model.Clone();
        foreach (StringStringEntryProto entry in copy.MetadataProps.Where(entry => entry.Key == key)) entry.Value = value;
        return new OnnxModelFile(copy);
    }
}
