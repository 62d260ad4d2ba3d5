using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Tests.Tool;

/// <summary>From words to a detector: a folder of drawn scenes without labels, and a graph in which words matter.</summary>
public class PromptCommandsTests
{
    private const int Side = 128, Cell = 32;

    private static readonly (byte, byte, byte) Red = (220, 40, 30), Blue = (30, 40, 220);

    private TemporaryFolder _folder = null!;
    private string _model = "";

    private string Images => _folder.Sub("photos");

    private string[] Teacher => ["--teacher", _model, "--prompt", "red square=square", "--prompt", "blue disc=disc"];

    [OneTimeSetUp]
    public void Draw()
    {
        string vocabulary = TestData.Model("vocabularies/bert-base-uncased-vocab.txt");
        _folder = new TemporaryFolder();
        File.Copy(vocabulary, _folder.Sub("teacher/vocab.txt"));
        _model = Graph().Save(_folder.Sub("teacher/model.onnx"));
        for (int i = 0; i < 24; i++) Scene(_folder.Sub($"photos/{i:00}.png"), i, []);
        for (int i = 0; i < 8; i++)
        {
            var objects = new List<string>();
            Scene(_folder.Sub($"test/JPEGImages/{i}.png"), 100 + i, objects);
            _folder.Write($"test/Annotations/{i}.xml", $"<annotation><filename>{i}.png</filename><size><width>{Side}</width>"
                + $"<height>{Side}</height><depth>3</depth></size>{string.Concat(objects)}</annotation>");
        }
    }

    [OneTimeTearDown]
    public void Delete() => _folder.Dispose();

