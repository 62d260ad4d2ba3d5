using System.Text.Json;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Detectors.Backbones;
using Microsoft.ML.Distillation.Samples.Demo.Scenes;
using Microsoft.ML.Distillation.Tensors;

namespace Microsoft.ML.Distillation.Tests.Tool;

public class EvaluateCommandTests
{
    [Test]
    public void CocoFiles_GiveTheReferencesFigures_InPerCent_AndAsJson()
    {
        string golden = TestData.Folder("coco-eval");
        using var folder = new TemporaryFolder();
        string json = folder.Sub("figures.json");
        ToolRun run = ToolRun.Succeeding(
            "evaluate", "--ground-truth", Path.Combine(golden, "instances_val2014_100.json"),
            "--detections", Path.Combine(golden, "instances_val2014_fakebbox100_results.json"), "--json", json);

        string[] lines = run.Output.Split('\n');
        Assert.That(lines[0], Is.EqualTo("AP     50.5 %"));
        Assert.That(lines[1], Is.EqualTo("AP50   69.7 %"));
        Assert.That(lines[11], Is.EqualTo("ARl    56.4 %"));
        using JsonDocument figures = JsonDocument.Parse(File.ReadAllBytes(json));
        Assert.That(figures.RootElement.GetProperty("figures").GetProperty("AP").GetDouble(), Is.EqualTo(.5045806987).Within(1e-10));
        Assert.That(figures.RootElement.GetProperty("classes").GetArrayLength(), Is.EqualTo(80));
        AssertCurvesBelongToTheFigures(figures.RootElement);
        Assert.That(figures.RootElement.GetProperty("images").GetInt32(), Is.EqualTo(100));
    }

    [TestCase("voc12")]
    [TestCase("ilsvrc")]
    public void CurvesByPoints_GiveTheFigure_AsTheAreaUnderTheirSteps(string metric)
    {
        string golden = TestData.Folder("coco-eval");
        using var folder = new TemporaryFolder();
        string json = folder.Sub("figures.json");
        ToolRun.Succeeding(
            "evaluate", "--ground-truth", Path.Combine(golden, "instances_val2014_100.json"),
            "--detections", Path.Combine(golden, "instances_val2014_fakebbox100_results.json"), "--metric", metric, "--json", json);
        using JsonDocument figures = JsonDocument.Parse(File.ReadAllBytes(json));
        int measured = 0;
        foreach (JsonElement c in figures.RootElement.GetProperty("classes").EnumerateArray())
        {
            double[] recalls = Numbers(c.GetProperty("recalls")), precision =
                Numbers(c.GetProperty("precision").EnumerateObject().Single().Value);
            Assert.That(precision, Has.Length.EqualTo(recalls.Length));
            double ap = c.GetProperty("figures").GetProperty("AP").GetDouble();
            if (ap < 0) continue;
            measured++;
            double area = recalls.Select((recall, i) => (recall - (i > 0 ? recalls[i - 1] : 0)) * precision[i]).Sum();
            Assert.That(area, Is.EqualTo(ap).Within(1e-5));
        }

        Assert.That(measured, Is.GreaterThan(50));
    }

    [TestCase("voc07")]
    [TestCase("voc12")]
    public void InclusivePixels_AreVocsRule_UnlessTheCommandSaysOtherwise(string metric)
    {
        // 10 of 20 columns by VOC's rule, 9 of 19 without it: enough, and not enough, for IoU .50.
        using var folder = new TemporaryFolder();
        string truth = folder.Write("gt.json",
            """{"images":[{"id":1}],"categories":[{"id":1}],"annotations":[{"image_id":1,"category_id":1,"bbox":[0,0,19,9]}]}""");
        string found = folder.Write("dt.json", """[{"image_id":1,"category_id":1,"bbox":[0,0,9,9],"score":1}]""");
        string[] evaluate = ["evaluate", "--ground-truth", truth, "--detections", found, "--metric", metric];
        Assert.That(ToolRun.Succeeding(evaluate).Output, Does.StartWith("mAP   100.0 %"));
        Assert.That(ToolRun.Succeeding([.. evaluate, "--exclusive-pixels"]).Output, Does.StartWith("mAP     0.0 %"));
    }

