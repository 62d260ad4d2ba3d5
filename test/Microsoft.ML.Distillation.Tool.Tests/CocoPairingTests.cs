using System.Text;
using Microsoft.ML.Distillation.Evaluation;
using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Distillation.Model;

namespace Microsoft.ML.Distillation.Tests.Tool;

public class CocoPairingTests
{
    [TestCase("""{"images":[{"id":1},{"id":1}],"categories":[],"annotations":[]}""", "images[1] has the id 1 of another image")]
    [TestCase("""{"images":[],"categories":[]}""", "no list of annotations")]
    [TestCase("""{"images":[],"annotations":[]}""", "no list of categories")]
    [TestCase("""{"images":[null],"categories":[],"annotations":[]}""", "images[0] is no object")]
    [TestCase("""{"images":[{"id":1}],"categories":[{"id":1}],"annotations":[{"image_id":1,"category_id":1,"bbox":[]}]}""",
        "annotations[0] has neither a bbox nor a segmentation")]
    [TestCase("""{"images":[{"id":1}],"categories":[{"id":1}],"annotations":[{"image_id":2,"category_id":1,"bbox":[0,0,1,1]}]}""",
        "annotations[0] belongs to the image 2, which the file does not have")]
    [TestCase("""{"images":[{"id":1}],"categories":[{"id":1}],"annotations":[{"image_id":1,"category_id":2,"bbox":[0,0,1,1]}]}""",
        "annotations[0] belongs to the category 2, which the file does not have")]
    [TestCase("""{"images":[{"id":1}],"categories":[{"id":1}],"annotations":[{"image_id":1,"category_id":1,"bbox":[0,0,-1,1]}]}""",
        "negative width")]
    [TestCase("""{"images":[{"id":1}],"categories":[{"id":1}],"annotations":[{"id":7,"image_id":1,"category_id":1,"bbox":[0,0,1,1]},"""
        + """{"id":7,"image_id":1,"category_id":1,"bbox":[0,0,1,1]}]}""", "annotations[1] has the id 7 of another annotation")]
    public void BrokenGroundTruth_IsAnErrorThatNamesFileLineAndElement(string json, string problem)
    {
        using var folder = new TemporaryFolder();
        string truth = folder.Write("gt.json", "\n" + json), found = folder.Write("dt.json", "[]");
        ToolRun run = ToolRun.Of("evaluate", "--ground-truth", truth, "--detections", found);
        Assert.That(run.ExitCode, Is.EqualTo(1));
        Assert.That(run.Error, Does.Contain($"{truth}(2): ").And.Contain(problem));
    }

    [Test]
    public void BrokenDetections_AreAnErrorThatNamesFileAndLine()
    {
        using var folder = new TemporaryFolder();
        string truth = folder.Write("gt.json", """{"images":[{"id":1}],"categories":[{"id":1}],"annotations":[]}""");
        string found = folder.Write("dt.json", "[\n{\"image_id\":1,\"category_id\":1,\"bbox\":[1,2,3,4],\"score\":NaN}]");
        ToolRun run = ToolRun.Of("evaluate", "--ground-truth", truth, "--detections", found);
        Assert.That(run.ExitCode, Is.EqualTo(1));
        Assert.That(run.Error, Does.Contain($"{found}(2): "));
    }

    [Test]
    public void Ids_MayBeTexts_AndNamesMayBeMissing()
    {
        CocoPairing pairing = Pair(
            """
            {"images":[{"id":"b"},{"id":"a"},{"id":9}],"categories":[{"id":"cat"},{"id":3,"name":"dog"}],
             "annotations":[{"image_id":"a","category_id":"cat","bbox":[0,0,10,10]},{"image_id":9,"category_id":3,"bbox":[0,0,10,10]}]}
            """,
            Detection("\"a\"", "\"cat\""), Detection("9", "3"));
        Assert.That(pairing.ClassNames, Is.EqualTo(new[] { "dog", "category 'cat'" }), "numbers come before texts");
        Assert.That(pairing.Images.Select(image => (image.Truth.Length, image.Detections.Length)),
            Is.EqualTo(new[] { (1, 1), (1, 1), (0, 0) }));
        Assert.That(DetectionEvaluator.Evaluate(pairing.Images, pairing.ClassNames).AveragePrecision, Is.EqualTo(1));
    }

    [Test]
    public void DetectionsOfUnknownImagesAndClasses_AreLeftOut_AndToldWithTheirPlace()
    {
        CocoPairing pairing = Pair(
            """{"images":[{"id":5}],"categories":[{"id":9,"name":"cat"}],"annotations":["""
                + """{"image_id":5,"category_id":9,"bbox":[0,0,10,10]}]}""",
            Detection("5", "9"), Detection("5", "1"), Detection("6", "9"), Detection("7", "7"));
        Assert.That((pairing.OfUnknownImages.Count, pairing.OfUnknownClasses.Count), Is.EqualTo((2, 1)));
        Assert.That(pairing.Warnings("dt.json"), Has.Some.EndsWith("The first is at dt.json(3).").And.Some
            .EndsWith("The first is at dt.json(2)."));
        Assert.That(DetectionEvaluator.Evaluate(pairing.Images, pairing.ClassNames).AveragePrecision, Is.EqualTo(1));
    }

    [Test]
    public void WhatTheFileSaysOfObjects_Counts_AsInLoadedData()
    {
        CocoPairing pairing = Pair("""
            {"images":[{"id":1}],"categories":[{"id":1,"name":"cat"}],"annotations":[
             {"image_id":1,"category_id":1,"bbox":[0.1,0.2,10,10],"area":50.3,
              "attributes":{"difficult":true,"truncated":0.25,"occluded":2}},
             {"image_id":1,"category_id":1,"bbox":[20,0,10,10],"iscrowd":1},
             {"image_id":1,"category_id":1,"bbox":[40,0,10,10],"ignore":1}]}
            """);
        TrueBox[] truth = pairing.Images.Single().Truth;
        Assert.That(truth[0], Is.EqualTo(new TrueBox(new Box(.1, .2, .1 + 10, .2 + 10), 0)
        {
            Area = 50.3,
            Difficult = true,
            Truncation = .25,
            Occlusion = 2
        }), "in double precision");
        Assert.That(truth.Select(box => (box.Difficult, box.Crowd, box.DontCare)),
            Is.EqualTo(new[] { (true, false, false), (false, true, false), (false, false, true) }));
    }

    private static CocoPairing Pair(string truth, params string[] detections) => CocoPairing.Of(
        CocoParser.Parse(new MemoryStream(Encoding.UTF8.GetBytes(truth)), "gt.json", toEvaluate: true),
        CocoResults.Parse(new MemoryStream(Encoding.UTF8.GetBytes($"[{string.Join(",\n", detections)}]")), "dt.json"));

    private static string Detection(string image, string category)
        => $$"""{"image_id":{{image}},"category_id":{{category}},"bbox":[0,0,10,10],"score":0.5}""";
}
