using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.ML.Distillation.Samples.Demo.Scenes;
using Microsoft.ML.Distillation.Tool;
using Microsoft.ML.Distillation.Tool.Commands;
using Microsoft.ML.Distillation.Tool.Runs;

namespace Microsoft.ML.Distillation.Tests.Tool;

/// <summary>The folder of a run: what it holds, and how a run is repeated and continued from it.</summary>
public class RunFolderTests
{
    private static readonly string[] Tiny = ["--backbone", "plain", "--widths", "4,4,8", "--input-size", "64", "--batch-size", "4"];

    private TemporaryFolder _folder = null!;

    private string Data => _folder.Sub("data");

    [OneTimeSetUp]
    public void DrawData()
    {
        _folder = new TemporaryFolder();
        SceneDataSet.Write(Path.Combine(_folder.Path, "data"), seed: 1, [("train", 8), ("val", 2), ("test", 3)]);
    }

    [OneTimeTearDown]
    public void DeleteData() => _folder.Dispose();

    [Test]
    public void ARun_HoldsWhatThereIsToKnow_AndIsRepeatedAndContinued()
    {
        string run = _folder.Sub("run");
        ToolRun first = ToolRun.Succeeding(["train", "--data", Data, "--run", run, .. Tiny, "--epochs", "2"]);
        string[] files = ["settings.yaml", "metrics.csv", "metrics.jsonl", "best.zip", "last.zip", "report.html", "log.txt",
            "checkpoints/training.checkpoint"];
        Assert.That(files.Where(file => !File.Exists(Path.Combine(run, file))), Is.Empty);
        Assert.That(Directory.GetFiles(Path.Combine(run, "tensorboard", "student")), Has.Length.EqualTo(1));
        JsonNode[] epochs = EpochsIn(run);
        Assert.That(epochs.Select(epoch => (int)epoch["epoch"]!), Is.EqualTo((int[])[1, 2]));
        Assert.That(File.ReadAllText(Path.Combine(run, "log.txt")), Does.Contain("train: epoch 2/2"));
        string settings = File.ReadAllText(Path.Combine(run, "settings.yaml"));
        Assert.That(settings, Does.Contain("epochs: 2").And.Contain("optimizer: adamw").And.Contain("LearningRate: ")
            .And.Contain("TorchSharp: ").And.Contain("training set: 8 images"));

        string again = _folder.Sub("again");
        ToolRun.Succeeding("train", "--config", Path.Combine(run, "settings.yaml"), "--run", again);
        Assert.That(EpochsIn(again).Select(Loss), Is.EqualTo(epochs.Select(Loss)), "the same settings are the same training");

        ToolRun resumed = ToolRun.Succeeding("train", "--resume", run);
        Assert.That(resumed.Output, Does.Not.Contain("epoch 1/2"));
        Assert.That(EpochsIn(run).Select(Loss), Is.EqualTo(epochs.Select(Loss)));
        Assert.That(ToolRun.Of(["train", "--data", Data, "--run", run]).Error, Does.Contain("holds a run already: --resume goes on"));
        Assert.That(ToolRun.Of("distill", "--resume", run).Error, Does.Contain("is of a run of 'train'"));

        static double Loss(JsonNode epoch) => (double)epoch["loss"]!;
    }

    [Test]
    public void Config_IsCheckedKeyByKey_AndTheCommandLineWins()
    {
        string config = _folder.Sub("config.yaml");
        File.WriteAllText(config, $"data: {Data}\nepoch: 3\n");
        ToolRun wrong = ToolRun.Of("train", "--config", config);
        Assert.That((wrong.ExitCode, wrong.Error),
            Is.EqualTo((2, $"ml-distill: {config}: 'epoch' is no option of 'train': did you mean epochs?{Environment.NewLine}")));
        File.WriteAllText(config, $"data: {Data}\nepoks: 3\n");
        Assert.That(ToolRun.Of("train", "--config", config).Error, Does.EndWith($"did you mean epochs?{Environment.NewLine}"));
        File.WriteAllText(config,
            $"data: {Data}\nepochs: 3\nbackbone: plain\nwidths: 4,4,8\ninput-size: 64\nno-flip: true\naugment: [scale=0.1]\n");
        ToolRun run = ToolRun.Succeeding("train", "--config", config, "--epochs", "1", "--run", _folder.Sub("short"));
        Assert.That(run.Output, Does.Contain("epoch 1/1"));
        Assert.That(File.ReadAllText(Path.Combine(_folder.Sub("short"), "settings.yaml")),
            Does.Contain("HorizontalFlip = False, ScaleJitter = 0.1"));
    }

