using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Microsoft.ML.Distillation.Published.Prompts;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>Phrases become the tokens that the models were trained with, whatever form of file the vocabulary has.</summary>
public class TokenizerTests
{
    [Test]
    public void WordPieces_AreThoseOfTheReference_ToTheId()
    {
        PhraseTokenizer tokenizer = Find(TokenizerKind.WordPieces, TestData.Model("vocabularies/bert-base-uncased-vocab.txt"));
        Assert.Multiple(() => AreGolden(tokenizer, "tokens-bert.json"));
    }

    [Test]
    public void BytePairs_AreThoseOfTheReference_ToTheId()
    {
        PhraseTokenizer tokenizer = Find(TokenizerKind.BytePairs, TestData.Model("vocabularies/bpe_simple_vocab_16e6.txt.gz"));
        Assert.Multiple(() => AreGolden(tokenizer, "tokens-clip.json"));
    }

    [Test]
    public void AllFormsOfAVocabulary_GiveTheSameTokens()
    {
        using var folder = new TemporaryFolder();
        string lines = TestData.Model("vocabularies/bert-base-uncased-vocab.txt");
        string merges = TestData.Model("vocabularies/bpe_simple_vocab_16e6.txt.gz");
        PhraseTokenizer[] wordPieces =
        [
            Find(TokenizerKind.WordPieces, lines),
            Find(TokenizerKind.WordPieces, VocabularyFiles.WordPieceJson(folder.Sub("bert/tokenizer.json"), lines)),
            Find(TokenizerKind.WordPieces, folder.Write("crlf/vocab.txt", string.Join("\r\n", File.ReadLines(lines)))),
        ];
        VocabularyFiles.Clip(folder.Sub("clip/x"), merges);
        PhraseTokenizer[] bytePairs =
        [
            Find(TokenizerKind.BytePairs, merges), Find(TokenizerKind.BytePairs, folder.Sub("clip")),
            Find(TokenizerKind.BytePairs, folder.Sub("clip/merges.txt")),
            Find(TokenizerKind.BytePairs, VocabularyFiles.BytePairJson(folder.Sub("a/tokenizer.json"), merges, pairs: false)),
            Find(TokenizerKind.BytePairs, VocabularyFiles.BytePairJson(folder.Sub("b/tokenizer.json"), merges, pairs: true)),
        ];
        var random = new Random(23);
        for (int i = 0; i < 300; i++)
        {
            string phrase = Phrase(random);
            foreach (PhraseTokenizer[] forms in (PhraseTokenizer[][])[wordPieces, bytePairs])
            {
                int[] expected = forms[0].Encode(phrase);
                Assert.That(forms.Skip(1).Select(form => form.Encode(phrase)), Has.All.EqualTo(expected), phrase);
            }
        }
    }

    [Test]
    public void Tokenizer_LiesBesideTheModel_OrInTheFolderAbove_AndOneOfTheOtherKindIsPassedOver()
    {
        using var folder = new TemporaryFolder();
        string lines = TestData.Model("vocabularies/bert-base-uncased-vocab.txt");
        File.Copy(lines, folder.Sub("model/vocab.txt"));
        VocabularyFiles.BytePairJson(folder.Sub("model/onnx/tokenizer.json"), TestData.Model("vocabularies/bpe_simple_vocab_16e6.txt.gz"),
            pairs: false);
        string model = folder.Sub("model/onnx/model.onnx");
        Assert.That(PhraseTokenizer.Find(TokenizerKind.WordPieces, null, [model], "Grounding DINO").Source,
            Is.EqualTo(folder.Sub("model/vocab.txt")));
        Assert.That(PhraseTokenizer.Find(TokenizerKind.BytePairs, null, [model], "OWL-ViT").Source,
            Is.EqualTo(folder.Sub("model/onnx/tokenizer.json")));
    }

    [Test]
    public void AnotherModelsVocabularyBeside_IsPassedOver_AndOneOfCasedWordsIsNotTaken()
    {
        using var folder = new TemporaryFolder();
        string lines = TestData.Model("vocabularies/bert-base-uncased-vocab.txt");
        folder.Write("vocab.txt", "<s>\n</s>\ncat\n");
        string json = VocabularyFiles.WordPieceJson(folder.Sub("tokenizer.json"), lines);
        Assert.That(PhraseTokenizer.Find(TokenizerKind.WordPieces, null, [folder.Sub("model.onnx")], "Grounding DINO").Source,
            Is.EqualTo(json));
        string cased = folder.Write("cased/vocab.txt", File.ReadAllText(lines) + "The\n");
        Assert.That(() => Find(TokenizerKind.WordPieces, cased),
            Throws.TypeOf<FormatException>().With.Message.Contains("cased words ('The')").And.Message.Contains("uncased"));
    }

