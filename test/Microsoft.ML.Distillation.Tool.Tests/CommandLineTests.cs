using System.CommandLine;
using Microsoft.ML.Distillation.Tool;
using Microsoft.ML.Distillation.Tool.Commands;
using Microsoft.ML.Distillation.Tool.Help;

namespace Microsoft.ML.Distillation.Tests.Tool;

public class CommandLineTests
{
    [TestCase("bogus", "there is no command 'bogus'")]
    [TestCase("evalute --model m", "did you mean evaluate?")]
    [TestCase("trian --data d", "did you mean train?")]
    [TestCase("distil --help", "there is no command 'distil': did you mean distill?")]
    [TestCase("train --data d --epoch 3", "there is no option --epoch of 'train': did you mean --epochs?")]
    [TestCase("train --data d --output o.zip --teacher t", "--teacher is an option of 'distill'")]
    [TestCase("distill --student one-stage", "--data and --teacher are missing")]
    [TestCase("quantize --images i", "--model and --output are missing")]
    [TestCase("compress", "--model and --output are missing")]
    [TestCase("train", "--data")]
    [TestCase("train --data d --output o.zip --epochs 0", "--epochs")]
    [TestCase("train --data d --output o.zip --epochs 1.5", "--epochs")]
    [TestCase("train --data d --output o.zip --learning-rate fast", "--learning-rate")]
    [TestCase("train --data d --output o.zip --widths 8,16", "--backbone plain")]
    [TestCase("train --data d --output o.zip --backbone plain --widths 8,,16", "--widths")]
    [TestCase("train --data d --output o.zip --backbone vgg", "vgg")]
    [TestCase("train --data d --output o.zip --stages 9", "--stages of ResNet18")]
    [TestCase("train --data d --output o.zip --backbone plain --weights imagenet", "--weights: no weights of ImageNet")]
    [TestCase("weights get", "NAME")]
    [TestCase("weights get resnet19", "resnet19")]
    [TestCase("train --data d --output o.zip --bogus", "--bogus")]
    [TestCase("distill --data d --output o.zip", "--teacher")]
    [TestCase("distill --data d --output o.zip --teacher t --hard-weight 2", "--hard-weight")]
    [TestCase("distill --data d --output o.zip --teacher t --soft-weight -1", "--soft-weight")]
    [TestCase("distill --data d --output o.zip --teacher t --precision w3", "w3")]
    [TestCase("distill --data d --output o.zip --teacher t --precision w8a8 --scheme d", "--scheme")]
    [TestCase("distill --data d --output o.zip --teacher t --scheme b", "--precision")]
    [TestCase("distill --data d --output o.zip --teacher t --precision w8a8 --scheme c", "--from")]
    [TestCase("distill --data d --output o.zip --teacher t --precision w8a8 --scheme a --from s", "--from")]
    [TestCase("train --data d --output o.zip --quantizer wrpn", "--precision")]
    [TestCase("quantize --model m --images i", "--output")]
    [TestCase("quantize --model m --images i --output o.zip --precision 8", "--precision")]
    [TestCase("evaluate", "--ground-truth")]
    [TestCase("evaluate --model m", "--ground-truth")]
    [TestCase("evaluate --model m --data d --detections d", "--ground-truth")]
    [TestCase("evaluate --ground-truth g --detections d --metric map", "map")]
    [TestCase("evaluate --ground-truth g --detections", "--detections")]
    [TestCase("predict --model m --images i", "--output")]
    [TestCase("export --model m", "--output")]
    [TestCase("compress --model m --output o.zip", "--flops")]
    [TestCase("compress --model m --output o.zip --flops 1.5", "--flops")]
    [TestCase("distill --data d --output o.zip --teacher t --boxes loose", "--boxes")]
    [TestCase("train --data d --output o.zip --detector foo", "--detector must be one of")]
    [TestCase("train --data d --output o.zip --student foo", "--student must be one of")]
    [TestCase("train --data d --output o.zip --learning-rate 0", "--learning-rate must be a number above 0, not '0'")]
    [TestCase("compress --model m --output o.zip --flops 0", "--flops must be a number above 0 and up to 1, not '0'")]
    [TestCase("train --data d --output o.pt", "--output 'o.pt' must end in .zip (an ML.NET model) or .onnx")]
    [TestCase("distill --data d --output o --teacher t", "--output 'o' must end in .zip")]
    [TestCase("export --model m --output o.zip --plain", "end it in .onnx")]
    [TestCase("export --model m --output o.pb", "must end in .zip (an ML.NET model) or .onnx")]
    [TestCase("export --model m --output o.zip --form raw", "end it in .onnx")]
    [TestCase("export --model m --output o.onnx --form raw --plain", "leave it out")]
    [TestCase("export --model m --output o.onnx --form rwa", "--form must be one of whole, plain, raw, not 'rwa'")]
    public void WrongUse_ExitsWith2_AndOneLineThatSaysWhat(string line, string what)
    {
        ToolRun run = ToolRun.Of(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.That(run.ExitCode, Is.EqualTo(2));
        AssertOneLine(run.Error, what);
    }

    [TestCase("train --data {0}/none --output {0}/o.zip", "none")]
    [TestCase("train --data {0} --output {0}/o.zip", "neither annotations nor images")]
    [TestCase("train --data {0} --format voc --output {0}/o.zip", "*.xml")]
    [TestCase("train --data {0} --output {0}/o.zip --weights {0}/none.pth", "none.pth")]
    [TestCase("distill --data {0} --format voc --output {0}/o.zip --teacher {0}/none.zip", "none.zip")]
    [TestCase("distill --data {0} --format voc --output {0}/o.zip --teacher {0}/broken.json", "broken.json")]
    [TestCase("evaluate --model {0}/none.zip --format voc --data {0}", "none.zip")]
    [TestCase("evaluate --model {0}/broken.json --format voc --data {0}", "broken.json")]
    [TestCase("evaluate --ground-truth {0}/broken.json --detections {0}/broken.json", "broken.json(1)")]
    [TestCase("evaluate --ground-truth {0}/none.json --detections {0}/broken.json", "none.json")]
    [TestCase("predict --model {0}/none.zip --images {0} --output {0}/o.json", "no image")]
    [TestCase("predict --model {0}/none.zip --images {0}/none --output {0}/o.json", "none")]
    [TestCase("export --model {0}/none.zip --output {0}/o.onnx", "none.zip")]
    [TestCase("quantize --model {0}/none.zip --images {0} --output {0}/o.zip", "none.zip")]
    public void BadData_ExitsWith1_AndOneLineThatNamesTheFile(string line, string what)
    {
        using var folder = new TemporaryFolder();
        folder.Write("broken.json", "{ this is no json");
        ToolRun run = ToolRun.Of(line.Split(' ').Select(word => word.Replace("{0}", folder.Path)).ToArray());
        Assert.That(run.ExitCode, Is.EqualTo(1), run.Error);
        AssertOneLine(run.Error, what);
        Assert.That(Directory.GetFiles(folder.Path), Has.Length.EqualTo(1), "nothing is half written");
    }

    /// <summary>The commands, as the first page lists them.</summary>
    private static IEnumerable<string> Commands
        => CommandGuide.Groups.SelectMany(group => group.Commands).Where(name => name is not "weights");

    [Test]
    public void Help_ShowsAnExampleFirst_AndTenOptionsAtMostOfMany([ValueSource(nameof(Commands))] string command)
    {
        ToolRun run = ToolRun.Succeeding(command, "--help"), all = ToolRun.Succeeding(command, "--help-all");
        Assert.That(run.Output.IndexOf($"  ml-distill {command}", StringComparison.Ordinal),
            Is.GreaterThan(0).And.LessThan(run.Output.IndexOf("Usage:", StringComparison.Ordinal)), run.Output);
        int shown = OptionsIn(run.Output), those = OptionsIn(all.Output);
        Assert.That(shown, Is.LessThanOrEqualTo(those <= 20 ? those : 10), run.Output);
        if (shown < those) Assert.That(run.Output, Does.Contain($"--help-all shows all {those} options"));
        Assert.That(run.Error, Is.Empty);
    }

    [Test]
    public void HelpOfAll_HasTheOptionsInGroups()
    {
        string help = ToolRun.Succeeding("distill", "--help-all").Output;
        string[] groups = [.. help.Split('\n').Select(line => line.TrimEnd()).Where(line => line.EndsWith(':') && !line.StartsWith(' '))];
        Assert.That(groups, Is.SupersetOf((string[])["Data:", "Output:", "Teacher:", "Student:", "Losses:", "Training:",
            "Low precision and compression:", "Several processes:"]));
        Assert.That(help, Does.Not.Contain("--distil-parts"), "names of earlier versions go on working, unseen");
    }

    [Test]
    public void WithoutArguments_HelpIsShown([Values("", "weights")] string line)
    {
        ToolRun run = ToolRun.Succeeding(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.That(run.Output, Does.Contain("Usage: ml-distill"));
    }

    private static int OptionsIn(string help)
        => help.Split('\n').Count(line => line.StartsWith("  --", StringComparison.Ordinal)
            || line.Length > 6 && line.StartsWith("  -", StringComparison.Ordinal) && line[4] == ',');

    [TestCase("--boxes ", "squared")]
    [TestCase("--backbone ", "resnet18")]
    [TestCase("--neck ", "fpn")]
    [TestCase("--scheme ", "c")]
    [TestCase("--precision ", "w4a8")]
    [TestCase("--weights ", "imagenet")]
    [TestCase("--feature-loss ", "cwd")]
    [TestCase("--train-split ", "all")]
    [TestCase("--val-split ", "none")]
    public void Completion_OffersWhatAnOptionMayBe(string option, string word)
        => Assert.That(ToolRun.Succeeding($"[suggest:{8 + option.Length}]", $"distill {option}").Output.Split('\n')
            .Select(line => line.Trim()), Does.Contain(word));

    [Test]
    public void MessagesOfTheLibrary_NameTheCommandsFlags()
    {
        Assert.That(OptionNames.Translate("Correct it, or set OnInvalidSample = Skip to go on without it."),
            Is.EqualTo("Correct it, or give --skip-invalid to go on without it."));
        Assert.That(OptionNames.Translate("GeneratedLabelOptions.ScoreThreshold gives another score"),
            Is.EqualTo("--label-score gives another score"));
        Assert.That(OptionNames.Translate("The option Strides must be whole"), Is.EqualTo("--strides must be whole"));
        Assert.That(OptionNames.Translate("This does not go with Precision. (Parameter 'options')"),
            Is.EqualTo("This does not go with --precision."));
    }

    /// <summary><c>timeout</c> signals the process and its group: the model so far must not be lost for that.</summary>
    [Test]
    public void ASignalThatComesTwiceAtOnce_IsOne()
    {
        var time = new ToldTime();
        using var said = new StringWriter();
        using var interruption = new Interruption(said, "work ends", time);
        Assert.That(interruption.Requested, Is.False);
        Assert.That(interruption.Take() && interruption.Take(), "the process goes on, and ends its work");
        Assert.That(interruption.Requested);
        Assert.That(said.ToString().TrimEnd(), Is.EqualTo("Interrupted: work ends. Once more ends at once."));
        time.Pass(1);
        Assert.That(interruption.Take(), Is.False, "who asks again means it");
    }

    [Test]
    public void WhereThereIsNoStudent_TheFamilysOptionIsNotCalledAfterIt()
    {
        Assert.That(ToolRun.Succeeding("train", "--help").Output, Does.Contain("--detector NAME").And.Not.Contain("--student"));
        Assert.That(ToolRun.Succeeding("distill", "--help").Output, Does.Contain("--student NAME").And.Not.Contain("--detector"));
        string[] rest = ["--data", "d", "--channels", "8"];
        Assert.That(ToolRun.Of(["train", .. rest]).Error, Does.Contain("--channels goes with --detector one-stage"));
        Assert.That(ToolRun.Of(["train", "--student", "one-stage", .. rest]).Error, Does.Contain("There is no folder"),
            "the other name is understood");
    }

    [Test]
    public void AnInterruptedDistill_SaysThatThereIsNoReport()
    {
        var command = new DistillCommand();
        using var error = new StringWriter();
        ParseResult parsed = command.Parse("--data d --teacher t --output o.zip --report r.html");
        parsed.InvocationConfiguration.Error = error;
        command.Report.SayNone(parsed);
        Assert.That(error.ToString(), Does.StartWith("no report was written to r.html"));
    }

    private static void AssertOneLine(string error, string what)
    {
        Assert.That(error, Does.StartWith("ml-distill: ").And.Contain(what));
        Assert.That(error.TrimEnd().Split('\n'), Has.Length.EqualTo(1), error);
    }

    /// <summary>ML.NET logs from the threads that read.</summary>
    [Test]
    public void WhatManyThreadsSay_IsWhole()
    {
        var root = new RootCommand();
        root.SetAction(parsed => Parallel.For(0, 20_000, i => parsed.InvocationConfiguration.Error.WriteLine($"line {i}")));
        ToolRun run = ToolRun.Of((args, output, error) => Application.Run("test", root, args, output, error)).Expected();
        Assert.That(run.Error.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries),
            Is.EquivalentTo(Enumerable.Range(0, 20_000).Select(i => $"line {i}")));
    }
}
