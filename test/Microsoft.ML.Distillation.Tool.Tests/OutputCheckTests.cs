using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Samples.Demo.Scenes;

namespace Microsoft.ML.Distillation.Tests.Tool;

/// <summary>What cannot be written, or would replace what the command reads, is refused before any work.</summary>
public class OutputCheckTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void MakeFiles()
    {
        _folder = new TemporaryFolder();
        SceneDataSet.Write(_folder.Sub("data"), seed: 1, [("train", 2)]);
        _folder.Write("file.txt", "a file");
        File.WriteAllBytes(_folder.Sub("toy.onnx"), ToyDetector.Model().ToBytes());
        using MLImage image = ToyDetector.Image(40, 80, (1, 2, "red"));
        image.Save(_folder.Sub("images/a.png"));
        _folder.Write("gt.json", """{"images":[{"id":1,"file_name":"a.png"}],"categories":[{"id":8,"name":"red"}],"annotations":[]}""");
    }

    [TearDown]
    public void DeleteFiles() => _folder.Dispose();

    [TestCase("train --data {0}/data --output {0}/images", "--output '{0}/images' cannot be written", "is a folder")]
    [TestCase("train --data {0}/data --output {0}/new/", "--output '{0}/new/' cannot be written", "is a folder")]
    [TestCase("train --data {0}/data --output ''", "--output is empty", "")]
    [TestCase("train --data {0}/data --output {0}/file.txt/o.zip", "--output '{0}/file.txt/o.zip' cannot be written", "is a file")]
    [TestCase("distill --data {0}/data --teacher {0}/toy.onnx --output ''", "--output is empty", "")]
    [TestCase("distill --data {0}/data --teacher {0}/toy.onnx --output {0}/images --seeds 2", "--output '{0}/images' cannot be written",
        "is a folder")]
    [TestCase("distill --data {0}/data --teacher {0}/toy.onnx --output {0}/o.zip --report {0}/images",
        "--report '{0}/images' cannot be written", "is a folder")]
    [TestCase("distill --data {0}/data --teacher {0}/toy.onnx --output {0}/o.zip --report ''", "--report is empty", "")]
    [TestCase("compress --model {0}/toy.onnx --flops 0.5 --output {0}/images", "--output '{0}/images' cannot be written", "is a folder")]
    [TestCase("quantize --model {0}/toy.onnx --images {0}/images --output ''", "--output is empty", "")]
    [TestCase("label --teacher {0}/toy.onnx --images {0}/images --labelled {0}/data --output {0}/file.txt",
        "--output '{0}/file.txt' cannot be written", "is a file")]
    [TestCase("evaluate --model {0}/toy.onnx --data {0}/data --json {0}/images", "--json '{0}/images' cannot be written", "is a folder")]
    [TestCase("predict --model {0}/toy.onnx --images {0}/images --output {0}/o.json --draw {0}/file.txt",
        "--draw '{0}/file.txt' cannot be written", "is a file")]
    public void Place_ThatCannotBeWritten_IsRefusedFirst(string line, string named, string why) => AssertRefused(line, named, why);

    [Test]
    public void Name_ThatIsTooLong_IsRefusedFirst_WithoutTheNameOfTheFileTried()
    {
        string name = new('x', 300);
        ToolRun run = AssertRefused($"train --data {{0}}/data --output {{0}}/{name}.zip", $"{name}.zip' cannot be written");
        Assert.That(run.Error, Does.Not.Contain($".{name}"));
    }

    [TestCase("train --data {0}/data --output {0}/toy.onnx --from {0}/toy.onnx", "--output and --from")]
    [TestCase("distill --data {0}/data --teacher {0}/toy.onnx --output {0}/toy.onnx", "--output and --teacher")]
    [TestCase("distill --data {0}/data --teacher {0}/images/../toy.onnx --output {0}/toy.onnx", "--output and --teacher")]
    [TestCase("distill --data {0}/data --teacher {0}/o-alone.onnx --output {0}/o.onnx --control", "--output and --teacher")]
    [TestCase("distill --data {0}/data --teacher {0}/toy.onnx --output {0}/o-seed.zip --seed 4 --seeds 2 --report {0}/o-seed-seed5.zip",
        "--output and --report")]
    [TestCase("export --model {0}/toy.onnx --output {0}/toy.onnx", "--output and --model")]
    [TestCase("compress --model {0}/toy.onnx --flops 0.5 --output {0}/toy.onnx", "--output and --model")]
    [TestCase("quantize --model {0}/toy.onnx --images {0}/images --output {0}/toy.onnx", "--output and --model")]
    [TestCase("evaluate --model {0}/toy.onnx --data {0}/data --report {0}/toy.onnx", "--report and --model")]
    [TestCase("evaluate --ground-truth {0}/gt.json --detections {0}/dt.json --json {0}/gt.json", "--json and --ground-truth")]
    [TestCase("predict --model {0}/toy.onnx --images {0}/images --output {0}/gt.json --ids {0}/gt.json", "--output and --ids")]
    [TestCase("predict --model {0}/toy.onnx --images {0}/images/a.png --output {0}/images/a.png", "--output and --images")]
    [TestCase("predict --model {0}/toy.onnx --images {0}/images --output {0}/images/a.png",
        "--output: '{0}/images/a.png' is one of the images")]
    [TestCase("predict --model {0}/toy.onnx --images {0}/images --output {0}/o.json --draw {0}/images",
        "--draw: '{0}/images/a.png' is one of the images")]
    [TestCase("inspect --data {0}/inspection.json --format coco --out {0}", "--output and --data")]
    [TestCase("inspect-teacher --teacher {0}/toy.onnx --image {0}/images/a.png --draw {0}/images/a.png", "--draw and --image")]
    [TestCase("convert --data {0}/data --to voc --output {0}/data", "--output '{0}/data' is where the data set itself lies")]
    [TestCase("convert --data {0}/gt.json --from coco --to coco --output {0}", "--output '{0}' is where the data set itself lies")]
    [TestCase("convert --data {0}/data --to coco --output {0}/data/coco", "--output '{0}/data/coco' lies in the folder of --data")]
    [TestCase("label --teacher {0}/toy.onnx --images {0}/images --labelled {0}/data --output {0}/images/labels",
        "--output '{0}/images/labels' lies in the folder of --images")]
    public void Output_ThatWouldReplaceAnInput_IsRefusedFirst(string line, string named) => AssertRefused(line, named);

    [Test]
    public void Links_AreFollowed_ToFindThatTwoNamesAreOneFile()
    {
        if (OperatingSystem.IsWindows()) Assert.Ignore("Windows lets not every user make links.");
        File.CreateSymbolicLink(_folder.Sub("link.onnx"), "toy.onnx");
        Directory.CreateSymbolicLink(_folder.Sub("elsewhere"), _folder.Sub("images"));
        AssertRefused("export --model {0}/toy.onnx --output {0}/link.onnx", "--output and --model");
        AssertRefused("predict --model {0}/toy.onnx --images {0}/images --output {0}/o.json --draw {0}/elsewhere", "--draw: ");
    }

    [Test]
    public void Device_IsRefused_AndStays()
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("Devices are told from files on Linux alone.");
        string pipe = _folder.Sub("pipe");
        System.Diagnostics.Process.Start("mkfifo", [pipe]).WaitForExit();
        AssertRefused("export --model {0}/toy.onnx --output {0}/pipe", "is a device or a pipe");
        Assert.That(File.Exists(pipe));
    }

    private ToolRun AssertRefused(string line, params string[] named)
    {
        byte[] model = File.ReadAllBytes(_folder.Sub("toy.onnx"));
        string[] before = Directory.GetFileSystemEntries(_folder.Path, "*", SearchOption.AllDirectories);
        ToolRun run = ToolRun.Of([.. line.Split(' ').Select(word => word == "''" ? "" : word.Replace("{0}", _folder.Path))]);
        Assert.That(run.ExitCode, Is.EqualTo(2), run.Error);
        foreach (string words in named) Assert.That(run.Error, Does.Contain(words.Replace("{0}", _folder.Path)));
        Assert.That(run.Error.TrimEnd().Split('\n'), Has.Length.EqualTo(1), run.Error);
        Assert.That(run.Output, Is.Empty, "nothing was begun");
        Assert.That(Directory.GetFileSystemEntries(_folder.Path, "*", SearchOption.AllDirectories), Is.EquivalentTo(before),
            "nothing was left");
        Assert.That(File.ReadAllBytes(_folder.Sub("toy.onnx")), Is.EqualTo(model));
        return run;
    }
}