    [Test]
    public void KittisCurves_StandUnderTheirDifficulty_At41Recalls()
    {
        using var folder = new TemporaryFolder();
        string truth = folder.Write("gt.json",
            """{"images":[{"id":1}],"categories":[{"id":1,"name":"Car"}],"annotations":["""
                + """{"image_id":1,"category_id":1,"bbox":[0,0,50,30]}]}""");
        string found = folder.Write("dt.json", """[{"image_id":1,"category_id":1,"bbox":[0,0,50,30],"score":0.5}]"""),
        json = folder.Sub("figures.json");
        ToolRun.Succeeding("evaluate", "--ground-truth", truth, "--detections", found, "--metric", "kitti", "--json", json);
        using JsonDocument figures = JsonDocument.Parse(File.ReadAllBytes(json));
        Assert.That(figures.RootElement.GetProperty("recalls").GetArrayLength(), Is.EqualTo(41));
        JsonElement car = figures.RootElement.GetProperty("classes")[0].GetProperty("precision");
        Assert.That(car.GetProperty("easy").GetArrayLength(), Is.Zero, "too low for easy");
        Assert.That(Numbers(car.GetProperty("moderate")).Take(2), Is.EqualTo(new[] { 1.0, 0 }), "one object gives one threshold");
    }

    [TestCase("voc07", "mAP   100.0 %")]
    [TestCase("voc12", "mAP   100.0 %")]
    [TestCase("coco", "APl        –")]
    public void Metric_ChoosesTheFigures_AndADashStandsForNothingToMeasure(string metric, string line)
    {
        using var folder = new TemporaryFolder();
        string truth = folder.Write("gt.json", """
            {"images":[{"id":1}],"categories":[{"id":3,"name":"cat"},{"id":4,"name":"dog"}],
             "annotations":[{"image_id":1,"category_id":3,"bbox":[0,0,20,20],"area":400,"iscrowd":0}]}
            """);
        string found = folder.Write("dt.json",
            """[{"image_id":1,"category_id":3,"bbox":[0,0,20,20],"score":0.5},"""
                + """{"image_id":9,"category_id":3,"bbox":[0,0,1,1],"score":0.5}]""");
        ToolRun run = ToolRun.Succeeding("evaluate", "--ground-truth", truth, "--detections", found, "--metric", metric);
        Assert.That(run.Output, Does.Contain(line));
        Assert.That(run.Output, Does.Contain("dog: AP      –"));
        Assert.That(run.Error, Does.Contain("1 detection of images that the ground truth does not list is left out"));
    }

    [Test]
    public void Model_ThatSharesNoClassWithTheImages_IsWarnedOf_WithBothLists()
    {
        using var folder = new TemporaryFolder();
        SceneDataSet.Write(folder.Sub("data"), seed: 1, [("test", 3)]);
        File.WriteAllBytes(folder.Sub("toy.onnx"), ToyDetector.Model().ToBytes());
        ToolRun run = ToolRun.Succeeding("evaluate", "--model", folder.Sub("toy.onnx"), "--data", folder.Sub("data"));
        Assert.That(run.Error, Does.Match(
            "^format: voc .*\\nwarning: the model knows none of the images' classes. It knows red, green; the images have [a-z, ]+.$"));
        Assert.That(run.Output, Does.StartWith("AP      0.0 %"));
    }

    [Test]
    public void BestScore_IsSaid_InCounts_AndStandsInTheJson()
    {
        string golden = TestData.Folder("coco-eval");
        using var folder = new TemporaryFolder();
        ToolRun run = ToolRun.Succeeding(
            "evaluate", "--ground-truth", Path.Combine(golden, "instances_val2014_100.json"),
            "--detections", Path.Combine(golden, "instances_val2014_fakebbox100_results.json"), "--json", folder.Sub("figures.json"));
        Assert.That(run.Output, Does.Match(@"best score  0\.\d\d: of \d+ objects \d+ found, \d+ false alarms \(precision [\d.]+ %"));
        using JsonDocument figures = JsonDocument.Parse(File.ReadAllBytes(folder.Sub("figures.json")));
        Assert.That(figures.RootElement.GetProperty("bestScore").GetProperty("f1").GetDouble(), Is.InRange(.5, 1));
    }