    [Test]
    public void NoTokenizer_OrOneOfTheWrongKind_IsAnErrorThatSaysWhichIsNeeded()
    {
        using var folder = new TemporaryFolder();
        string model = folder.Sub("model.onnx");
        Assert.That(() => PhraseTokenizer.Find(TokenizerKind.WordPieces, null, [model], "Grounding DINO"),
            Throws.TypeOf<FileNotFoundException>().With.Message.Contains("vocab.txt").And.Message.Contains(folder.Path));
        Assert.That(() => Find(TokenizerKind.WordPieces, folder.Sub("nowhere.txt")), Throws.TypeOf<FileNotFoundException>());
        string clip = VocabularyFiles.BytePairJson(folder.Sub("tokenizer.json"),
            TestData.Model("vocabularies/bpe_simple_vocab_16e6.txt.gz"),
            pairs: false);
        Assert.That(() => Find(TokenizerKind.WordPieces, clip),
            Throws.TypeOf<FormatException>().With.Message.Contains("CLIP").And.Message.Contains("BERT"));
        Assert.That(() => Find(TokenizerKind.BytePairs, TestData.Model("vocabularies/bert-base-uncased-vocab.txt")),
            Throws.TypeOf<FormatException>().With.Message.Contains("CLIP"));
        foreach (string content in (string[])["{", "[]", "{\"model\":7}", "{\"model\":{\"type\":\"BPE\",\"vocab\":{},\"merges\":[]}}", ""])
        {
            string broken = folder.Write("broken/tokenizer.json", content);
            Assert.That(() => Find(TokenizerKind.BytePairs, broken), Throws.TypeOf<FormatException>().With.Message.Contains(broken),
                content);
            Assert.That(() => Find(TokenizerKind.WordPieces, broken), Throws.TypeOf<FormatException>().With.Message.Contains(broken),
                content);
        }
    }

    private static PhraseTokenizer Find(TokenizerKind kind, string path) => PhraseTokenizer.Find(kind, path, [], "the model");

    private static void AreGolden(PhraseTokenizer tokenizer, string file)
    {
        using JsonDocument golden = JsonDocument.Parse(File.ReadAllText(TestData.Model($"vocabularies/{file}")));
        foreach (JsonProperty entry in golden.RootElement.EnumerateObject())
        {
            int[] expected = [.. entry.Value.EnumerateArray().Select(id => id.GetInt32())];
            Assert.That((int[])[tokenizer.Start, .. tokenizer.Encode(entry.Name), tokenizer.End], Is.EqualTo(expected), entry.Name);
        }
    }

    private static string Phrase(Random random)
    {
        string[] parts = ["kick scooter", "Röntgen", "日本", "café", "don't", "42", "light_gray", "a-b", "$5", "AC/DC", "x", "  ", "ﬀ", "ß",
            "🛴",
            "naïve", "İ", "…", "(green)", "\t", "e\u0301"];
        var text = new StringBuilder();
        for (int i = random.Next(1, 6); i > 0; i--) text.Append(parts[random.Next(parts.Length)]).Append(random.Next(2) == 0 ? " " : "");
        return text.ToString();
    }
}

/// <summary>Writes the published vocabularies in the other forms that lie beside models.</summary>
internal static class VocabularyFiles
{
    public static string WordPieceJson(string path, string lines)
    {
        var vocabulary = File.ReadLines(lines).Select((piece, id) => (piece, id)).ToDictionary(entry => entry.piece, entry => entry.id);
        return Write(path, new { version = "1.0", model = new { type = "WordPiece", unk_token = "[UNK]", vocab = vocabulary } });
    }

    public static string BytePairJson(string path, string merges, bool pairs)
    {
        (Dictionary<string, int> vocabulary, string[] list) = Clip(merges);
        object joined = pairs ? list.Select(merge => merge.Split(' ')).ToArray() : list;
        return Write(path, new { model = new { type = "BPE", end_of_word_suffix = "</w>", vocab = vocabulary, merges = joined } });
    }

    /// <summary>vocab.json and merges.txt beside a model.</summary>
    public static void Clip(string model, string merges)
    {
        (Dictionary<string, int> vocabulary, string[] list) = Clip(merges);
        string folder = Path.GetDirectoryName(model)!;
        Write(Path.Combine(folder, "vocab.json"), vocabulary);
        File.WriteAllLines(Path.Combine(folder, "merges.txt"), ["#version: 0.2", .. list]);
    }

    private static (Dictionary<string, int>, string[]) Clip(string merges)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(merges), CompressionMode.Decompress));
        string[] list = [.. reader.ReadToEnd().Split('\n').Skip(1).Take(48_894)];
        List<string> bytes = [.. Enumerable.Range(33, 94).Concat(Enumerable.Range(161, 12)).Concat(Enumerable.Range(174, 82))
            .Concat(Enumerable.Range(256, 68)).Select(c => $"{(char)c}")];
        string[] tokens = [.. bytes, .. bytes.Select(c => c + "</w>"), .. list.Select(merge => merge.Replace(" ", "")),
            "<|startoftext|>", "<|endoftext|>"];
        Assert.That(tokens, Has.Length.EqualTo(49_408));
        return (tokens.Select((token, id) => (token, id)).ToDictionary(entry => entry.token, entry => entry.id), list);
    }

    private static string Write(string path, object content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, JsonSerializer.Serialize(content));
        return path;
    }
}
