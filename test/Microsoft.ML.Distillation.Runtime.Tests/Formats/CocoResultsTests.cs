using System.Text;
using Microsoft.ML.Distillation.Formats;

namespace Microsoft.ML.Distillation.Tests.Formats;

public class CocoResultsTests
{
    [Test]
    public void Detections_AreReadAsTheyWereWritten()
    {
        using var folder = new TemporaryFolder();
        string file = folder.Sub("dt.json");
        CocoDetection[] written =
        [
            new(new CocoId(3), new CocoId(2), new CocoBox(1.5, 2, 3, 4.25), .125),
            new(new CocoId(1L << 40), new CocoId(0, "a \"class\""), new CocoBox(0, 0, 1, 1e-9), -1) { FileName = "ü.jpg" },
        ];
        CocoResults.Write(file, written);
        Assert.That(CocoResults.Read(file).Select(detection => detection with { Line = 0 }), Is.EqualTo(written));
        Assert.That(Directory.GetFiles(folder.Path), Is.EqualTo(new[] { file }), "nothing is left beside it");
    }

    [TestCase("[{\"image_id\":1,\"category_id\":1,\n\"bbox\":[1,2,3],\"score\":1}]", 2, "detections[0] has 3 numbers in its bbox")]
    [TestCase("[{\"image_id\":1,\"category_id\":1,\"bbox\":[1,2,3,4],\"score\":1},\n"
        + "{\"image_id\":1,\"category_id\":1,\"bbox\":[1,2,-3,4],\"score\":1}]", 2,
        "detections[1] is wrong: the box from (1, 2) to (-2, 6) has a negative width")]
    [TestCase("[{\"image_id\":1,\"category_id\":1,\"bbox\":[1,2,3,1e99],\"score\":1}]", 1, "no finite number")]
    [TestCase("[{\"image_id\":1,\"category_id\":1,\"bbox\":[1,2,3,NaN],\"score\":1}]", 1, "no well-formed json")]
    [TestCase("[\n{\"image_id\":1,\"category_id\":1,\"bbox\":[1,2,3,4],\"score\":NaN}]", 2, "no well-formed json")]
    [TestCase("[\n{\"image_id\":1,\"category_id\":1,\"bbox\":[1,2,3,4],\"score\":\"NaN\"}]", 2, "score is no finite number")]
    [TestCase("[\n{\"image_id\":1,\"category_id\":1,\"bbox\":[1,2,3,4],\"score\":1e999}]", 2, "score is no finite number")]
    [TestCase("[\n{\"image_id\":1,\"category_id\":1,\"bbox\":[1,2,3,4]}]", 2, "has no score")]
    [TestCase("[{\"category_id\":1,\"bbox\":[1,2,3,4],\"score\":1}]", 1, "has no image_id")]
    [TestCase("[{\"image_id\":1,\"bbox\":[1,2,3,4],\"score\":1}]", 1, "has no category_id")]
    [TestCase("[{\"image_id\":1,\"category_id\":1,\"score\":1}]", 1, "has no bbox")]
    [TestCase("[{\"image_id\":1.5,\"category_id\":1,\"bbox\":[1,2,3,4],\"score\":1}]", 1, "image_id is neither a whole number nor a text")]
    [TestCase("[\n{\"image_id\":1,\"category_id\":oops}]", 2, "no well-formed json")]
    [TestCase("{\"images\":[]}", 1, "a list of detections")]
    [TestCase("null", 1, "a list of detections")]
    [TestCase("", 1, "no well-formed json")]
    [TestCase("[null]", 1, "detections[0] is no object")]
    [TestCase("[]\n[]", 2, "no well-formed json")]
    public void BrokenDetections_AreAnErrorThatNamesFileLineAndElement(string json, int line, string problem)
        => Assert.That(() => CocoResults.Parse(new MemoryStream(Encoding.UTF8.GetBytes(json)), "file"),
            Throws.TypeOf<FormatException>().With.Message.StartsWith($"file({line}): ").And.Message.Contains(problem));
}
