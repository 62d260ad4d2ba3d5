using System.Text.RegularExpressions;
using Microsoft.ML.Distillation.Samples.Demo.Scenes;

namespace Microsoft.ML.Distillation.Tests.Tool;

public class WeightsCommandTests
{
    [Test]
    public void List_SaysWhatThereIs_WhereFrom_AndUnderWhichTerms()
    {
        ToolRun list = ToolRun.Succeeding("weights", "list");
        foreach (string name in (string[])["shufflenet-0.5", "shufflenet-1.0", "resnet18", "resnet34", "resnet50", "mobilenet-small",
            "mobilenet-large", "alexnet", "vgg16"])
        {
            Assert.That(list.Output, Does.Match($@"(?m)^{name}\s+[\d.]+ MB  not here$"));
        }

        Assert.That(list.Output, Does.Contain("http://127.0.0.1:9/resnet18-f37072fd.pth").And.Contain("BSD-3-Clause").And
            .Contain("ImageNet").And.Contain(PublishedWeights.CacheDirectory));
    }

    [Test]
    public void List_AndGet_SayWhatIsDamagedInTheCache()
    {
        string path = PublishedWeights.Of(Backbone.ResNet34)!.CachePath;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "something");
        try
        {
            Assert.That(ToolRun.Succeeding("weights", "list").Output,
                Does.Match($@"(?m)^resnet34\s+87\.3 MB  damaged: '{Regex.Escape(path)}' is not what was published"));
            Assert.That(ToolRun.Of("weights", "get", "resnet34").Error,
                Does.Contain("it is fetched anew").And.Contain("What lies there now is damaged"));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public void Path_IsTheCache()
        => Assert.That(ToolRun.Succeeding("weights", "path").Output.Trim(), Is.EqualTo(PublishedWeights.CacheDirectory));

    [Test]
    public void Get_WithoutANetwork_SaysWhatToPutWhere()
    {
        ToolRun get = ToolRun.Of("weights", "get", "resnet18");
        Assert.That(get.ExitCode, Is.EqualTo(1));
        Assert.That(get.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(1).And.Some
            .Contains("http://127.0.0.1:9/resnet18-f37072fd.pth").And.Some.Contains(PublishedWeights.CacheDirectory));
    }

    [Test]
    public void WhoTrainsFromRandomParameters_IsToldOnce_ByTheCommandsOwnNames()
    {
        using var folder = new TemporaryFolder();
        SceneDataSet.Write(folder.Sub("data"), seed: 1, [("train", 4), ("val", 2), ("test", 2)]);
        string[] line = ["train", "--data", folder.Sub("data"), "--output", folder.Sub("model.zip"), "--backbone", "shufflenet-0.5",
            "--stages", "1", "--input-size", "64", "--epochs", "1"];
        ToolRun told = ToolRun.Succeeding(line);
        Assert.That(told.Error, Does.Contain("--weights imagenet").And.Contain("--weights none").And.Not.Contain("PretrainedWeights"));
        Assert.That(ToolRun.Succeeding([.. line, "--weights", "none"]).Error, Does.Not.Contain("random"));

        string file = Golden.Path("Weights", "plain.pth");
        ToolRun named = ToolRun.Succeeding("train", "--data", folder.Sub("data"), "--output", folder.Sub("model.zip"), "--backbone",
            "plain",
            "--widths", "4,6", "--input-size", "64", "--epochs", "1", "--weights", file);
        Assert.That(named.Error, Does.Contain($"The backbone starts from {file}: plain.pth; SHA-256 "), "a result depends on it");
    }
}
