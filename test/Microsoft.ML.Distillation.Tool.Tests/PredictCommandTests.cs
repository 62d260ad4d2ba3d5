using System.Globalization;
using System.Text.Json;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Drawing;
using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tests.Tool;

public class PredictCommandTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void MakeImages()
    {
        _folder = new TemporaryFolder();
        File.WriteAllBytes(_folder.Sub("toy.onnx"), ToyDetector.Model().ToBytes());
        using MLImage first = ToyDetector.Image(40, 80, (1, 2, "red")), second = ToyDetector.Image(80, 40, (0, 0, "green"), (3, 3, "red"));
        first.Save(_folder.Sub("images/a.png"));
        second.Save(_folder.Sub("images/b.png"));
        _folder.Write("images/notes.txt", "no image");
    }

    [TearDown]
    public void DeleteImages() => _folder.Dispose();

    [Test]
    public void Detections_AreWrittenInCocosFormat_WithIdsCountedFrom1()
    {
        string output = _folder.Sub("out/dt.json");
        ToolRun.Succeeding("predict", "--model", _folder.Sub("toy.onnx"), "--images", _folder.Sub("images"), "--output", output);
        IReadOnlyList<CocoDetection> found = CocoResults.Read(output);
        Assert.That(found.Select(d => (d.Image.Number, d.Category.Number)), Is.EquivalentTo(new[] { (1L, 1L), (2L, 2L), (2L, 1L) }));
        CocoBox box = found[0].Box;
        Assert.That(new[] { box.X, box.Y, box.Width, box.Height }, Is.EqualTo(new double[] { 10, 40, 10, 20 }).Within(1e-3));
        Assert.That(found[0].FileName, Is.EqualTo("a.png"));
    }

    [Test]
    public void AFolder_IsReadWithItsSubfolders_ToStandardOutput_FromAScoreOn()
    {
        Directory.CreateDirectory(_folder.Sub("images/more"));
        File.Copy(_folder.Sub("images/a.png"), _folder.Sub("images/more/c.png"));
        string[] predict = ["predict", "--model", _folder.Sub("toy.onnx"), "--images", _folder.Sub("images"), "-o", "-"];
        ToolRun all = ToolRun.Succeeding(predict), none = ToolRun.Succeeding([.. predict, "--score", "1"]);
        using JsonDocument found = JsonDocument.Parse(all.Output);
        Assert.That(found.RootElement.EnumerateArray().Select(one => one.GetProperty("file_name").GetString()),
            Is.EquivalentTo((string[])["a.png", "b.png", "b.png", "c.png"]));
        Assert.That(all.Error, Does.Contain("4 detections in 3 images"));
        Assert.That(none.Output.Trim(), Is.EqualTo("[]"));
    }

    [Test]
    public void AllPartsOfADataSet_AreAskedForByTheWord()
    {
        _folder.Write("images/train.txt", "a.png\n");
        _folder.Write("images/classes.txt", "red\n");
        foreach (string image in (string[])["a", "b"]) _folder.Write($"images/{image}.txt", "0 0.5 0.5 0.1 0.1\n");
        string[] predict = ["predict", "--model", _folder.Sub("toy.onnx"), "--images", _folder.Sub("images"), "-o", "-", "--split"];
        Assert.That(ToolRun.Succeeding([.. predict, "all"]).Error, Does.Contain("3 detections in 2 images"));
        Assert.That(ToolRun.Succeeding([.. predict, "train"]).Error, Does.Contain("1 detection in 1 image"));
    }

    [Test]
    public void PicturesWithoutBoxes_AreSaidToBe_AndAreNotReadThemselves()
    {
        string[] predict = ["predict", "--model", _folder.Sub("toy.onnx"), "--images", _folder.Sub("images"), "-o",
            _folder.Sub("dt.json"), "--draw", _folder.Sub("images/drawn")];
        ToolRun run = ToolRun.Succeeding([.. predict, "--draw-score", "1"]);
        Assert.That(run.Error, Does.Contain("no box is drawn, as none has a score of 1 or more"));
        Assert.That(ToolRun.Succeeding(predict).Output, Does.Contain("in 2 images"));
    }

    [Test]
    public void AnyOnnxDetector_Predicts_WithItsClasses()
    {
        string cases = TestData.Case("onnx-teachers");
        string[] predict =
            ["predict", "--model", Path.Combine(cases, "mmdeploy.onnx"), "--images", Path.Combine(cases, "scene.png"), "-o", "-"];
        Assert.That(ToolRun.Of(predict).Error, Does.Contain("--classes"));
        ToolRun run = ToolRun.Succeeding([.. predict, "--classes", Path.Combine(cases, "three.txt"), "--score", "0.3"]);
        Assert.That(run.Error, Does.Contain("2 detections in 1 image"));
    }

    [Test]
    public void AVideo_NeedsFfmpeg()
    {
        string video = _folder.Write("clip.mp4", "no video");
        Assert.That(() => new VideoFrames(video, program: "no-such-ffmpeg"),
            Throws.TypeOf<FileNotFoundException>().With.Message.Contain("'ffmpeg' makes, and that is not installed"));
    }

    [Test]
    public void Ids_AreTakenFromTheGivenFile_SoThatEvaluateUnderstandsTheResult()
    {
        string truth = _folder.Write("gt.json", """
            {"images":[{"id":70,"file_name":"b.png"},{"id":50,"file_name":"x/a.png"}],
             "categories":[{"id":8,"name":"red"},{"id":9,"name":"green"}],
             "annotations":[{"image_id":50,"category_id":8,"bbox":[10,40,10,20]},
             {"image_id":70,"category_id":9,"bbox":[0,0,20,10]},{"image_id":70,"category_id":8,"bbox":[60,30,20,10]}]}
            """);
        string output = _folder.Sub("dt.json");
        ToolRun.Succeeding("predict", "--model", _folder.Sub("toy.onnx"), "--images", _folder.Sub("images"), "--output", output, "--ids",
            truth);
        ToolRun run = ToolRun.Succeeding("evaluate", "--ground-truth", truth, "--detections", output);
        Assert.That(run.Output, Does.StartWith("AP    100.0 %"));
        Assert.That(run.Error, Is.Empty);
    }

    [Test]
    public void Ids_ThatLackAnImage_AreAnErrorThatNamesIt()
    {
        string truth = _folder.Write("gt.json",
            """{"images":[{"id":1,"file_name":"a.png"}],"categories":[{"id":8,"name":"red"}],"annotations":[]}""");
        ToolRun run = ToolRun.Of("predict", "--model", _folder.Sub("toy.onnx"), "--images", _folder.Sub("images"), "--output",
            _folder.Sub("dt.json"), "--ids", truth);
        Assert.That(run.ExitCode, Is.EqualTo(1));
        Assert.That(run.Error, Does.Contain("gt.json").And.Contain("'b.png'"));
        Assert.That(File.Exists(_folder.Sub("dt.json")), Is.False);
    }

    [Test]
    public void Ids_ThatTwoImagesShareTheNameOf_AreAnErrorThatNamesBoth()
    {
        string truth = _folder.Write("gt.json",
            """{"images":[{"id":1,"file_name":"x/a.png"},{"id":2,"file_name":"y/a.png"}],"""
                + "\"categories\":[{\"id\":8,\"name\":\"red\"}],\"annotations\":[]}");
        ToolRun run = ToolRun.Of("predict", "--model", _folder.Sub("toy.onnx"), "--images", _folder.Sub("images"), "--output",
            _folder.Sub("dt.json"), "--ids", truth);
        Assert.That(run.ExitCode, Is.EqualTo(1));
        Assert.That(run.Error, Does.Contain("the images 1 and 2 have the same name 'a.png'"));
    }

    [Test]
    public void Drawings_ShowTheBoxes_InTheColourOfTheirClass()
    {
        ToolRun.Succeeding(
            "predict", "--model", _folder.Sub("toy.onnx"), "--images", _folder.Sub("images/a.png"), "--output", _folder.Sub("dt.json"),
            "--draw", _folder.Sub("drawn"));
        using MLImage image = MLImage.CreateFromFile(_folder.Sub("drawn/a.png"));
        var drawn = Picture.Of(image);
        Assert.That((drawn.Width, drawn.Height), Is.EqualTo((40, 80)));
        Assert.That(drawn[10, 59], Is.EqualTo(DetectionPainter.ColorOf(0)), "the frame's corner");
        Assert.That(drawn[15, 50], Is.EqualTo(new Color(255, 0, 0)), "the object within");
        Assert.That(drawn[0, 79], Is.EqualTo(Color.Black), "the ground around");
    }

    [Test]
    public void FileThatIsNoImage_IsNamed()
    {
        _folder.Write("images/c.jpg", "no image");
        ToolRun run = ToolRun.Of("predict", "--model", _folder.Sub("toy.onnx"), "--images", _folder.Sub("images"), "--output",
            _folder.Sub("dt.json"));
        Assert.That(run.ExitCode, Is.EqualTo(1));
        Assert.That(run.Error, Does.Contain("c.jpg"));
    }

    [Test]
    public void Export_WritesBothForms()
    {
        ToolRun.Succeeding("export", "--model", _folder.Sub("toy.onnx"), "--output", _folder.Sub("full.onnx"));
        ToolRun.Succeeding("export", "--model", _folder.Sub("toy.onnx"), "--output", _folder.Sub("plain.onnx"), "--plain");
        ToolRun.Succeeding("predict", "--model", _folder.Sub("full.onnx"), "--images", _folder.Sub("images"), "--output",
            _folder.Sub("dt.json"));
        ToolRun again = ToolRun.Of("export", "--model", _folder.Sub("plain.onnx"), "--output", _folder.Sub("again.onnx"));
        Assert.That(again.ExitCode, Is.EqualTo(1));
        Assert.That(again.Error, Does.Contain("plain.onnx' is the plain form already"));
        ToolRun.Succeeding("predict", "--model", _folder.Sub("plain.onnx"), "--images", _folder.Sub("images"), "--output",
            _folder.Sub("plain.json"));
        IReadOnlyList<CocoDetection> full = CocoResults.Read(_folder.Sub("dt.json")), plain = CocoResults.Read(_folder.Sub("plain.json"));
        Assert.That(full, Is.Not.Empty);
        Assert.That(plain.Select(one => (one.Image, one.Category)), Is.EqualTo(full.Select(one => (one.Image, one.Category))));
        Assert.That(plain.Select(one => one.Score), Is.EqualTo(full.Select(one => one.Score)).Within(1e-4));
        Assert.That(plain.Select(one => one.Box.X), Is.EqualTo(full.Select(one => one.Box.X)).Within(1e-2));
    }

    [TestCase("one-stage.zip")]
    [TestCase("two-stage.zip")]
    public void Export_BuildsAScoreIn(string name)
    {
        string model = SavedModels.At(name), scene = SavedModels.At("scene.jpg");
        using var whole = ObjectDetector.Load(model);
        float[] all = [.. whole.Detect(scene).Select(one => one.Score)];
        float score = all[all.Length / 2];
        ToolRun.Succeeding("export", "--model", model, "--output", _folder.Sub("sure.onnx"),
            "--score", score.ToString("R", CultureInfo.InvariantCulture));
        using var sure = ObjectDetector.Load(_folder.Sub("sure.onnx"));
        Assert.That(sure.Detect(scene).Select(one => one.Score), Is.Not.Empty.And.EqualTo(all.Where(one => one >= score)));
        Assert.That(all.Min(), Is.LessThan(score));
    }

    [TestCase("raw.onnx", "--score does not go with --form raw", "--form", "raw")]
    [TestCase("sure.zip", "--score is for ONNX alone")]
    [TestCase("sure.onnx", "no score can be built into it")]
    public void AScoreThatCannotBeBuiltIn_IsRefused(string output, string message, params string[] more)
    {
        ToolRun run = ToolRun.Of(["export", "--model", _folder.Sub("toy.onnx"), "--score", "0.5", "--output", _folder.Sub(output),
            .. more]);
        Assert.That(run.ExitCode, Is.Not.Zero);
        Assert.That(run.Error, Does.Contain(message));
        Assert.That(File.Exists(_folder.Sub(output)), Is.False);
    }

    [Test]
    public void ZipWhosePipelineDoesMore_RunsAsThatPipeline()
    {
        // In grey the green object is as red as it is green, and the red one is too dark to be anything.
        var context = new MLContext();
        IDataView files = context.Data.LoadFromEnumerable(new[] { new { ImagePath = _folder.Sub("images/b.png") } });
        ITransformer before = context.Transforms.LoadImages("Image", imageFolder: null, inputColumnName: "ImagePath")
            .Append(context.Transforms.ConvertToGrayscale("Image")).Fit(files);
        using var detector = new DetectorTransformer(context.Transforms, ToyDetector.Model(), new DetectorColumns(),
            before.Transform(files).Schema);
        context.Model.Save(new TransformerChain<ITransformer>(before, detector), files.Schema, _folder.Sub("grey.zip"));

        ToolRun.Succeeding("predict", "--model", _folder.Sub("grey.zip"), "--images", _folder.Sub("images/b.png"), "--output",
            _folder.Sub("dt.json"));
        IReadOnlyList<CocoDetection> found = CocoResults.Read(_folder.Sub("dt.json"));
        Assert.That(found.Select(one => one.Category.Number), Is.EquivalentTo(new[] { 1L, 2L }));
        Assert.That(found.Select(one => (one.Box.X, one.Box.Y)), Is.All.EqualTo((0d, 0d)));
    }
}
