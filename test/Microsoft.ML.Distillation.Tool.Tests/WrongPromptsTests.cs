namespace Microsoft.ML.Distillation.Tests.Tool;

/// <summary>What cannot be told is one clear line, before any picture is looked at and anything is written.</summary>
public class WrongPromptsTests
{
    private TemporaryFolder _folder = null!;

    private string NeverWritten => Path.Combine(_folder.Path, "never");

    [OneTimeSetUp]
    public void Write()
    {
        string vocabulary = TestData.Model("vocabularies/bert-base-uncased-vocab.txt");
        string merges = TestData.Model("vocabularies/bpe_simple_vocab_16e6.txt.gz");
        _folder = new TemporaryFolder();
        var colours = new Dictionary<int, (byte, byte, byte)> { [2417] = (220, 40, 30) };
        File.Copy(vocabulary, _folder.Sub("dino/vocab.txt"));
        var dino = new PromptedGraph(PromptedLayout.HuggingFaceDino) { Colours = colours, Size = (128, 128), Cells = 4 };
        dino.Save(_folder.Sub("dino/model.onnx"));
        dino.Save(_folder.Sub("alone/model.onnx"));
        File.Copy(merges, _folder.Sub("owl/bpe_simple_vocab_16e6.txt.gz"));
        new PromptedGraph(PromptedLayout.OwlVit) { Colours = colours, Size = (768, 768) }.Save(_folder.Sub("owl/model.onnx"));
        new PromptedGraph(PromptedLayout.OwlVit) { Colours = colours, Size = (512, 512) }.Save(_folder.Sub("owl/either.onnx"));
        var world = new PromptedGraph(PromptedLayout.WorldScores) { Colours = colours, Size = (640, 640) };
        world.Save(_folder.Sub("world/model.onnx"));
        world.SaveTower(_folder.Sub("world/tower.onnx"));
        File.Copy(merges, _folder.Sub("world/bpe_simple_vocab_16e6.txt.gz"));
        using TeacherGraph plain = new TeacherGraph().Output("output", new float[6], [1, 6]);
        File.Copy(plain.Save(), _folder.Sub("plain/model.onnx"));
        DrawnImages.Save(DrawnImages.Plain(64, 64, 90, 90, 90), _folder.Sub("photos/0.png"));
        _folder.Write("empty.txt", "");
        _folder.Write("comments.txt", "# nothing\n\n");
        _folder.Write("twice.txt", "cat\r\n# again\r\ncat\r\n");
        _folder.Write("two-classes.txt", "cat=a\ncat=b\n");
        _folder.Write("stop.txt", "cat\nmr. smith=man\n");
        File.WriteAllBytes(_folder.Sub("latin.txt"), [.. "R"u8, 0xF6, .. "hre\n"u8]);
        _folder.Write("classes.txt", "cat\n");
        _folder.Write("vocab.json", "{}");
        _folder.Write("words.npy", "no array");
        File.WriteAllBytes(_folder.Sub("short.npy"), Numpy(2, 256));
        File.WriteAllBytes(_folder.Sub("few.npy"), Numpy(1, 512));
    }

    [OneTimeTearDown]
    public void Delete() => _folder.Dispose();

    [TearDown]
    public void DeleteWhatShouldNotBe()
    {
        if (Directory.Exists(NeverWritten)) Directory.Delete(NeverWritten, recursive: true);
        File.Delete(NeverWritten);
    }

