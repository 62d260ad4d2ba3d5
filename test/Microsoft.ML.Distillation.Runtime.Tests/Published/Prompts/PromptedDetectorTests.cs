using System.IO.Compression;
using System.Text;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Published.Prompts;
using static Microsoft.ML.Distillation.Tests.PromptedScene;
using DataType = Microsoft.ML.Distillation.Onnx.Proto.TensorProto.Types.DataType;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>A detector that is told in words finds what it is told, where it is, in every published layout.</summary>
public class PromptedDetectorTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void MakeFolder()
    {
        _ = TestData.Model("vocabularies/bpe_simple_vocab_16e6.txt.gz");
        _folder = new TemporaryFolder();
    }

    [TearDown]
    public void DeleteFolder() => _folder?.Dispose();

    private static IEnumerable<TestCaseData> Layouts()
    {
        foreach ((string name, bool turned, int? rows, (int, int)? size, DataType type) in (
            (string, bool, int?, (int, int)?, DataType)[])
            [("dynamic", false, null, null, DataType.Int64), ("static", false, 16, (800, 800), DataType.Int64),
                ("turned", true, null, (1200, 800), DataType.Int32)])
        {
            foreach (PromptedLayout layout in (PromptedLayout[])[PromptedLayout.HuggingFaceDino, PromptedLayout.IdeaDino])
            {
                yield return new TestCaseData(new PromptedGraph(layout)
                {
                    Colours = BertColours,
                    Turned = turned,
                    Rows = rows,
                    Size = size,
                    Integers = type,
                }).SetArgDisplayNames($"{layout} {name}");
            }
        }

        foreach ((string name, bool turned, int? rows, DataType type) in ((string, bool, int?, DataType)[])
            [("dynamic", false, null, DataType.Int64), ("turned", true, null, DataType.Int32), ("one row", false, 1, DataType.Int64),
                ("many rows", false, 7, DataType.Int64)])
        {
            foreach ((PromptedLayout layout, int side) in ((PromptedLayout, int)[])[(PromptedLayout.OwlVit, 768), (PromptedLayout.OwlV2,
                960),
                (PromptedLayout.WorldScores, 640), (PromptedLayout.WorldColumns, 640)])
            {
                yield return new TestCaseData(new PromptedGraph(layout)
                {
                    Colours = ClipColours,
                    Turned = turned,
                    Rows = rows,
                    Size = (side, side),
                    Integers = type,
                }).SetArgDisplayNames($"{layout} {name}");
            }
        }
    }

    [TestCaseSource(nameof(Layouts))]
    public void EveryPhrase_IsFoundWhereItIs_AndBestPhraseOfAClassCounts(object published)
    {
        var graph = (PromptedGraph)published;
        // The picture is not square: cells of an eighth of it, or of an eighth of the square in which it lies.
        (RgbImage picture, int width, int height) = PictureFor(graph, (1, 2, Red), (4, 1, Blue), (6, 4, Brown), (2, 4, Red));
        using ObjectDetector detector = Load(graph, "red square=box", "blue disc", "aglet=box", "green thing");
        Assert.That(detector.ClassNames, Is.EqualTo((string[])["box", "blue disc", "green thing"]));
        Assert.That(detector.Remarks, Is.Empty);
        AreAt(Sure(detector, picture), width, height, ("box", 1, 2), ("blue disc", 4, 1), ("box", 6, 4), ("box", 2, 4));
    }

    [TestCase(false, 1, 60)]
    [TestCase(true, 3, 60)]
    [TestCase(true, 3, 20_000, TestName = "{m}: found out by the first image, where made-up pictures do not tell")]
    public void LeakingPhrases_AreFoundOut_AndEachHasItsOwnPass_WhichIsSaid(bool leaks, int passes, float steepness)
    {
        PromptedGraph graph = Dino() with { Leaks = leaks, Steepness = steepness };
        (RgbImage picture, int width, int height) = PictureFor(graph, (1, 2, Red), (4, 1, Blue), (6, 4, Green));
        using ObjectDetector detector = Load(graph, "red square", "blue disc", "green thing");
        if (steepness > 1000) Assert.That(detector.Remarks, Is.Empty);
        AreAt(Sure(detector, picture), width, height, ("red square", 1, 2), ("blue disc", 4, 1), ("green thing", 6, 4));
        Assert.That(detector.Reading!.Words, Does.Contain(passes == 1 ? "one pass" : "3 passes"));
        if (leaks) Assert.That(detector.Remarks.Single(), Does.Contain("leak").And.Contain("3 passes in the place of 1"));
        else Assert.That(detector.Remarks, Is.Empty);
    }

    [Test]
    public void ACaptionLongerThanTheGraphTakes_IsToldInSeveralPasses()
    {
        PromptedGraph graph = Dino() with { Rows = 9, Size = (800, 800) };
        (RgbImage picture, int width, int height) = PictureFor(graph, (1, 2, Red), (4, 1, Blue), (6, 4, Green));
        using ObjectDetector detector = Load(graph, "red square", "blue disc", "green thing");
        AreAt(Sure(detector, picture), width, height, ("red square", 1, 2), ("blue disc", 4, 1), ("green thing", 6, 4));
        Assert.That(detector.Reading!.Words, Does.Contain("2 passes"));
        Assert.That(() => Load(graph, "red square", "a very long way to say blue"),
            Throws.ArgumentException.With.Message.Contains("too long").And.Message.Contains("a very long way to say blue"));
    }

    [Test]
    public void NamesThatTellNothing_AreNoHindrance([Values] bool idea, [Values] bool turned)
    {
        PromptedGraph graph = Dino() with
        {
            Layout = idea ? PromptedLayout.IdeaDino : PromptedLayout.HuggingFaceDino,
            Turned = turned,
            Names = new Dictionary<string, string>
            {
                ["pixel_values"] = "a",
                ["samples"] = "a",
                ["input_ids"] = "b",
                ["attention_mask"] = "c",
                ["token_type_ids"] = "d",
                ["position_ids"] = "e",
                ["text_token_mask"] = "f",
                ["pixel_mask"] = "g",
                ["logits"] = "h",
                ["boxes"] = "k",
                ["pred_boxes"] = "k",
            },
        };
        (RgbImage picture, int width, int height) = PictureFor(graph, (1, 2, Red), (4, 1, Blue));
        using ObjectDetector detector = Load(graph, "red", "blue disc");
        AreAt(Sure(detector, picture), width, height, ("red", 1, 2), ("blue disc", 4, 1));
    }

    [Test]
    public void APhrasesScore_IsItsBestTokens_OrTheirMean()
    {
        // "square" scores worse than "red".
        PromptedGraph graph = Dino() with { Handicaps = new Dictionary<int, float> { [2675] = 4 } };
        (RgbImage picture, _, _) = PictureFor(graph, (1, 2, Red));
        float best = Score(PhraseScore.Best), mean = Score(PhraseScore.Mean);
        Assert.That(best, Is.EqualTo(1 / (1 + MathF.Exp(-4))).Within(0.01));
        Assert.That(mean, Is.EqualTo((best + 0.5f) / 2).Within(0.01));

        float Score(PhraseScore score)
        {
            using ObjectDetector detector = Load(graph, prompts => prompts with { PhraseScore = score }, "red square");
            return Sure(detector, picture)[0].Score;
        }
    }

    [Test]
    public void EmbeddingsFromAFile_AreWhatTheTextTowerGives([Values("npy", "npz", "safetensors")] string ending)
    {
        var graph = new PromptedGraph(PromptedLayout.WorldColumns) { Colours = ClipColours, Size = (640, 640) };
        (RgbImage picture, int width, int height) = PictureFor(graph, (1, 2, Red), (4, 1, Blue));
        string path = EmbeddingsFiles.Write(_folder.Sub($"words.{ending}"), ("red square", [.86f, .16f, .12f, 1]),
            ("blue disc", [.12f, .16f, .86f, 1]));
        using ObjectDetector detector = Load(graph, prompts => prompts with
        {
            TextEncoderPath = null,
            TokenizerPath = null,
            EmbeddingsPath = path
        }, "blue disc", "red square");
        // Arrays of the phrases' names are told by these, rows by their order.
        string[] labels = ending == "npy" ? ["red square", "blue disc"] : ["blue disc", "red square"];
        AreAt(Sure(detector, picture), width, height, (labels[0], 4, 1), (labels[1], 1, 2));
    }

    [Test]
    public void OneObjectOfTwoClasses_IsOneOfTheBest_WhereThatIsAskedFor()
    {
        PromptedGraph graph = Dino() with { Handicaps = new Dictionary<int, float> { [2417] = 1, [2675] = 1 } };
        (RgbImage picture, _, _) = PictureFor(graph, (1, 2, Red));
        string path = graph.Save(_folder.Sub("model.onnx"));
        DetectorPrompts prompts = Told(_folder, graph, "red square=box", "the red=thing") with { OnePhrasePerPass = true };
        using ObjectDetector both = ObjectDetector.Load(path, new ObjectDetectorOptions { Prompts = prompts });
        using ObjectDetector one = ObjectDetector.Load(path, new ObjectDetectorOptions
        {
            Prompts = prompts,
            ClassAgnosticSuppression = true
        });
        Assert.That(Sure(both, picture).Select(found => found.Label), Is.EqualTo((string[])["thing", "box"]));
        Assert.That(Sure(one, picture).Select(found => found.Label), Is.EqualTo((string[])["thing"]));
    }

    [TestCase(null, 1)]
    [TestCase(1, 3)]
    public void TextsOfOnePass_AreEncodedOnce_NotWithEveryImage(int? rows, int inputs)
    {
        var graph = new PromptedGraph(PromptedLayout.OwlVit) { Colours = ClipColours, Size = (768, 768), Rows = rows };
        using var runner = new PromptedRunner(graph.Save(_folder.Sub("model.onnx")), OnnxDetectorFormat.Auto,
            Told(_folder, graph, "red", "blue"), new OnnxDetectorOptions(), new DetectorRemarks());
        Assert.That(runner.Inputs, Has.Count.EqualTo(inputs));
        Assert.That(runner.Passes, Is.EqualTo(rows is null ? 1 : 2));
    }

    [Test]
    public void PromptsThatCannotBe_AreErrorsThatSaySo()
    {
        Assert.That(() => DetectorPrompts.Parse(), Throws.ArgumentException.With.Message.Contains("no prompt"));
        Assert.That(() => DetectorPrompts.Parse(" "), Throws.ArgumentException.With.Message.Contains("empty"));
        Assert.That(() => DetectorPrompts.Parse("=scooter"), Throws.ArgumentException.With.Message.Contains("'scooter'"));
        Assert.That(() => DetectorPrompts.Parse("scooter="), Throws.ArgumentException.With.Message.Contains("empty class"));
        Assert.That(() => DetectorPrompts.Parse("a cat. a dog"), Throws.ArgumentException.With.Message.Contains("full stop"));
        Assert.That(() => DetectorPrompts.Parse("cat", "Cat=dog"), Throws.ArgumentException.With.Message.Contains("'dog'"));
        Assert.That(() => DetectorPrompts.Parse("."), Throws.ArgumentException.With.Message.Contains("empty"));
        Assert.That(() => DetectorPrompts.Parse("a=b=c"), Throws.ArgumentException.With.Message.Contains("two signs '='"));
        Assert.That(DetectorPrompts.Parse("a cat.").Prompts.Single(), Is.EqualTo(new Prompt("a cat")));
        Assert.That(DetectorPrompts.Parse("kick scooter = scooter").Prompts.Single(), Is.EqualTo(new Prompt("kick scooter", "scooter")));
        string file = _folder.Write("prompts.txt", "# words\n\ncat\na. b=dog\n");
        Assert.That(() => DetectorPrompts.Read(file), Throws.TypeOf<FormatException>().With.Message.StartsWith($"{file}(4): "));
        Assert.That(() => Load(Dino(), "what is this?"), Throws.ArgumentException.With.Message.Contains("question mark"));
        var owl = new PromptedGraph(PromptedLayout.OwlVit) { Colours = ClipColours, Size = (768, 768) };
        Assert.That(() => Load(owl, "a b c d e f g h i j k l m n o"), Throws.ArgumentException.With.Message.Contains("too long"));
    }

    [Test]
    public void WhatIsMissingOrDoesNotFit_IsNamed()
    {
        string model = Dino().Save(_folder.Sub("model.onnx"));
        Assert.That(() => ObjectDetector.Load(model, new ObjectDetectorOptions { Prompts = DetectorPrompts.Parse("cat") }),
            Throws.TypeOf<FileNotFoundException>().With.Message.Contains("vocab.txt"));
        Assert.That(() => ObjectDetector.Load(model, new ObjectDetectorOptions { ClassNames = ["cat"] }),
            Throws.TypeOf<NotSupportedException>().With.Message.Contains("prompts"));
        var world = new PromptedGraph(PromptedLayout.WorldScores) { Colours = ClipColours, Size = (640, 640) };
        Assert.That(() => Load(world, prompts => prompts with { TextEncoderPath = null }, "cat"),
            Throws.ArgumentException.With.Message.Contains("TextEncoderPath").And.Message.Contains("EmbeddingsPath"));
        Assert.That(() => Load(world, prompts => prompts with { TextEncoderPath = model }, "cat"),
            Throws.TypeOf<FormatException>().With.Message.Contains("text tower"));
        Assert.That(() => Load(Dino(), prompts => prompts with { TextEncoderPath = model }, "cat"),
            Throws.ArgumentException.With.Message.Contains("TextEncoderPath"));
        var owl = new PromptedGraph(PromptedLayout.OwlVit) { Colours = ClipColours, Size = (512, 512) };
        Assert.That(() => Load(owl, "cat"), Throws.TypeOf<FormatException>().With.Message.Contains("OwlVit or OwlV2"));
        using TeacherGraph plain = new TeacherGraph().Output("output", new float[6 * 84], [84, 6]);
        Assert.That(() => ObjectDetector.Load(plain.Save(), new ObjectDetectorOptions { Prompts = DetectorPrompts.Parse("cat") }),
            Throws.TypeOf<FormatException>().With.Message.Contains("not told in words"));
    }

    [TestCase("<i8", "2, 512", "its values are of <i8: floats")]
    [TestCase(">f4", "2, 512", "its values are of >f4: floats in the machine's own order")]
    [TestCase("|O", "2", "its values are of |O: floats")]
    [TestCase("<f4", "5, 512", "its array has 5 rows, and 2 are needed, one for each prompt")]
    [TestCase("<f4", "2, 768", "its embeddings have 768 values, and the detector takes 512")]
    [TestCase("<f4", "512,", "its array is [512], and rows are needed, one for each prompt in their order: [2, length]")]
    [TestCase("<f4", "2, 2, 256", "its array is [2, 2, 256], and rows are needed")]
    [TestCase("<f4", "20, 512", "ends before its array does")]
    public void EmbeddingsOfAnotherKind_AreRefused_WithWhatIsNeeded(string type, string shape, string said)
    {
        string path = _folder.Sub("wrong.npy");
        File.WriteAllBytes(path, EmbeddingsFiles.Numpy(new float[5 * 512].Select((_, i) => 1f + i).ToArray(), shape, type));
        Assert.That(() => LoadWorld(path, "red square", "blue disc"), Throws.TypeOf<FormatException>().With.Message
            .StartsWith($"'{path}' does not hold the embeddings of 2 prompts: ").And.Message.Contains(said));
    }

    [Test]
    public void WhatIsNoFileOfEmbeddings_IsSaidToBeNone()
    {
        foreach ((string name, string text, string said) in ((string, string, string)[])[
            ("text.npy", "hello", "it is neither .npy, .npz nor .safetensors"), ("empty.npz", "", "it is neither"),
            ("lacks.safetensors", "\u0012\0\0\0\0\0\0\0{\"x\":{\"shape\":[]}}", "'x' has no data_offsets")])
        {
            string path = _folder.Write(name, text);
            Assert.That(() => LoadWorld(path, "cat"), Throws.TypeOf<FormatException>().With.Message
                .StartsWith($"'{path}' does not hold the embeddings of 1 prompt: {said}"));
        }

        Assert.That(() => LoadWorld(_folder.Path, "cat"), Throws.TypeOf<FormatException>().With.Message.Contains("it is a folder"));
        Assert.That(() => LoadWorld(_folder.Sub("none.npy"), "cat"), Throws.TypeOf<FileNotFoundException>().With.Message
            .Contains("no file of embeddings").And.Message.Contains("none.npy"));
    }

    [TestCase("512,", "cat")]
    [TestCase("1, 1, 512", "cat")]
    [TestCase("2, 1, 512", "cat", "dog")]
    public void SidesOfOne_DoNotCount_AndOnePhraseMayBeAVector(string shape, params string[] prompts)
    {
        string path = _folder.Sub("words.npy");
        File.WriteAllBytes(path, EmbeddingsFiles.Numpy([.. Enumerable.Repeat(1f, 512 * prompts.Length)], shape));
        using ObjectDetector detector = LoadWorld(path, prompts);
        Assert.That(detector.ClassNames, Is.EqualTo(prompts));
    }

    private ObjectDetector LoadWorld(string embeddings, params string[] prompts)
        => Load(new PromptedGraph(PromptedLayout.WorldScores) { Colours = ClipColours, Size = (640, 640) },
            told => told with { TextEncoderPath = null, TokenizerPath = null, EmbeddingsPath = embeddings }, prompts);

    private static PromptedGraph Dino() => new(PromptedLayout.HuggingFaceDino) { Colours = BertColours };

    private ObjectDetector Load(PromptedGraph graph, params string[] prompts) => Load(graph, options => options, prompts);

    private ObjectDetector Load(PromptedGraph graph, Func<DetectorPrompts, DetectorPrompts> change, params string[] prompts)
        => ObjectDetector.Load(graph.Save(_folder.Sub("model.onnx")),
            new ObjectDetectorOptions { Prompts = change(Told(_folder, graph, prompts)) });
}

