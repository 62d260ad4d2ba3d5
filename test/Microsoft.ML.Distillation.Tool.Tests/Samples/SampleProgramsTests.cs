using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Samples.Demo.Scenes;

namespace Microsoft.ML.Distillation.Tests.Samples;

public class SampleProgramsTests
{
    [Test]
    public void QuickStart_MakesModels_ThatInferenceRunsWithoutLibtorch()
    {
        using var folder = new TemporaryFolder();
        SceneDataSet.Write(folder.Sub("data"), seed: 1, [("train", 6), ("test", 2)]);
        ProgramRun training = ProgramRun.Of(ProgramRun.Find("Samples/QuickStart"), folder.Path, ["data", "1"]);
        Assert.That(training.ExitCode, Is.Zero, training.Error);
        Assert.That(training.Output, Does.Contain("teacher: AP 0.").And.Contain("student: AP 0."));

        string inference = ProgramRun.Find("Samples/Inference");
        Assert.That(Directory.GetFiles(Path.GetDirectoryName(inference)!, "*torch_cpu*", SearchOption.AllDirectories), Is.Empty);
        string[] images = Directory.GetFiles(Path.Combine(folder.Path, "data", "JPEGImages"));
        ProgramRun fromZip = ProgramRun.Of(inference, folder.Path, ["student.zip", .. images]);
        ProgramRun fromOnnx = ProgramRun.Of(inference, folder.Path, ["student.onnx", .. images]);
        ProgramRun fromPipeline = ProgramRun.Of(inference, folder.Path, ["--pipeline", "student.zip", .. images]);
        Assert.That(fromZip.ExitCode, Is.Zero, fromZip.Error);
        Assert.That(fromZip.Output, Does.Contain(".jpg: ").And.EqualTo(fromOnnx.Output));
        Assert.That(fromPipeline.Output, Is.EqualTo(fromOnnx.Output), fromPipeline.Error);
    }

    [Test]
    public void RawDecoding_FindsOnOnnxRuntimeAlone_WhatTheWholeFormFinds()
    {
        using var folder = new TemporaryFolder();
        TrainedDetector student = TrainedDetector.FromModel(TrainedModels.OneStage);
        student.SaveOnnx(folder.Sub("student.onnx"));
        student.SaveOnnx(folder.Sub("raw.onnx"), new OnnxExportOptions { Form = OnnxForm.Raw });
        string picture = TrainedModels.Images.Image(TrainedModels.Seen);
        using (MLImage image = ImageLoader.Load(picture))
        {
            byte[] header = System.Text.Encoding.ASCII.GetBytes($"P6\n{image.Width} {image.Height}\n255\n");
            File.WriteAllBytes(folder.Sub("picture.ppm"), [.. header, .. image.Pixels.ToArray().Where((_, i) => i % 4 != 3)]);
        }

        string program = ProgramRun.Find("Samples/RawDecoding");
        Assert.That(Directory.GetFiles(Path.GetDirectoryName(program)!, "*.dll"),
            Has.None.Contains("SkiaSharp").And.None.Contains("Microsoft.ML.Data").And.None.Contains("Microsoft.ML.Distillation"));
        ProgramRun run = ProgramRun.Of(program, folder.Path, ["raw.onnx", "picture.ppm"]);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        using var detector = ObjectDetector.Load(folder.Sub("student.onnx"));
        Detection[] expected = [.. detector.Detect(picture).Where(one => one.Score > .1f)];
        string[] lines = [.. run.Output.Split('\n').Take(expected.Length)];
        Assert.That(expected, Is.Not.Empty);
        for (int i = 0; i < expected.Length; i++)
        {
            string[] words = lines[i].Split(' ');
            float[] numbers = [.. new[] { 1, 3, 4, 5, 6 }.Select(at => float.Parse(words[at], CultureInfo.InvariantCulture))];
            BoundingBox box = expected[i].Box;
            Assert.That(words[0], Is.EqualTo(expected[i].Label));
            Assert.That(numbers, Is.EqualTo(new[] { expected[i].Score, box.X0, box.Y0, box.X1, box.Y1 }).Within(.1));
        }
    }

    [Test]
    public void Batch_SendsAFolderThroughThePipeline_InOrder()
    {
        using var folder = new TemporaryFolder();
        string pictures = Path.GetDirectoryName(TrainedModels.Images.Image(0))!;
        ProgramRun run = ProgramRun.Of(ProgramRun.Find("Samples/Batch"), folder.Path, [TrainedModels.OneStage, pictures, "found.jsonl"]);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        IReadOnlyList<string> files = ImageLoader.FilesIn(pictures);
        Assert.That(run.Output, Does.StartWith($"{files.Count} pictures in "));
        JsonElement[] lines = [.. File.ReadLines(folder.Sub("found.jsonl")).Select(line => JsonElement.Parse(line))];
        Assert.That(lines.Select(line => line.GetProperty("image").GetString()), Is.EqualTo(files.Select(Path.GetFileName)));
        using var detector = ObjectDetector.Load(TrainedModels.OneStage);
        for (int i = 0; i < files.Count; i++)
        {
            float[] scores = [.. lines[i].GetProperty("detections").EnumerateArray().Select(one => one.GetProperty("score").GetSingle())];
            Assert.That(scores, Is.EqualTo(detector.Detect(files[i]).Select(one => one.Score)).Within(1e-5));
        }
    }