    [TestCase("dino", "--prompts empty.txt", "empty.txt: There is no prompt")]
    [TestCase("dino", "--prompts comments.txt", "comments.txt: There is no prompt")]
    [TestCase("dino", "--prompts twice.txt", "twice.txt: The prompt 'cat' is given 2 times")]
    [TestCase("dino", "--prompts two-classes.txt", "'cat' is given for 'a' and 'b'")]
    [TestCase("dino", "--prompts stop.txt", "stop.txt(2): ", "full stop")]
    [TestCase("dino", "--prompts latin.txt", "latin.txt")]
    [TestCase("dino", "--prompts photos", "photos")]
    [TestCase("dino", "--prompts photos/0.png", "0.png")]
    [TestCase("dino", "--prompts classes.txt --prompt cat", "'cat' is given 2 times")]
    [TestCase("dino", "--prompts classes.txt --prompts classes.txt", "--prompts")]
    [TestCase("dino", "--prompt a=b=c", "'a=b=c'", "two")]
    [TestCase("dino", "--prompt cat=", "empty class")]
    [TestCase("dino", "--prompt =cat", "'cat' is empty")]
    [TestCase("dino", "--prompt a.b", "full stop")]
    [TestCase("dino", "--prompt who?", "question mark")]
    [TestCase("dino", "--prompt LONG", "too long")]
    [TestCase("dino", "--prompt \U0001F6F4", "no word that the tokenizer knows")]
    [TestCase("owl", "--prompt LONG", "too long")]
    [TestCase("dino", "--prompt cat --teacher-classes classes.txt", "--teacher-classes does not go with")]
    [TestCase("dino", "--prompt cat --teacher-score 0", "--teacher-score")]
    [TestCase("dino", "--prompt cat --teacher-score 1.5", "--teacher-score")]
    [TestCase("dino", "--prompt cat --teacher-score much", "--teacher-score")]
    [TestCase("dino", "--prompt cat --teacher-format yolov8", "not told in words")]
    [TestCase("dino", "--prompt cat --teacher-format yolo-world", "no YoloWorld")]
    [TestCase("dino", "--prompt cat --teacher-layout classes.txt", "classes.txt")]
    [TestCase("dino", "--prompt cat --teacher-run-in torch", "--teacher-run-in")]
    [TestCase("dino", "--prompt cat --phrase-score most", "--phrase-score")]
    [TestCase("dino", "--prompt cat --text-encoder world/tower.onnx", "leave out --text-encoder")]
    [TestCase("dino", "--prompt cat --embeddings few.npy", "leave out --embeddings")]
    [TestCase("owl", "--prompt cat --text-encoder world/tower.onnx", "leave out --text-encoder")]
    [TestCase("dino", "--prompt cat --tokenizer owl", "vocab.txt")]
    [TestCase("dino", "--prompt cat --tokenizer owl/bpe_simple_vocab_16e6.txt.gz", "BERT")]
    [TestCase("dino", "--prompt cat --tokenizer vocab.json", "vocab.json", "BERT")]
    [TestCase("owl", "--prompt cat --tokenizer dino", "vocab.json with merges.txt")]
    [TestCase("owl", "--prompt cat --tokenizer dino/vocab.txt", "CLIP")]
    [TestCase("owl", "--prompt cat --tokenizer vocab.json", "merges.txt must lie beside it")]
    [TestCase("owl", "--prompt cat --tokenizer photos/0.png", "0.png")]
    [TestCase("alone", "--prompt cat", "vocab.txt or tokenizer.json", "--tokenizer")]
    [TestCase("owl/either.onnx", "--prompt cat", "OwlVit or OwlV2", "--teacher-format")]
    [TestCase("world", "--prompt cat", "--text-encoder", "--embeddings")]
    [TestCase("world", "--prompt cat --text-encoder none.onnx", "none.onnx")]
    [TestCase("world", "--prompt cat --text-encoder dino/model.onnx", "no text tower")]
    [TestCase("world", "--prompt cat --text-encoder classes.txt", "classes.txt")]
    [TestCase("world", "--prompt cat --text-encoder world/tower.onnx --embeddings few.npy", "do not go together")]
    [TestCase("world", "--prompt cat --embeddings none.npy", "none.npy")]
    [TestCase("world", "--prompt cat --embeddings words.npy", "neither .npy, .npz nor .safetensors")]
    [TestCase("world", "--prompt cat --prompt dog --embeddings short.npy", "256 values, and the detector takes 512")]
    [TestCase("world", "--prompt cat --prompt dog --embeddings few.npy", "1 row, and 2 are needed")]
    [TestCase("world", "--prompt cat --embeddings few.npy --tokenizer dino/vocab.txt", "--tokenizer")]
    [TestCase("plain", "--prompt cat", "not told in words")]
    [TestCase("dino", "", "--prompt")]
    [TestCase("dino", "--phrases-apart", "--phrases-apart goes with --prompt")]
    [TestCase("dino", "--embeddings few.npy", "--embeddings goes with --prompt")]
    [TestCase("dino", "--teacher-classes classes.txt", "Without it go prompts alone")]
    public void Label_SaysWhat(string model, string options, params string[] said) => Refused(
        ["label", "--teacher", ModelOf(model), "--images", At("photos"), "--output", NeverWritten, .. Words(options)], said);