    [TestCase("epochs: two", 2, "'epochs': --epochs must be a whole number")]
    [TestCase("epochs: [1, 2]", 2, "'epochs': ")]
    [TestCase("no-flip: maybe", 2, "'no-flip' is true or false, not 'maybe'")]
    [TestCase("augment: [scale=7]", 2, "'augment': --augment scale is from 0 to 0.99, not '7'")]
    [TestCase("strides: 8;16", 2, "'strides': ")]
    [TestCase("data: /nowhere", 1, "'data': There is no folder or file '/nowhere'")]
    public void ABadValueOfConfig_IsSaid_WithFileAndKey(string line, int exitCode, string said)
    {
        string config = _folder.Sub($"bad {exitCode}.yaml");
        File.WriteAllText(config, (line.StartsWith("data", StringComparison.Ordinal) ? "" : $"data: {Data}\n") + line);
        ToolRun run = ToolRun.Of("train", "--config", config, "--run", "none", "--output", _folder.Sub("none.zip"));
        Assert.That(run.ExitCode, Is.EqualTo(exitCode), run.Error);
        Assert.That(run.Error, Does.StartWith($"ml-distill: {config}: {said}"));
    }

    [Test]
    public void Resume_WithAnotherSetting_IsRefusedInItsOwnWords_AndTheRunStaysAsItWas()
    {
        string run = _folder.Sub("resumed");
        ToolRun.Succeeding(["train", "--data", Data, "--run", run, .. Tiny, "--epochs", "1"]);
        string settings = File.ReadAllText(Path.Combine(run, "settings.yaml"));
        ToolRun other = ToolRun.Of("train", "--resume", run, "--epochs", "3");
        Assert.That(other.ExitCode, Is.EqualTo(1));
        Assert.That(other.Error, Does.Contain("its --epochs is 1, and now it is 3. --resume goes on with a run as it was begun")
            .And.Contain($"'--config {Path.Combine(run, "settings.yaml")}' in its place").And.Not.Contain("--checkpoints"));
        Assert.That(File.ReadAllText(Path.Combine(run, "settings.yaml")), Is.EqualTo(settings));
        ToolRun.Succeeding("train", "--resume", run);
    }

    [Test]
    public void AFolderThatIsInUse_IsSaidToBe_AndNothingIsMadeInIt()
    {
        string run = _folder.Sub("used");
        using (RunFolder.New(run))
        {
            Assert.That(Directory.Exists(run), Is.False, "it is made once options and data are accepted");
            AssertRefused("--run", $"--run '{run}' is in use, another run writes it now: wait for its end, or name another folder");
            Directory.CreateDirectory(run);
            File.WriteAllText(Path.Combine(run, "settings.yaml"), "epochs: 1\n");
            AssertRefused("--run", "is in use");
            AssertRefused("--resume", $"--resume '{run}' is in use");
        }

        AssertRefused("--run", "holds a run already");

        void AssertRefused(string option, string said)
        {
            ToolRun refused = ToolRun.Of(["train", "--data", Data, option, run, .. Tiny]);
            Assert.That((refused.ExitCode, refused.Error.Contains(said)), Is.EqualTo((2, true)), refused.Error);
        }
    }

