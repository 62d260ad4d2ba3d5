using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Graphs;
using Microsoft.ML.Distillation.Detectors.Weights;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Teachers.Dense;
using Microsoft.ML.Distillation.Teachers.Onnx;
using Microsoft.ML.Distillation.Tests.Detectors.Graphs;
using Microsoft.ML.Distillation.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Detectors;

/// <summary>Mutations of the files of weights and networks that libtorch is made to hold: read, or refused as documented.</summary>
public class ModelFuzzTests
{
    private static readonly string Folder = Path.Combine(Path.GetTempPath(), $"ml-distillation-fuzz-{Environment.ProcessId}");

    private static IEnumerable<FuzzTarget> Targets =>
    [
        Weights("safetensors", "plain.safetensors"), Weights(".pth", "plain.pth", "types.pth", "nested.pt"),
        Weights(".pth before 1.6", "legacy.pth", "types_legacy.pth"), Pickle, SavedTraining, Description, DetectorOfOurs, Graph, Answer,
        Aliases,
    ];

    private static FuzzTarget Pickle => new("pickle", [Entry("plain.pth", "data.pkl"), Entry("types.pth", "data.pkl")],
        content => PickleReader.Read(content, new TorchVocabulary()), IsFormat);

    private static FuzzTarget SavedTraining => new("checkpoint", [SeedCheckpoint()], content =>
    {
        Written("checkpoint/" + Checkpoint.FileName, content);
        string folder = Path.Combine(Folder, "checkpoint");
        _ = Checkpoint.SeedIn(folder);
        _ = Checkpoint.WeightsIn(folder);
    }, IsFormat);

    private static FuzzTarget Description => new("description of a network",
        [.. ((string[])["one-stage.onnx", "two-stage.onnx"]).Select(name => Encoding.UTF8.GetBytes(DescriptionIn(name)))],
        content => DetectorFactory.FromDescription(Encoding.UTF8.GetString(content)).Dispose(), IsFormat);

    private static FuzzTarget DetectorOfOurs => new("detector of ours",
        [.. ((string[])["one-stage.onnx", "two-stage.onnx"]).Select(name => File.ReadAllBytes(SavedModels.At(name)))],
        content => DetectorFile.Load(OnnxModelFile.Parse(content, "file")).Dispose(), IsFormat);

    private static FuzzTarget Graph => new("graph of a backbone", [Trunk()], content =>
    {
        ModelProto model = OnnxModelFile.Parse(content, "file").Model;
        string[]? maps = model.Graph.Node.Any(node => node.Output.Contains("/layer2/out")) ? ["/layer2/out"] : null;
        GraphCut cut = GraphCut.From(model, "file", maps);
        GraphNetwork.FindMaps(cut, cut.Size.Height, cut.Size.Width);
    }, error => error is FormatException or ArgumentException or NotSupportedException or InvalidOperationException);

    /// <summary>Forged with a checksum that is right.</summary>
    private static FuzzTarget Answer => new("answer of a teacher",
        [
            AnswerCache.Encode(new DensePredictions([.1f, .2f, .3f, .4f], [.5f, .6f], [.6f]))[..^8],
            AnswerCache.Encode(new DensePredictions([.1f, .2f, .3f, .4f], [.5f], [.5f])
            {
                Edges = new EdgeBins(2, new float[8], new float[8]),
            })[..^8],
        ],
        content =>
        {
            DensePredictions? read = AnswerCache.Decode([.. content, .. SHA256.HashData(content).AsSpan(0, 8)]);
            if (read is not null && read.Boxes.Length != 4 * read.Count) Assert.Fail("What was read is not good.");
        }, _ => false);

    private static FuzzTarget Aliases => FuzzTarget.Of("aliases", ["# names\nmotorbike = motorcycle\ncat=feline\n"], content =>
    {
        string path = Written("aliases.txt", content);
        _ = ClassAliases.Of(new OnnxTeacherOptions { AliasFile = path }).Meaning("cat");
    }, IsFormat);

    [OneTimeTearDown]
    public void RemoveFolder()
    {
        if (Directory.Exists(Folder)) Directory.Delete(Folder, recursive: true);
    }

    private static IEnumerable<string> Names => Targets.Select(target => target.Name);

    [TestCaseSource(nameof(Names))]
    public void File_IsRead_OrRefused(string target) => Find(target).Run(FuzzRun.ModelCases);

    [Explicit("Long; ML_DISTILLATION_FUZZ_MINUTES says how long.")]
    [TestCaseSource(nameof(Names))]
    public void File_IsRead_OrRefused_ForLong(string target) => Find(target).Run(FuzzRun.LongTime);

    private static FuzzTarget Find(string name)
    {
        FuzzTarget target = Targets.Single(target => target.Name == name);
        return target with
        {
            Read = content =>
            {
                using DisposeScope scope = NewDisposeScope();
                target.Read(content);
            },
        };
    }

    private static FuzzTarget Weights(string name, params string[] seeds)
        => new(name, [.. seeds.Select(seed => File.ReadAllBytes(Golden.Path("Weights", seed)))], content =>
        {
            string path = Written("weights.bin", content);
            using WeightsFile file = WeightsFile.Open(path);
            foreach (string tensor in file.Tensors.Keys.ToArray()) file.Read(tensor).Dispose();
        }, IsFormat);

    private static bool IsFormat(Exception error) => error is FormatException;

    private static string Written(string name, byte[] content)
    {
        string path = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        return path;
    }

    private static byte[] Entry(string archive, string name)
    {
        using ZipArchive zip = ZipFile.OpenRead(Golden.Path("Weights", archive));
        using Stream stream = zip.Entries.Single(entry => entry.Name == name).Open();
        var content = new MemoryStream();
        stream.CopyTo(content);
        return content.ToArray();
    }

    private static byte[] SeedCheckpoint()
    {
        using Tensor weights = zeros(2, 3);
        string path = Path.Combine(Folder, "seed.checkpoint");
        Directory.CreateDirectory(Folder);
        var origin = new WeightsOrigin("a.pth", new string('0', 64));
        SafetensorsFile.Write(path, new Dictionary<string, Tensor> { ["module.0.a"] = weights },
            new Dictionary<string, string> { ["setting.Seed"] = "3", ["step"] = "4", ["weights"] = origin.ToJson() });
        return File.ReadAllBytes(path);
    }

    private static string DescriptionIn(string name)
        => OnnxModelFile.LoadAll(SavedModels.At(name))[0].Metadata[DetectorGraph.ArchitectureKey];

    private static byte[] Trunk()
    {
        using var trunk = new TrunkFile();
        return trunk.Graph.Build("logits").ToByteArray();
    }
}