    [TestCase("--prompt cat --embeddings words.npy", "world")]
    [TestCase("--prompt cat --embeddings short.npy", "world")]
    [TestCase("--prompt cat", "plain")]
    [TestCase("--prompt LONG", "dino")]
    [TestCase("--prompt cat", "alone")]
    public void Distill_SaysIt_BeforeDataAreRead(string options, string model) => Refused(
        ["distill", "--teacher", ModelOf(model), "--data", At("nowhere"), "--output", NeverWritten + ".zip", "--run", "none",
            .. Words(options)], []);

    [TestCase("--prompt cat --classes classes.txt", "--classes")]
    [TestCase("--prompt cat --model-format yolov8", "not told in words")]
    [TestCase("--prompt cat --tokenizer vocab.json", "BERT")]
    [TestCase("--tokenizer dino", "--tokenizer goes with --prompt")]
    [TestCase("", "--prompt")]
    public void PredictAndEvaluate_SayWhat(string options, params string[] said)
    {
        Refused(["predict", "--model", ModelOf("dino"), "--images", At("photos"), "--output", NeverWritten, .. Words(options)], said);
        Refused(["evaluate", "--model", ModelOf("dino"), "--data", At("photos"), .. Words(options)], said);
    }

    [TestCase("--prompt cat --tensors", "--tensors")]
    [TestCase("--prompt cat --image photos/0.png --images photos", "do not go together")]
    [TestCase("--images photos", "--images goes with --prompt")]
    [TestCase("--prompt cat --images nowhere", "nowhere")]
    [TestCase("--prompt cat --embeddings few.npy", "--embeddings")]
    public void InspectTeacher_SaysWhat(string options, params string[] said)
        => Refused(["inspect-teacher", "--teacher", ModelOf("dino"), .. Words(options)], said);

    [Test]
    public void AFileOfPrompts_MayHaveAByteOrderMark_WindowsLineEnds_AndComments()
    {
        string words = _folder.Write("windows.txt", "\uFEFF# words\r\n\r\n red square = square \r\nBlue Disc.=disc\r\n");
        ToolRun run = ToolRun.Succeeding("inspect-teacher", "--teacher", ModelOf("dino"), "--prompts", words);
        Assert.That(run.Output, Does.Contain("2 classes: red square, Blue Disc").And.Contain("2 phrases"));
    }

    private void Refused(string[] command, string[] said)
    {
        ToolRun run = ToolRun.Of(command);
        TestContext.Out.WriteLine(run.Error);
        Assert.That(run.ExitCode, Is.AnyOf(1, 2));
        Assert.That(run.Error.Trim(), Does.StartWith("ml-distill: ").And.Not.Contain("\n").And.Not.Contain("Parameter '")
            .And.Not.Contain("ONNXRuntimeError"));
        foreach (string part in said) Assert.That(run.Error, Does.Contain(part));
        Assert.That(Directory.Exists(NeverWritten) || File.Exists(NeverWritten) || File.Exists(NeverWritten + ".zip"), Is.False);
    }

    private string At(string name) => Path.Combine(_folder.Path, name);

    private string ModelOf(string name) => name.EndsWith(".onnx", StringComparison.Ordinal) ? At(name) : At($"{name}/model.onnx");

    private IEnumerable<string> Words(string options) => options.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .Select(word => word == "LONG" ? string.Join(' ', Enumerable.Repeat("cat", 300))
            : Path.Exists(At(word)) || IsFile(word) ? At(word) : word);

    // Files that are not there are named as those that are.
    private static bool IsFile(string word) => word is "none.onnx" or "none.npy" or "nowhere";

    private static byte[] Numpy(int rows, int length)
    {
        string header = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {length}), }}\n";
        float[] values = [.. Enumerable.Range(1, rows * length).Select(i => (float)i)];
        return [0x93, .. "NUMPY"u8, 1, 0, .. BitConverter.GetBytes((ushort)header.Length), .. System.Text.Encoding.Latin1.GetBytes(header),
            .. values.SelectMany(BitConverter.GetBytes)];
    }
}
