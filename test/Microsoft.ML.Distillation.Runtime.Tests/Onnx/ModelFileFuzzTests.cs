using System.IO.Compression;
using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using Microsoft.ML.Distillation.Published;

namespace Microsoft.ML.Distillation.Tests.Onnx;

/// <summary>Mutations of model files for whatever reads them without running them: they are read, or refused as no model.</summary>
public class ModelFileFuzzTests
{
    private static IEnumerable<FuzzTarget> Targets => [Own, Zip, Names, Graphs];

    private static FuzzTarget Own => new("detector of ours", [ToyDetector.Model().ToBytes(), Written("two-stage.onnx")], content =>
    {
        foreach (OnnxModelFile model in OnnxModelFile.LoadAll(content, "file"))
        {
            if (!DetectorGraph.IsDetector(model)) continue;
            _ = DetectorGraph.ClassNames(model).Count + DetectorGraph.CountParameters(model);
            _ = PlainForm.InputSize(model);
            if (!DetectorGraph.IsPlain(model)) PlainForm.Of(model).ToBytes();
        }
    }, IsDocumented);

    private static FuzzTarget Zip => new("model .zip", [Written("two-stage.zip"), Zipped(ToyDetector.Model())],
        content => OnnxModelFile.LoadAll(content, "file"), IsDocumented);

    private static FuzzTarget Names => new("names in a model", [Published("{0: 'a', 1: 'b'}"), Published("[\"a\"]")], content =>
    {
        OnnxModelFile model = OnnxModelFile.Parse(content, "file");
        _ = EmbeddedClassNames.In(model);
        if (EmbeddedClassNames.Absence(model).Length > 1000) Assert.Fail("The message is too long.");
    }, IsDocumented);

    private static FuzzTarget Graphs => new("surgery", [ToyDetector.Model().ToBytes()], content =>
    {
        ModelProto model = OnnxModelFile.Parse(content, "file").Model;
        string[] some = [.. GraphSurgery.Tensors(model).Take(3)];
        _ = GraphSurgery.Expose(model, some, "file");
        _ = GraphSurgery.Part(model, some, "file");
        _ = new OnnxModelFile(model).Rename(name => "x" + name).ToBytes();
        ExternalData.Fill(model, Path.Combine(Path.GetTempPath(), "no-such-folder", "model.onnx"));
    }, error => IsDocumented(error) || error is FileNotFoundException);

    private static IEnumerable<string> TargetNames => Targets.Select(target => target.Name);

    [TestCaseSource(nameof(TargetNames))]
    public void ModelFile_IsRead_OrRefused(string target) => Find(target).Run(FuzzRun.ModelCases);

    [Explicit("Long; ML_DISTILLATION_FUZZ_MINUTES says how long.")]
    [TestCaseSource(nameof(TargetNames))]
    public void ModelFile_IsRead_OrRefused_ForLong(string target) => Find(target).Run(FuzzRun.LongTime);

    private static FuzzTarget Find(string name) => Targets.Single(target => target.Name == name);

    private static bool IsDocumented(Exception error) => error is FormatException or NotSupportedException;

    private static byte[] Written(string name) => File.ReadAllBytes(SavedModels.At(name));

    private static byte[] Published(string names)
    {
        var graph = new GraphBuilder();
        string image = graph.Input("images", TensorProto.Types.DataType.Float, 1, 3, 64, 64);
        graph.Output("output0", graph.Add("Relu", [image]), TensorProto.Types.DataType.Float, 1, 3, 64, 64);
        return new OnnxModelFile(graph.Build([new("names", names)])).ToBytes();
    }

    private static byte[] Zipped(OnnxModelFile model)
    {
        var content = new MemoryStream();
        using (var archive = new ZipArchive(content, ZipArchiveMode.Create, leaveOpen: true))
        {
            byte[] bytes = model.ToBytes();
            using Stream entry = archive.CreateEntry("TransformerChain/OnnxModel", CompressionLevel.NoCompression).Open();
            entry.Write([.. BitConverter.GetBytes(bytes.Length), .. bytes]);
        }

        return content.ToArray();
    }
}
