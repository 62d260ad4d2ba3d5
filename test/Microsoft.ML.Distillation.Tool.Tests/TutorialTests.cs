using System.Text.RegularExpressions;

namespace Microsoft.ML.Distillation.Tests.Tool;

/// <summary>The tutorials' commands, as they stand but for an epoch, on drawn images.</summary>
[Explicit("Trains for minutes.")]
public partial class TutorialTests
{
    [TestCase("tutorial-onnx-teacher.md")]
    [TestCase("tutorial-few-labels.md")]
    [TestCase("tutorial-8-bit.md")]
    public void EveryCommand_RunsAsItStands(string page)
    {
        using var folder = new TemporaryFolder();
        using var drawn = new DrawnFolder(train: 4, val: 2, test: 2);
        foreach (string name in (string[])["data", "few"]) Copy(drawn.Path, folder.Sub(name));
        Copy(drawn.At("JPEGImages"), folder.Sub("photos"));
        File.Copy(drawn.Image(0), folder.Sub("data/photo.png"));
        File.Copy(TrainedModels.OneStage, folder.Sub("student.zip"));
        if (page != "tutorial-few-labels.md") File.Copy(TrainedModels.TwoStage, folder.Sub("teacher.zip"));
        using TeacherGraph graph = new TeacherGraph("batch").Output("scores", [.1f, .8f, .1f], [1, 3])
            .Output("boxes", [.1f, .1f, .4f, .5f], [1, 4]);
        File.Copy(graph.Save(), folder.Sub("teacher.onnx"));
        File.WriteAllLines(folder.Sub("teacher.txt"), ["square", "disc"]);

        string text = File.ReadAllText(Path.Combine(TestData.Repository(), "docs", page));
        string[] commands = [.. Block().Matches(text).SelectMany(block => block.Groups["code"].Value.Split('\n'))
            .Where(line => line.StartsWith("ml-distill ", StringComparison.Ordinal))];
        Assert.That(commands, Has.Length.GreaterThan(3));
        foreach (string command in commands)
        {
            TestContext.Out.WriteLine(command);
            ProgramRun run = ProgramRun.Of(ProgramRun.Find("Microsoft.ML.Distillation.Tool", name: "ml-distill"), folder.Path,
                Epochs().Replace(command, "--epochs 1").Split(' ')[1..]);
            Assert.That(run.ExitCode, Is.Zero, $"{command}\n{run.Error}");
        }
    }

    private static void Copy(string from, string to)
    {
        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target, overwrite: true);
        }
    }

    [GeneratedRegex(@"```\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"--epochs \d+")]
    private static partial Regex Epochs();
}