/// <summary>Writes embeddings as other programs do.</summary>
internal static class EmbeddingsFiles
{
    private const int Length = 512;

    public static string Write(string path, params (string Name, float[] Values)[] rows)
    {
        float[][] padded = [.. rows.Select(row => (float[])[.. row.Values, .. new float[Length - row.Values.Length]])];
        if (path.EndsWith(".npy", StringComparison.Ordinal)) File.WriteAllBytes(path, Numpy([.. padded.SelectMany(row => row)],
            $"{rows.Length}, {Length}"));
        else if (path.EndsWith(".npz", StringComparison.Ordinal))
        {
            using ZipArchive archive = ZipFile.Open(path, ZipArchiveMode.Create);
            for (int i = 0; i < rows.Length; i++)
            {
                using Stream entry = archive.CreateEntry($"{rows[i].Name}.npy").Open();
                entry.Write(Numpy(padded[i], $"{Length},"));
            }
        }
        else
        {
            string header = "{" + string.Join(",", rows.Select((row, i) =>
                $"\"{row.Name}\":{{\"dtype\":\"F32\",\"shape\":[{Length}],\"data_offsets\":[{i * 4 * Length},{(i + 1) * 4 * Length}]}}"))
                    + "}";
            File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)header.Length), .. Encoding.UTF8.GetBytes(header),
                .. padded.SelectMany(row => row.SelectMany(BitConverter.GetBytes))]);
        }

        return path;
    }

    public static byte[] Numpy(float[] values, string shape, string type = "<f4")
    {
        string header = $"{{'descr': '{type}', 'fortran_order': False, 'shape': ({shape}), }}\n";
        return [0x93, .. "NUMPY"u8, 1, 0, .. BitConverter.GetBytes((ushort)header.Length), .. Encoding.Latin1.GetBytes(header),
            .. values.SelectMany(BitConverter.GetBytes)];
    }
}
