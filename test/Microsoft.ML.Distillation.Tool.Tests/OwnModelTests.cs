using Microsoft.ML.Distillation.Samples.Demo.Scenes;

namespace Microsoft.ML.Distillation.Tests.Tool;

/// <summary>A model of this library says itself how it is read.</summary>
public class OwnModelTests
{
    [TestCase("predict --model FILE --images DATA/JPEGImages --output NEVER.json")]
    [TestCase("evaluate --model FILE --data DATA")]
    [TestCase("label --teacher FILE --images DATA/JPEGImages --output NEVER")]
    [TestCase("distill --teacher FILE --data DATA --output NEVER.zip")]
    [TestCase("distill --teacher FILE --data DATA/JPEGImages --output NEVER.zip --no-labels")]
    public void Prompts_AreRefused_ByAllCommandsAlike(string command)
    {
        using var folder = new TemporaryFolder();
        SceneDataSet.Write(folder.Sub("data"), seed: 1, [("train", 1), ("test", 1)]);
        File.WriteAllBytes(folder.Sub("toy.onnx"), ToyDetector.Model().ToBytes());
        string[] words = [.. command.Split(' ').Select(word => word.Replace("FILE", folder.Sub("toy.onnx"))
            .Replace("DATA", folder.Sub("data")).Replace("NEVER", folder.Sub("never")))];
        ToolRun run = ToolRun.Of([.. words, "--prompt", "cat"]);
        Assert.That(run.ExitCode, Is.Not.Zero);
        Assert.That(
            run.Error, Does.Contain("toy.onnx' is a detector of this library, which says itself how it is read: leave out --prompt."));
    }
}