    [Test]
    public void Words_LabelAndTeachAStudent_ThatFindsWhatTheyMean()
    {
        string labels = _folder.Sub("labelled"), student = _folder.Sub("student.zip");
        ToolRun label = ToolRun.Succeeding(["label", .. Teacher, "--images", Images, "--output", labels]);
        Assert.That(label.Output, Does.Match(@"\d+ labels in 24 of 24 images").And.Contain("labels.html"));
        using (JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Combine(labels, "annotations", "instances_default.json"))))
        {
            JsonElement[] annotations = [.. json.RootElement.GetProperty("annotations").EnumerateArray()];
            Assert.That(annotations.Select(one => one.GetProperty("score").GetDouble()), Has.All.GreaterThan(.3));
            Assert.That(json.RootElement.GetProperty("categories").EnumerateArray().Select(one => one.GetProperty("name").GetString()),
                Is.EqualTo((string[])["square", "disc"]));
        }

        string page = File.ReadAllText(Path.Combine(labels, "labels.html"));
        Assert.That(Regex.Count(page, "<figure>"), Is.EqualTo(24));
        Assert.That(page, Does.Contain("src=\"../photos/00.png\"").And.Contain("<rect"));
        ToolRun.Succeeding(["distill", "--data", labels, .. Teacher, "--output", student, "--backbone", "plain", "--widths", "8,16,16",
            "--input-size", "64", "--epochs", "25", "--seed", "1", "--val-split", "none", "--test-split", "none", "--weights", "none",
            "--teacher-cache", _folder.Sub("cache")]);
        var context = new MLContext();
        using ObjectDetector detector = ObjectDetector.Load(student);
        DetectionMetrics metrics = context.MeasureDetector(detector, context.Data.LoadDetections(_folder.Sub("test"))).Metrics;
        TestContext.Out.WriteLine($"AP50 {metrics.AveragePrecision50:P1}");
        Assert.That(metrics.AveragePrecision50, Is.GreaterThan(.5));
        Assert.That(metrics.Classes.Select(one => one.Name), Is.EquivalentTo((string[])["square", "disc"]));
    }

    [Test]
    public void Inspect_SaysForEachClassWhatIsFound_AndOfWhatIsNotHowNearItComes_AndDrawsASheet()
    {
        ToolRun run = ToolRun.Succeeding(["inspect-teacher", .. Teacher, "--prompt", "green thing", "--images", Images, "--draw",
            _folder.Sub("sheet.png"), "--data", _folder.Sub("test")]);
        Assert.That(run.Output, Does.Contain("format   GroundingDino").And.Contain("3 phrases for 3 classes in one pass"));
        Assert.That(run.Output, Does.Match(@"class    square: \d+ found in \d+ images, scores 0\.9\d to 0\.9\d"));
        Assert.That(run.Output, Does.Match(@"class    green thing: none found from a score of 0\.3\s+"
            + @"'green thing' comes to 0\.\d+ at best, in "
            + @"\d+\.png at .*; alone in a pass 0\.\d+"));
        Assert.That(run.Output, Does.Match(@"red square\s+square\s+\d+\s+1\.00\s+1\.00\s+0\.9"));
        Assert.That(run.Output, Does.Match(@"green thing\s+green thing\s+0\s+-\s+-\s+0\.000\s+-"));
        Assert.That(File.ReadAllBytes(_folder.Sub("sheet.png"))[1..4], Is.EqualTo("PNG"u8.ToArray()));
    }

    [Test]
    public void Label_WhereTheFirstImagesGiveNothing_StopsWithAdvice_AndGoesOnWhenAskedAgain()
    {
        string[] nothing = ["label", "--teacher", _model, "--prompt", "green thing", "--images", Images, "--output",
            _folder.Sub("nothing")];
        ToolRun run = ToolRun.Of(nothing);
        Assert.That(run.ExitCode, Is.EqualTo(1));
        Assert.That(run.Error, Does.Contain("finds nothing in the first 24 images").And.Contain("inspect-teacher").And.Contain("0.3"));
        Assert.That(ToolRun.Succeeding(nothing).Output, Does.Contain("0 labels in 0 of 24 images"));
    }

    [Test]
    public void WordsTeachAtOnce_WithoutLabels_AndTheSecondTimeAnswersComeFromTheCache()
    {
        string cache = _folder.Sub("answers"), first = _folder.Sub("first.zip"), second = _folder.Sub("second.zip");
        Distill(first);
        Dictionary<string, DateTime> answers = Directory.GetFiles(cache, "*", SearchOption.AllDirectories)
            .ToDictionary(file => file, File.GetLastWriteTimeUtc);
        Assert.That(answers, Is.Not.Empty);
        Distill(second);
        Assert.That(Directory.GetFiles(cache, "*", SearchOption.AllDirectories).ToDictionary(file => file, File.GetLastWriteTimeUtc),
            Is.EquivalentTo(answers));
        foreach (string student in (string[])[first, second])
        {
            using ObjectDetector detector = ObjectDetector.Load(student);
            Assert.That(detector.ClassNames, Is.EqualTo((string[])["square", "disc"]));
        }

        void Distill(string student) => ToolRun.Succeeding(["distill", "--data", Images, "--no-labels", .. Teacher, "--output", student,
            "--run", "none", "--backbone", "plain", "--widths", "4,4,4", "--input-size", "32", "--epochs", "1", "--seed", "1",
            "--val-split", "none", "--weights", "none", "--teacher-cache", cache]);
    }

    [Test]
    public void Label_SaysAfterTenImagesHowLongItTakes_AndShardsMergeToWhatOneRunWrites([Values("coco", "voc", "yolo")] string format)
    {
        string whole = _folder.Sub($"whole-{format}"), parts = _folder.Sub($"parts-{format}");
        string[] label = ["label", .. Teacher, "--images", Images, "--output-format", format];
        Assert.That(ToolRun.Succeeding([.. label, "--output", whole]).Output, Does.Match(@"label: 10 of 24 images .* left"));
        foreach (string shard in (string[])["1/2", "2/2"]) ToolRun.Succeeding([.. label, "--output", parts, "--shard", shard]);
        ToolRun.Succeeding([.. label, "--output", parts, "--merge"]);
        Assert.That(Content(parts), Is.EqualTo(Content(whole)));
        Assert.That(Content(whole), Is.Not.Empty);

        // What differs is where the shards lie.
        static Dictionary<string, string> Content(string folder) => Directory.GetFiles(folder, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(folder, file)).Where(file => !file.StartsWith(".shards", StringComparison.Ordinal))
            .ToDictionary(file => file, file => Convert.ToHexString(File.ReadAllBytes(Path.Combine(folder, file))));
    }

    [Test]
    public void LeakingPhrases_AreSaid_WhereImagesAreLabelled()
    {
        string leaking = (Graph() with { Leaks = true }).Save(_folder.Sub("teacher/leaking.onnx"));
        ToolRun run = ToolRun.Succeeding(["label", "--teacher", leaking, "--prompt", "red square=square", "--prompt", "blue disc=disc",
            "--prompt", "green thing", "--images", Images, "--output", _folder.Sub("leaked"), "--output-format", "yolo"]);
        Assert.That(run.Error, Does.Contain("leak").And.Contain("3 passes"));
        Assert.That(Directory.GetFiles(_folder.Sub("leaked"), "*.txt", SearchOption.AllDirectories), Has.Length.GreaterThanOrEqualTo(24));
    }

    [Test]
    public void PredictAndEvaluate_TakePromptsToo()
    {
        string found = _folder.Sub("found.json");
        ToolRun.Succeeding("predict", "--model", _model, "--prompt", "red square", "--images", Images, "--output", found);
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(found));
        Assert.That(json.RootElement.GetArrayLength(), Is.GreaterThan(10));
        string words = _folder.Write("words.txt", "# colours\nred square=square\nblue disc=disc\n");
        ToolRun measured = ToolRun.Succeeding("evaluate", "--model", _model, "--prompts", words, "--data", _folder.Sub("test"));
        Assert.That(measured.Output, Does.Contain("AP"));
    }

    [TestCase("--prompts|none.txt", "none.txt")]
    [TestCase("--prompt|a. b", "full stop")]
    [TestCase("--prompt| ", "empty")]
    [TestCase("--prompt|cat|--prompt|cat=dog", "'cat' is given for 'cat' and 'dog'")]
    [TestCase("--tokenizer|x", "--tokenizer goes with --prompt")]
    [TestCase("--prompt|cat|--teacher-classes|x.txt", "--teacher-classes")]
    [TestCase("--prompt|cat|--tokenizer|nowhere.json", "nowhere.json")]
    [TestCase("--prompt|cat|--text-encoder|x.onnx", "--text-encoder")]
    public void WrongPrompts_AreErrorsThatSayWhat(string options, string said)
    {
        ToolRun run = ToolRun.Of(["label", "--teacher", _model, "--images", Images, "--output", _folder.Sub("never"),
            .. options.Split('|')]);
        Assert.That(run.ExitCode, Is.AnyOf(1, 2));
        Assert.That(run.Error, Does.Contain(said));
        Assert.That(run.Error.Trim(), Does.Not.Contain("\n"));
    }

    [Test]
    public void AReport_ShowsAStudent_BesideItsTeacherThatIsToldInWords()
    {
        string student = _folder.Sub("toy.onnx"), report = _folder.Sub("report.html");
        File.WriteAllBytes(student, ToyDetector.Model().ToBytes());
        string[] evaluate = ["evaluate", "--model", student, "--teacher", _model, "--data", _folder.Sub("test"), "--report", report];
        ToolRun untold = ToolRun.Of(evaluate);
        Assert.That((untold.ExitCode, untold.Error), Is.EqualTo((2, $"ml-distill: --teacher '{_model}' is a detector of another origin: "
            + $"give its classes with --teacher-classes, or where it is told in words these with --prompt.{Environment.NewLine}")));
        ToolRun.Succeeding([.. evaluate, .. Teacher[2..]]);
        Assert.That(File.ReadAllText(Path.ChangeExtension(report, ".json")), Does.Contain("\"teacher\"").And.Contain("student distilled"));
    }

    private static PromptedGraph Graph() => new(PromptedLayout.HuggingFaceDino)
    {
        Colours = new Dictionary<int, (byte, byte, byte)> { [2417] = Red, [2630] = Blue, [2665] = (60, 170, 80) },
        Size = (Side, Side),
        Cells = Side / Cell,
    };

    /// <summary>Draws one to three things on grey noise, each in a cell.</summary>
    private static void Scene(string path, int seed, List<string> objects)
    {
        var random = new Random(seed);
        RgbImage image = DrawnImages.Plain(Side, Side, 0, 0, 0);
        for (int i = 0; i < image.Pixels.Length; i++) image.Pixels[i] = (byte)random.Next(90, 150);
        int[] cells = [.. Enumerable.Range(0, Side / Cell * (Side / Cell)).OrderBy(_ => random.Next()).Take(random.Next(1, 4))];
        foreach (int cell in cells)
        {
            (int left, int top, bool isSquare) = (cell % (Side / Cell) * Cell, cell / (Side / Cell) * Cell, (cell + seed) % 2 == 0);
            (byte r, byte g, byte b) = isSquare ? Red : Blue;
            for (int y = 0; y < Cell; y++)
            {
                for (int x = 0; x < Cell; x++)
                {
                    int at = 3 * ((top + y) * Side + left + x);
                    (image.Pixels[at], image.Pixels[at + 1], image.Pixels[at + 2]) = (r, g, b);
                }
            }

            objects.Add(string.Create(CultureInfo.InvariantCulture, $"<object><name>{(isSquare ? "square" : "disc")}</name><bndbox>"
                + $"<xmin>{left}</xmin><ymin>{top}</ymin><xmax>{left + Cell}</xmax><ymax>{top + Cell}</ymax></bndbox></object>"));
        }

        DrawnImages.Save(image, path);
    }
}
