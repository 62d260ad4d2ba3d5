using System.Text.Json;
using Microsoft.ML.Distillation.Tests.Data;

namespace Microsoft.ML.Distillation.Tests.Tool;

public class EvaluateCommandTests
{
    [Test]
    public void CocoFiles_GiveTheReferencesFigures_WithSixDecimals_AndAsJson()
    {
        string golden = TestData.Folder("coco-eval");
        using var folder = new TemporaryFolder();
        string json = folder.Sub("figures.json");
        ToolRun run = ToolRun.Succeeding(
            "evaluate", "--ground-truth", Path.Combine(golden, "instances_val2014_100.json"),
            "--detections", Path.Combine(golden, "instances_val2014_fakebbox100_results.json"), "--json", json);

        string[] lines = run.Output.Split('\n');
        Assert.That(lines[0], Is.EqualTo("AP    0.504581"));
        Assert.That(lines[1], Is.EqualTo("AP50  0.696973"));
        Assert.That(lines[11], Is.EqualTo("ARl   0.564291"));
        using JsonDocument figures = JsonDocument.Parse(File.ReadAllBytes(json));
        Assert.That(figures.RootElement.GetProperty("figures").GetProperty("AP").GetDouble(), Is.EqualTo(.5045806987).Within(1e-10));
        Assert.That(figures.RootElement.GetProperty("classes").GetArrayLength(), Is.EqualTo(80));
        Assert.That(figures.RootElement.GetProperty("images").GetInt32(), Is.EqualTo(100));
    }

    [TestCase("voc07", "mAP   1.000000")]
    [TestCase("voc12", "mAP   1.000000")]
    [TestCase("coco", "APl   -1.000000")]
    public void Metric_ChoosesTheFigures_AndMinusOneStandsForNothingToMeasure(string metric, string line)
    {
        using var folder = new TemporaryFolder();
        string truth = folder.Write("gt.json", """
            {"images":[{"id":1}],"categories":[{"id":3,"name":"cat"},{"id":4,"name":"dog"}],
             "annotations":[{"image_id":1,"category_id":3,"bbox":[0,0,20,20],"area":400,"iscrowd":0}]}
            """);
        string found = folder.Write("dt.json", """[{"image_id":1,"category_id":3,"bbox":[0,0,20,20],"score":0.5},{"image_id":9,"category_id":3,"bbox":[0,0,1,1],"score":0.5}]""");
        ToolRun run = ToolRun.Succeeding("evaluate", "--ground-truth", truth, "--detections", found, "--metric", metric);
        Assert.That(run.Output, Does.Contain(line));
        Assert.That(run.Output, Does.Contain("dog: AP -1.000000"));
        Assert.That(run.Error, Does.Contain("1 detections are of images that the ground truth does not list"));
    }
}
