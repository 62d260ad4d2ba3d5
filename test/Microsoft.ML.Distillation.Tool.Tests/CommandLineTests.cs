using System.CommandLine;
using Microsoft.ML.Distillation.Tool;
using Microsoft.ML.Distillation.Tool.Commands;

namespace Microsoft.ML.Distillation.Tests.Tool;

public class CommandLineTests
{
    [TestCase("", "ml-distill --help")]
    [TestCase("bogus", "bogus")]
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
    [TestCase("export --model m --output o.zip --form raw", "end it in .onnx")]
    [TestCase("export --model m --output o.onnx --form raw --plain", "leave it out")]
    public void WrongUse_ExitsWith2_AndOneLineThatSaysWhat(string line, string what)
    {
        ToolRun run = ToolRun.Of(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.That(run.ExitCode, Is.EqualTo(2));
        AssertOneLine(run.Error, what);
    }

    [TestCase("train --data {0}/none --output {0}/o.zip", "none")]
    [TestCase("train --data {0} --output {0}/o.zip", "*.xml")]
    [TestCase("train --data {0} --output {0}/o.zip --weights {0}/none.pth", "none.pth")]
    [TestCase("distill --data {0} --output {0}/o.zip --teacher {0}/none.zip", "none.zip")]
    [TestCase("distill --data {0} --output {0}/o.zip --teacher {0}/broken.json", "broken.json")]
    [TestCase("evaluate --model {0}/none.zip --data {0}", "none.zip")]
    [TestCase("evaluate --model {0}/broken.json --data {0}", "broken.json")]
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

    [Test]
    public void Help_NamesTheCommandAndItsOptions(
        [Values("train", "distill", "evaluate", "predict", "export", "inspect", "convert", "label", "inspect-teacher", "quantize",
        "compress")] string command)
    {
        ToolRun run = ToolRun.Succeeding(command, "--help");
        Assert.That(run.Output, Does.Contain(command).And.Contain("Options:"));
        Assert.That(run.Error, Is.Empty);
    }

    [TestCase("--boxes ", "squared")]
    [TestCase("--backbone ", "resnet18")]
    [TestCase("--neck ", "fpn")]
    [TestCase("--scheme ", "c")]
    [TestCase("--precision ", "w4a8")]
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
}