    [Test]
    public void Benchmark_SaysTheTimeOfAnImage_AndWritesIt()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.Sub("toy.onnx"), ToyDetector.Model().ToBytes());
        ToolRun run = ToolRun.Succeeding("benchmark", "--model", folder.Sub("toy.onnx"), "--runs", "4", "--json", folder.Sub("t.json"));
        Assert.That(run.Output, Does.Match(@"toy\.onnx: [\d.]+ ms an image \(median of 4"));
        using JsonDocument timing = JsonDocument.Parse(File.ReadAllBytes(folder.Sub("t.json")));
        Assert.That(timing.RootElement.GetProperty("milliseconds").GetDouble(), Is.Positive);
    }

    [Test]
    public void Report_ShowsATimeOfAnotherDevice_AndItsFiguresStandInTheJson()
    {
        using var folder = new TemporaryFolder();
        string model = folder.Sub("toy.onnx"), timing = folder.Sub("t.json");
        File.WriteAllBytes(model, ToyDetector.Model().ToBytes());
        using (MLImage image = ToyDetector.Image(40, 80, (1, 2, "red"), (3, 3, "green"))) image.Save(folder.Sub("toy/a.png"));
        string list = folder.Write("toy/train.tsv", "a.png\tred,green\t10,40,20,60,30,60,40,80\n");
        ToolRun.Succeeding("benchmark", "--model", model, "--runs", "2", "--json", timing);
        string board = folder.Write("board.json",
            """{"model":"toy.onnx","device":"the <board>","milliseconds":250,"milliseconds95":400}""");
        string[] evaluate = ["evaluate", "--model", model, "--data", list, "--format", "tsv", "--report", folder.Sub("r.html"), "--timing"];
        ToolRun.Succeeding([.. evaluate, timing, "--timing", board]);

        string html = File.ReadAllText(folder.Sub("r.html"));
        Assert.That(html, Does.Contain("On other devices").And.Contain("the &lt;board&gt;").And.Contain(Environment.MachineName));
        using JsonDocument figures = JsonDocument.Parse(File.ReadAllBytes(folder.Sub("r.json")));
        JsonElement[] timings = [.. figures.RootElement.GetProperty("timings").EnumerateArray()];
        Assert.That(timings.Select(one => one.GetProperty("device").GetString()),
            Is.EqualTo(new[] { Environment.MachineName, "the <board>" }));
        Assert.That(timings[1].GetProperty("milliseconds").GetDouble(), Is.EqualTo(250));
        Assert.That(timings[1].GetProperty("milliseconds95").GetDouble(), Is.EqualTo(400));
        JsonElement measured = figures.RootElement.GetProperty("models")[0];
        Assert.That(measured.GetProperty("ap").GetDouble(), Is.EqualTo(1).Within(1e-9), "the toy finds both objects exactly");
        Assert.That(measured.GetProperty("bytes").GetInt64(), Is.EqualTo(new FileInfo(model).Length));

        ToolRun refused = ToolRun.Of([.. evaluate, folder.Write("none.json", "{\"model\":\"toy.onnx\"}")]);
        Assert.That(refused.ExitCode, Is.Not.Zero);
        Assert.That(refused.Error, Does.Contain("none.json' is no timing of a model: it has no text 'device'"));
    }

    /// <summary>AP50 is the mean of the 101 precisions at IoU .50, and AP that of the ten thresholds' means: of the classes, and of all of
    /// them.</summary>
    private static void AssertCurvesBelongToTheFigures(JsonElement root)
    {
        Assert.That(Numbers(root.GetProperty("recalls")), Is.EqualTo(Enumerable.Range(0, 101).Select(i => i / 100.0)).Within(1e-9));
        int measured = 0;
        foreach (JsonElement element in root.GetProperty("classes").EnumerateArray().Append(root))
        {
            JsonElement figures = element.GetProperty("figures");
            Assert.That(figures.EnumerateObject().Select(figure => figure.Name),
                Is.EqualTo(new[] { "AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl" }));
            double ap = figures.GetProperty("AP").GetDouble();
            if (ap < 0)
            {
                Assert.That(element.TryGetProperty("precision", out _), Is.False, "nothing to find, no curve");
                continue;
            }

            measured++;
            JsonProperty[] curves = [.. element.GetProperty("precision").EnumerateObject()];
            Assert.That(curves.Select(curve => curve.Name),
                Is.EqualTo(new[] { "0.50", "0.55", "0.60", "0.65", "0.70", "0.75", "0.80", "0.85", "0.90", "0.95" }));
            Assert.That(curves.Average(curve => Numbers(curve.Value).Average()), Is.EqualTo(ap).Within(1e-6));
            Assert.That(Numbers(curves[0].Value).Average(), Is.EqualTo(figures.GetProperty("AP50").GetDouble()).Within(1e-6));
            Assert.That(Numbers(curves[5].Value).Average(), Is.EqualTo(figures.GetProperty("AP75").GetDouble()).Within(1e-6));
        }

        Assert.That(measured, Is.GreaterThan(50));
    }

    private static double[] Numbers(JsonElement list) => [.. list.EnumerateArray().Select(number => number.GetDouble())];
}
