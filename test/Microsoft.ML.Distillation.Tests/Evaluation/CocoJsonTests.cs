using Microsoft.ML.Distillation.Evaluation;

namespace Microsoft.ML.Distillation.Tests.Evaluation;

public class CocoJsonTests
{
    private string _file = "";

    [SetUp]
    public void MakeFile() => _file = Path.GetTempFileName();

    [TearDown]
    public void DeleteFile() => File.Delete(_file);

    [Test]
    public void Detections_AreReadAsTheyWereWritten()
    {
        CocoDetection[] written =
        [
            new() { ImageId = 3, CategoryId = 2, Box = [1.5, 2, 3, 4.25], Score = .125 },
            new() { ImageId = 1L << 40, CategoryId = 1, Box = [0, 0, 1, 1], Score = 1, FileName = "ü.jpg" },
        ];
        CocoJson.WriteDetections(_file, written);
        IReadOnlyList<CocoDetection> read = CocoJson.ReadDetections(_file);
        Assert.That(read, Has.Count.EqualTo(2));
        Assert.That(read[0].Box, Is.EqualTo(written[0].Box));
        Assert.That((read[1].ImageId, read[1].FileName), Is.EqualTo((1L << 40, "ü.jpg")));
        Assert.That(File.Exists(_file + ".part"), Is.False);
    }

    [TestCase("""[{"image_id":1,"category_id":1,"bbox":[1,2,3],"score":1}]""", "$[0]", "x, y, width, height")]
    [TestCase("""[{"image_id":1,"category_id":1,"bbox":[1,2,3,4]}]""", "(1)", "score")]
    [TestCase("[\n{\"image_id\":1,\"category_id\":oops}]", "(2)", "category_id")]
    [TestCase("""{"images":[]}""", "(1)", "detections")]
    [TestCase("null", "null", "detections")]
    [TestCase("", "(1)", "detections")]
    [TestCase("[null]", "$[0]", "0 numbers")]
    public void BrokenDetections_AreAnErrorThatNamesFileAndPlace(string json, string place, string why)
    {
        File.WriteAllText(_file, json);
        Assert.That(() => CocoJson.ReadDetections(_file), Throws.InstanceOf<FormatException>()
            .With.Message.Contains(_file).And.Message.Contains(place).And.Message.Contains(why));
    }

    [TestCase("""{"images":[{"id":1},{"id":1}],"categories":[],"annotations":[]}""", "images has the id 1 twice")]
    [TestCase("""{"images":[],"categories":[]}""", "annotations")]
    [TestCase("""{"images":[],"categories":[],"annotations":[{"image_id":1,"category_id":1,"bbox":[]}]}""", "$.annotations[0]")]
    [TestCase("""{"images":[null],"categories":[],"annotations":[]}""", "images")]
    public void BrokenGroundTruth_IsAnErrorThatNamesFileAndPlace(string json, string why)
    {
        File.WriteAllText(_file, json);
        Assert.That(() => CocoJson.ReadGroundTruth(_file), Throws.InstanceOf<FormatException>()
            .With.Message.Contains(_file).And.Message.Contains(why));
    }

    [Test]
    public void DetectionsOfUnknownImagesAndClasses_AreLeftOut_AndCounted()
    {
        var truth = new CocoGroundTruth
        {
            Images = [new() { Id = 5 }],
            Categories = [new() { Id = 9, Name = "cat" }],
            Annotations = [new() { ImageId = 5, CategoryId = 9, Box = [0, 0, 10, 10] }, new() { ImageId = 6, CategoryId = 9, Box = [0, 0, 1, 1] }],
        };
        CocoDetection Detection(long image, long category) => new() { ImageId = image, CategoryId = category, Box = [0, 0, 10, 10], Score = .5 };
        CocoPairing pairing = CocoPairing.Of(truth, [Detection(5, 9), Detection(5, 1), Detection(6, 9), Detection(7, 7)]);
        Assert.That((pairing.UnknownImages, pairing.UnknownClasses), Is.EqualTo((2, 1)));
        Assert.That(DetectionEvaluator.Evaluate(pairing.Images, pairing.ClassNames).AveragePrecision, Is.EqualTo(1));
    }
}
