using Microsoft.ML.Distillation.Drawing;

namespace Microsoft.ML.Distillation.Tests.Tool;

/// <summary>Each command that reads images, on a folder of which one image is broken and one annotation is wrong.</summary>
public class SkipInvalidTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void MakeData()
    {
        _folder = new TemporaryFolder();
        foreach (string name in (string[])["a", "b", "c"])
        {
            var picture = new Picture(90, 60);
            picture.Fill(10, 10, 20, 20, Color.White);
            picture.Save(_folder.Sub($"data/{name}.png"));
            string label = name == "c" ? "" : "cat";
            _folder.Write($"data/{name}.xml", $"<annotation><object><name>{label}</name><bndbox><xmin>10</xmin><ymin>10</ymin>"
                + "<xmax>30</xmax><ymax>30</ymax></bndbox></object></annotation>");
        }

        _folder.Write("data/b.png", "no image");
    }

    [TearDown]
    public void DeleteData() => _folder.Dispose();

    [TestCase("predict", "--images {data} --output {out}.json")]
    [TestCase("benchmark", "--images {data} --runs 3")]
    [TestCase("quantize", "--images {data} --output {out}.zip")]
    [TestCase("quantize", "--images {good} --data {data} --output {out}.zip")]
    [TestCase("evaluate", "--data {data}")]
    public void WhatIsBroken_StopsACommand_AndIsLeftOutWithAWarning_WhereThatIsAskedFor(string command, string arguments)
    {
        new Picture(90, 60).Save(_folder.Sub("good/a.png"));
        string[] places = ["data", "good", "out"];
        string[] line = [command, "--model", SavedModels.At("one-stage.zip"), .. arguments.Split(' ').Select(word => places
            .Aggregate(word, (text, place) => text.Replace($"{{{place}}}", _folder.Sub(place), StringComparison.Ordinal)))];
        ToolRun stopped = ToolRun.Of(line);
        Assert.That(stopped.ExitCode, Is.EqualTo(1), stopped.Output + stopped.Error);
        ToolRun run = ToolRun.Succeeding([.. line, "--skip-invalid"]);
        Assert.That(run.Error, Does.Contain("b.png").And.Contain("left out"));
    }

    [Test]
    public void Inspect_TakesItToo_AndListsAllTheSame()
    {
        ToolRun with = ToolRun.Succeeding("inspect", "--data", _folder.Sub("data"), "--skip-invalid");
        Assert.That(with.Output, Is.EqualTo(ToolRun.Succeeding("inspect", "--data", _folder.Sub("data")).Output));
        Assert.That(with.Output, Does.Contain("b.png").And.Contain("c.xml"));
    }
}