    [Test]
    public void CameraWorker_LooksAtPicturesThatCome_AndGoesOnAfterOneThatIsBroken()
    {
        using var folder = new TemporaryFolder();
        string camera = Directory.CreateDirectory(folder.Sub("camera")).FullName;
        File.Copy(TrainedModels.Images.Image(0), Path.Combine(camera, "first.png"));
        File.WriteAllText(Path.Combine(camera, "broken.jpg"), "no picture");
        using Process worker = Process.Start(new ProcessStartInfo("dotnet",
            [ProgramRun.Find("Samples/CameraWorker"), "--model", TrainedModels.OneStage, "--folder", camera])
        {
            RedirectStandardOutput = true,
        })!;
        try
        {
            Task<string> log = worker.StandardOutput.ReadToEndAsync();
            Assert.That(() => File.Exists(Path.Combine(camera, "first.png.json")), Is.True.After(60).Seconds.PollEvery(100).MilliSeconds);
            File.Copy(TrainedModels.Images.Image(1), Path.Combine(camera, "second.png"));
            string answer = Path.Combine(camera, "second.png.json");
            Assert.That(() => File.Exists(answer), Is.True.After(30).Seconds.PollEvery(100).MilliSeconds);
            using var detector = ObjectDetector.Load(TrainedModels.OneStage, new ObjectDetectorOptions { ScoreThreshold = .4 });
            Assert.That(JsonSerializer.Deserialize<Detection[]>(File.ReadAllText(answer)),
                Has.Length.EqualTo(detector.Detect(TrainedModels.Images.Image(1)).Count));
            Assert.That(File.Exists(Path.Combine(camera, "broken.jpg.json")), Is.False);
        }
        finally
        {
            worker.Kill();
            worker.WaitForExit();
        }
    }

    [Test]
    public void Demo_TakesTheUsersData_AndMakesItsFolder()
    {
        using var folder = new TemporaryFolder();
        SceneDataSet.Write(folder.Sub("data"), seed: 1, [("train", 4), ("test", 3)]);
        File.WriteAllText(Path.Combine(folder.Path, "data", "JPEGImages", "scene_0005.jpg"), "no image");
        ProgramRun run = ProgramRun.Of(ProgramRun.Find("Samples/Demo"), folder.Path, ["--data", "data", "--epochs", "1"]);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Output, Does.Contain("teacher  ").And.Contain("student alone  ").And.Contain("student distilled  "));
        string output = Path.Combine(folder.Path, "artifacts", "demo");
        Assert.That(Directory.GetFiles(output).Select(Path.GetFileName),
            Is.EquivalentTo(new[] { "teacher.zip", "student-alone.zip", "student.zip", "student.onnx" }));
        Assert.That(Directory.GetFiles(Path.Combine(output, "pictures")), Has.Length.EqualTo(2));
    }

    [Test]
    public void Demo_DrawsDataAlone_IntoANewFolder()
    {
        using var folder = new TemporaryFolder();
        folder.Write("mine/file.txt", "mine");
        ProgramRun refused = ProgramRun.Of(ProgramRun.Find("Samples/Demo"), folder.Path, ["--draw", "mine"]);
        Assert.That(refused.ExitCode, Is.EqualTo(1));
        Assert.That(refused.Error, Does.Contain("'mine' is not empty"));
        Assert.That(File.Exists(folder.Sub("mine/file.txt")));
        ProgramRun run = ProgramRun.Of(ProgramRun.Find("Samples/Demo"), folder.Path, ["--draw", "data"]);
        Assert.That(run.Output.Trim(), Is.EqualTo("drew 480 scenes into data"), run.Error);
        Assert.That(Directory.GetFiles(folder.Sub("data/JPEGImages")), Has.Length.EqualTo(480));
        Assert.That(Directory.Exists(folder.Sub("artifacts")), Is.False, "nothing is trained");
    }

    [Test]
    public void Demo_SaysInOneLine_WhatIsWrongWithTheData()
    {
        using var folder = new TemporaryFolder();
        ProgramRun run = ProgramRun.Of(ProgramRun.Find("Samples/Demo"), folder.Path, ["--data", "nowhere"]);
        Assert.That(run.ExitCode, Is.EqualTo(1));
        Assert.That(run.Error, Does.StartWith("demo: ").And.Contain("nowhere"));
        Assert.That(run.Error.TrimEnd().Split('\n'), Has.Length.EqualTo(1), run.Error);
    }

    [TestCase("Samples/QuickStart")]
    [TestCase("Samples/Inference")]
    [TestCase("Samples/Demo", "--bogus")]
    [TestCase("Samples/Demo", "--draw", "a", "--data", "b")]
    [TestCase("Samples/Batch")]
    [TestCase("Samples/CameraWorker")]
    [TestCase("Samples/RawDecoding")]
    [TestCase("Samples/Server")]
    public void WrongUse_ExitsWith2_AndSaysHow(string project, params string[] args)
    {
        ProgramRun run = ProgramRun.Of(ProgramRun.Find(project), Path.GetTempPath(), args);
        Assert.That(run.ExitCode, Is.EqualTo(2));
        Assert.That(run.Error, Does.StartWith("usage: "));
    }
}