    [Test]
    public void AFolderThatCannotBeWritten_IsNamed_AndNoFileOfOurs()
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("A folder that root cannot write to is known of Linux alone.");
        ToolRun run = ToolRun.Of(["train", "--data", Data, "--run", "/sys/run", .. Tiny]);
        Assert.That(run.ExitCode, Is.EqualTo(2));
        Assert.That(run.Error, Does.StartWith("ml-distill: --run '/sys/run' cannot be written: ").And.Contain("'/sys'")
            .And.Contain("Name another folder").And.Not.Contain("lock"));
        Assert.That(() => new OutputLock("--output", "/sys/best.zip"), Throws.TypeOf<IOException>().With.Message
            .StartsWith("'/sys/best.zip' cannot be written: ").And.Message.EndsWith("Name another --output.")
            .And.Message.Not.Contains("lock"));
    }

    [Test]
    public void AFolderThatIsThere_IsEnough_WhereNothingCanBeWrittenBesideIt()
    {
        string run = _folder.Sub("sealed/run"), parent = Path.GetDirectoryName(run)!;
        Directory.CreateDirectory(run);
        if (!IsSealed("+i")) Assert.Ignore("No folder can be made immutable here, which takes root, Linux and chattr.");
        try
        {
            using (RunFolder.New(run))
                Assert.That(() => RunFolder.New(run), Throws.TypeOf<UsageException>().With.Message.Contains("is in use"));
            Assert.That(Directory.GetFileSystemEntries(run), Is.Empty);
            Assert.That(() => RunFolder.New(Path.Combine(parent, "other")), Throws.TypeOf<UsageException>().With.Message
                .Contains("cannot be written").And.Message.Contains($"'{parent}'").And.Message.Not.Contains("lock"));
        }
        finally
        {
            IsSealed("-i");
        }

        bool IsSealed(string change)
        {
            if (!OperatingSystem.IsLinux() || !File.Exists("/usr/bin/chattr")) return false;
            using var process = Process.Start(new ProcessStartInfo("/usr/bin/chattr", [change, parent]) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
    }

    [TestCase("--control --no-labels", "--control needs labels")]
    [TestCase("--label-score 0.5", "go with --unlabelled")]
    [TestCase("--val-split none --patience 2", "--patience looks at")]
    [TestCase("--no-augmentation --no-flip", "leaves nothing")]
    [TestCase("--prompt red", "leave out --prompt")]
    public void WhatDistillRefuses_LeavesNoFolder(string options, string said)
    {
        string teacher = _folder.Sub("teacher.zip"), run = Path.Combine(_folder.Path, "refused", "run");
        if (!File.Exists(teacher)) ToolRun.Succeeding(["train", "--data", Data, "--run", "none", "--output", teacher, .. Tiny, "--epochs",
            "1"]);
        ToolRun refused = ToolRun.Of(["distill", "--data", Data, "--teacher", teacher, "--run", run, .. Tiny, .. options.Split(' ')]);
        Assert.That((refused.ExitCode, refused.Error.Contains(said)), Is.EqualTo((2, true)), refused.Error);
        Assert.That(Directory.Exists(Path.Combine(_folder.Path, "refused")), Is.False);
    }

    [Test]
    public void WhatEndsBeforeTraining_LeavesNoFolder()
    {
        string run = _folder.Sub("nothing");
        Assert.That(ToolRun.Of("train", "--data", _folder.Sub("none"), "--run", run).ExitCode, Is.EqualTo(1));
        Assert.That(Directory.Exists(run), Is.False);
    }

    [Test]
    public void Patience_EndsATraining_ThatGetsNoBetter_AndKeepsTheBest()
    {
        string run = _folder.Sub("patient");
        ToolRun ended = ToolRun.Succeeding(["train", "--data", Data, "--run", run, .. Tiny, "--epochs", "40", "--learning-rate", "1e-12",
            "--patience", "2", "--no-augmentation"]);
        Assert.That(ended.Output, Does.Contain("no better AP for 2 (--patience); the best model is kept"));
        Assert.That(ended.Error, Does.Match(@"Training ended early, after \d+ epochs, as was asked for").And.Not.Contain("cancelled"));
        Assert.That(EpochsIn(run), Has.Length.LessThan(6));
        ToolRun blind = ToolRun.Of(
            ["train", "--data", Data, "--run", _folder.Sub("x"), "--val-split", "none", .. Tiny, "--patience", "2"]);
        Assert.That(blind.Error, Does.Contain("--patience looks at the AP on the validation part"));
    }

    [Test]
    public void MaxHours_EndATraining_OnceAnEpochHasEnded_AndBeforeSaySo()
    {
        ToolRun run = ToolRun.Of(["train", "--data", Data, "--run", _folder.Sub("hours"), .. Tiny, "--epochs", "3", "--max-hours", "1e-9"]);
        Assert.That((run.ExitCode, run.Error), Is.EqualTo((1, "ml-distill: stopped in epoch 1 of 3: --max-hours 1E-09 are over; "
            + $"no model is written, as the first epoch had not ended.{Environment.NewLine}")));
    }

    [TestCase("--device gpu", "--device must be cpu, or a CUDA device as cuda:0, not 'gpu'")]
    [TestCase("--gpu x", "--gpu must be cpu")]
    [TestCase("--augment hue=1", "--augment hue is from 0 to 0.5, not '1'")]
    [TestCase("--augment scale=.5 --augment scale=.6", "--augment scale is given twice, as .5 and as .6")]
    [TestCase("--augment hue=1 --data nowhere", "--augment hue is from 0 to 0.5, not '1'")]
    [TestCase("--augment turns=0.5", "--augment turns is 0 or 1, not '0.5'")]
    [TestCase("--augment blur=1", "--augment is NAME=X with one of flip, vflip, turns, ")]
    [TestCase("--no-augmentation --no-flip", "leaves nothing")]
    [TestCase("--run none", "--run none needs --output")]
    public void WrongUse_IsSaid(string options, string said)
    {
        string[] data = options.Contains("--data", StringComparison.Ordinal) ? [] : ["--data", Data];
        ToolRun run = ToolRun.Of(["train", .. data, .. options.Split(' ')]);
        Assert.That(run.ExitCode, Is.EqualTo(2), run.Error);
        Assert.That(run.Error, Does.Contain(said));
    }

    private static JsonNode[] EpochsIn(string run)
        => [.. File.ReadLines(Path.Combine(run, "metrics.jsonl")).Select(line => JsonNode.Parse(line)!)];
}
