using System.Diagnostics;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using Microsoft.ML.Distillation.Published;

namespace Microsoft.ML.Distillation.Tests.Onnx;

public class OnnxModelFileTests
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("ml-distillation").FullName;

    [TearDown]
    public void Delete() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void ParametersAndMetadata_ComeBack_FromAFile()
    {
        string path = Path.Combine(_folder, "model.onnx");
        AtomicFile.Write(path, Scale().ToBytes());

        OnnxModelFile model = OnnxModelFile.LoadAll(path).Single();

        Assert.That(model.Metadata["purpose"], Is.EqualTo("test"));
        Assert.That(model.Parameters()["layer.weight"].Shape, Is.EqualTo(new long[] { 1, 2 }));
        Assert.That(model.Parameters()["layer.weight"].Values, Is.EqualTo(new[] { 2f, 3f }));
    }

    [Test]
    public void RenamedModel_ComputesTheSame_UnderOtherNames()
    {
        OnnxModelFile renamed = Scale().Rename(name => "my." + name);

        Array y = OnnxRun.Run(renamed.ToBytes(), OnnxRun.Value("my.x", new[] { 1f, 10f }, 1, 2))["my.y"];

        Assert.That(y, Is.EqualTo(new[] { 2f, 30f }));
    }

    /// <summary>To open a pipe is to wait for ever: whatever reads models says what it is.</summary>
    [Test]
    public void Pipe_IsAnErrorAtOnce_WhereverAModelIsRead()
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("On Linux alone a pipe is told from a file.");
        string pipe = Path.Combine(_folder, "pipe.onnx"), model = Path.Combine(_folder, "model.onnx");
        using (Process process = Process.Start("mkfifo", [pipe])) process.WaitForExit();
        var external = new OnnxModelFile(Scale().Model.Clone());
        external.Model.Graph.Initializer.Add(new TensorProto
        {
            Name = "far",
            DataLocation = TensorProto.Types.DataLocation.External,
            ExternalData = { new StringStringEntryProto { Key = "location", Value = "pipe.onnx" } },
        });
        Action[] readers =
        [
            () => OnnxModelFile.LoadAll(pipe), () => OnnxModelFile.IsZip(pipe), () => EmbeddedClassNames.In(pipe),
            () => EmbeddedClassNames.ProblemOf(pipe), () => OnnxModelInspection.Of(pipe), () => ObjectDetector.Load(pipe).Dispose(),
            () => SessionLoader.Load(pipe, ["y"], new OnnxDetectorOptions()),
            () => OnnxFingerprint.Of(pipe, OnnxDetectorFormat.Auto, ["a"], new OnnxDetectorOptions()),
            () => ExternalData.Fill(external.Model, model),
        ];
        foreach (Action read in readers)
        {
            Task reading = Task.Run(() => Assert.That(() => read(), Throws.TypeOf<FormatException>().With.Message.Contains("pipe")));
            Assert.That(reading.Wait(TimeSpan.FromSeconds(10)), "it waits");
        }
    }

    [Test]
    public void OtherFiles_AreRefused_ByName()
    {
        string path = Path.Combine(_folder, "notes.txt");
        File.WriteAllText(path, "no model at all");
        Assert.That(() => OnnxModelFile.LoadAll(path), Throws.TypeOf<FormatException>().With.Message.Contains("notes.txt"));
        File.WriteAllText(path, "");
        Assert.That(() => OnnxModelFile.LoadAll(path), Throws.TypeOf<FormatException>().With.Message.Contains("notes.txt"));
        File.WriteAllText(path, "PK but no zip");
        Assert.That(() => OnnxModelFile.LoadAll(path), Throws.TypeOf<FormatException>().With.Message.Contains("notes.txt"));
        string zip = Path.Combine(_folder, "notes.zip");
        File.WriteAllText(zip, "no model at all");
        Assert.That(() => OnnxModelFile.LoadAll(zip), Throws.TypeOf<FormatException>().With.Message
            .Contains("notes.zip' is not an ML.NET model: it is no zip archive"));
        Assert.That(() => OnnxModelFile.LoadAll(path + "x"), Throws.TypeOf<FileNotFoundException>().With.Message.Contains("notes.txtx"));
    }

    [Test]
    public void AtomicFile_ReplacesWhatWasThere_AndLeavesNothingBeside()
    {
        string path = Path.Combine(_folder, "sub", "file");
        AtomicFile.Write(path, [1]);
        AtomicFile.Write(path, [2, 3]);
        Assert.That(File.ReadAllBytes(path), Is.EqualTo(new byte[] { 2, 3 }));
        Assert.That(Directory.GetFiles(Path.GetDirectoryName(path)!), Has.Length.EqualTo(1));
    }

    [Test]
    public void AtomicFile_WritesThroughALink_WhichStays()
    {
        if (OperatingSystem.IsWindows()) Assert.Ignore("Windows lets not every user make links.");
        string path = Path.Combine(_folder, "store", "file"), link = Path.Combine(_folder, "link");
        File.CreateSymbolicLink(link, path);
        foreach (byte content in (byte[])[1, 2])
        {
            AtomicFile.Write(link, [content]);
            Assert.That(File.ReadAllBytes(path), Is.EqualTo(new[] { content }));
        }

        Assert.That(new FileInfo(link).LinkTarget, Is.EqualTo(path));
    }

    [Test]
    public void AtomicFile_RefusesWhatIsNoFile_AndLeavesIt()
    {
        Assert.That(() => AtomicFile.Write(_folder, [1]), Throws.TypeOf<IOException>().With.Message.Contains("is a folder"));
        if (!OperatingSystem.IsLinux()) return;
        string pipe = Path.Combine(_folder, "pipe");
        System.Diagnostics.Process.Start("mkfifo", [pipe]).WaitForExit();
        Assert.That(() => AtomicFile.Write(pipe, [1]), Throws.TypeOf<IOException>().With.Message
            .Contains($"'{pipe}' is a device or a pipe"));
        Assert.That(() => AtomicFile.Write(pipe, beside => File.WriteAllText(beside, "")), Throws.TypeOf<IOException>());
        Assert.That(() => AtomicFile.Check("/dev/null"), Throws.TypeOf<IOException>());
        Assert.That(Directory.GetFiles(_folder), Is.EqualTo(new[] { pipe }));
        Assert.That(FileKind.IsSpecial(pipe));
        Assert.That(() => OnnxModelFile.LoadAll(pipe), Throws.TypeOf<FormatException>().With.Message
            .Contains($"'{pipe}' is a device, a pipe or a socket"));
    }

    private static OnnxModelFile Scale()
    {
        var graph = new GraphBuilder();
        graph.Input("x", TensorProto.Types.DataType.Float, 1, 2);
        graph.Output("y", graph.Add("Mul", ["x", graph.Parameter("layer.weight", [2, 3], 1, 2)]), TensorProto.Types.DataType.Float, 1, 2);
        return new OnnxModelFile(graph.Build([new("purpose", "test")]));
    }
}
