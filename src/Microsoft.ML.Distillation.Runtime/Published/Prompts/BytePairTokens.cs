using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Tokenizers;

namespace Microsoft.ML.Distillation.Published.Prompts;

/// <summary>
/// CLIP's byte pairs (Radford et al., 2021). Its vocabulary: the 256 bytes as printable characters, the same at the end of a word, what
/// each merge joins, the first and the last token.
/// </summary>
internal sealed partial class BytePairTokens : PhraseTokenizer
{
    private const string WordEnd = "</w>", First = "<|startoftext|>", Last = "<|endoftext|>";

    // Of the published list of merges so many count.
    private const int Merges = 48_894;

    private readonly BpeTokenizer _pairs;

    private BytePairTokens(IReadOnlyDictionary<string, int> vocabulary, IReadOnlyList<string> merges)
    {
        Start = At(vocabulary, First);
        End = At(vocabulary, Last);
        if (!vocabulary.ContainsKey("a" + WordEnd)) throw new InvalidDataException($"its words do not end in {WordEnd}, as CLIP's do.");
        _pairs = BpeTokenizer.Create(new BpeOptions(vocabulary)
        {
            Merges = merges,
            EndOfWordSuffix = WordEnd,
            ByteLevel = true,
            PreTokenizer = new RegexPreTokenizer(Pieces(), specialTokens: null),
            Normalizer = new LowerCaseNormalizer(),
        });
    }

    public override int Start { get; }

    public override int End { get; }

    /// <summary>From vocab.json and merges.txt.</summary>
    public static BytePairTokens OfPair(string vocabulary, string merges)
    {
        using FileStream file = InputFile.OpenRead(vocabulary);
        Dictionary<string, int> ids = JsonSerializer.Deserialize<Dictionary<string, int>>(file)
            ?? throw new InvalidDataException("it holds nothing.");
        return new BytePairTokens(ids, ReadMerges(merges)) { Source = vocabulary };
    }

    /// <summary>From the merges alone, as merges.txt or as CLIP publishes them, also compressed: they say the vocabulary.</summary>
    public static BytePairTokens OfMerges(string path)
    {
        string beside = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, "vocab.json");
        if (Path.GetFileName(path) == "merges.txt" && File.Exists(beside)) return OfPair(beside, path);
        IReadOnlyList<string> merges = ReadMerges(path);
        string[] bytes = [.. ByteCharacters().Select(c => $"{c}")];
        IEnumerable<string> tokens = bytes.Concat(bytes.Select(c => c + WordEnd))
            .Concat(merges.Select(merge => merge.Replace(" ", "", StringComparison.Ordinal))).Append(First).Append(Last);
        var ids = new Dictionary<string, int>();
        foreach (string token in tokens) ids.TryAdd(token, ids.Count);
        return new BytePairTokens(ids, merges) { Source = path };
    }

    /// <summary>From tokenizer.json.</summary>
    public static BytePairTokens OfJson(string path)
    {
        using JsonDocument document = Open(path, TokenizerKind.BytePairs);
        JsonElement model = document.RootElement.GetProperty("model");
        Dictionary<string, int> ids = model.GetProperty("vocab").EnumerateObject()
            .ToDictionary(entry => entry.Name, entry => entry.Value.GetInt32());
        if (document.RootElement.TryGetProperty("added_tokens", out JsonElement added))
        {
            foreach (JsonElement token in added.EnumerateArray())
                ids.TryAdd(token.GetProperty("content").GetString()!, token.GetProperty("id").GetInt32());
        }

        // "a b", or since 2024 ["a", "b"].
        string[] merges = [.. model.GetProperty("merges").EnumerateArray().Select(merge => merge.ValueKind == JsonValueKind.String
            ? merge.GetString()! : string.Join(' ', merge.EnumerateArray().Select(half => half.GetString())))];
        return new BytePairTokens(ids, merges) { Source = path };
    }

    public override int[] Encode(string phrase)
        => [.. _pairs.EncodeToIds(Blanks().Replace(phrase.Normalize(NormalizationForm.FormC), " ").Trim())];

    private static List<string> ReadMerges(string path)
    {
        using FileStream file = InputFile.OpenRead(path);
        bool isPacked = Path.GetExtension(path).Equals(".gz", StringComparison.OrdinalIgnoreCase);
        using Stream stream = isPacked ? new GZipStream(file, CompressionMode.Decompress) : file;
        using var reader = new StreamReader(stream);
        var merges = new List<string>();
        for (int number = 1; merges.Count < Merges && reader.ReadLine() is { } line; number++)
        {
            // The first line is the version: a comment, or in CLIP's own file a quoted sentence.
            if (number == 1 && line.Contains("version", StringComparison.Ordinal)) continue;
            if (line.Trim().Length == 0) continue;
            if (line.Trim().Split(' ').Length != 2) throw new InvalidDataException(
                $"line {number} of '{Path.GetFileName(path)}' is no pair: '{ShortText.Of(line)}'.");
            merges.Add(line.Trim());
        }

        return merges.Count > 0 ? merges : throw new InvalidDataException($"'{Path.GetFileName(path)}' holds no merges.");
    }

    /// <summary>The characters that stand for bytes, in the vocabulary's order: the printable ones first.</summary>
    private static IEnumerable<char> ByteCharacters()
    {
        for (int c = '!'; c <= '~'; c++) yield return (char)c;
        for (int c = 0xA1; c <= 0xAC; c++) yield return (char)c;
        for (int c = 0xAE; c <= 0xFF; c++) yield return (char)c;
        // The 68 others take the characters after Latin-1.
        for (int c = 0; c < 68; c++) yield return (char)(256 + c);
    }

    private static int At(IReadOnlyDictionary<string, int> vocabulary, string token)
        => vocabulary.TryGetValue(token, out int id) ? id : throw new InvalidDataException($"it has no token {token}.");

    [GeneratedRegex(@"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
        RegexOptions.IgnoreCase)]
    private static partial Regex Pieces();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
