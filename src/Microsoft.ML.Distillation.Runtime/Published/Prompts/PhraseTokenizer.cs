using System.Text.Json;
using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation.Published.Prompts;

/// <summary>The kinds of tokenizers by which detectors are told.</summary>
internal enum TokenizerKind
{
    /// <summary>BERT's word pieces, uncased: Grounding DINO.</summary>
    WordPieces,

    /// <summary>CLIP's byte pairs: OWL-ViT, OWLv2, YOLO-World.</summary>
    BytePairs,
}

/// <summary>Turns phrases into the numbers of their tokens.</summary>
internal abstract class PhraseTokenizer
{
    // A vocabulary of a hundred thousand tokens takes a few megabytes.
    private const long LargestFile = 256L << 20;

    /// <summary>The token with which a text begins.</summary>
    public abstract int Start { get; }

    /// <summary>The token with which it ends.</summary>
    public abstract int End { get; }

    /// <summary>The token of a word that the vocabulary lacks; <see langword="null"/>: it lacks none.</summary>
    public virtual int? Unknown => null;

    /// <summary>Where the vocabulary comes from.</summary>
    public required string Source { get; init; }

    /// <summary>A phrase's tokens, without the first and the last.</summary>
    public abstract int[] Encode(string phrase);

    /// <summary>Finds a tokenizer.</summary>
    /// <param name="kind">What the model wants.</param>
    /// <param name="path">A file, or a folder; <see langword="null"/>: it lies beside a model.</param>
    /// <param name="models">The models beside which it may lie, the likeliest first.</param>
    /// <param name="family">What wants it, for messages.</param>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="FormatException">A file is none, or one of the other kind.</exception>
    public static PhraseTokenizer Find(TokenizerKind kind, string? path, IEnumerable<string> models, string family)
    {
        if (path is not null && !Directory.Exists(path))
        {
            if (InputFile.Problem(path) is { } problem) throw new FormatException($"'{path}' is no tokenizer: {problem}.");
            if (!File.Exists(path)) throw new FileNotFoundException($"There is no tokenizer '{path}'.", path);
            return Read(kind, path, family);
        }

        string[] folders = path is not null ? [path] : [.. models.SelectMany(FoldersAt).Distinct()];
        string[] names = kind == TokenizerKind.WordPieces
            ? ["vocab.txt", "tokenizer.json"]
            : ["vocab.json", "tokenizer.json", "merges.txt", "bpe_simple_vocab_16e6.txt.gz", "bpe_simple_vocab_16e6.txt"];
        foreach (string candidate in folders.SelectMany(folder => names.Select(name => Path.Combine(folder, name))))
        {
            // Beside a model there may lie another model's files: of the wrong kind counts only what was asked for.
            if (File.Exists(candidate) && (path is not null || IsOf(kind, candidate))) return Read(kind, candidate, family);
        }

        string wanted = kind == TokenizerKind.WordPieces ? "vocab.txt or tokenizer.json (BERT, uncased)"
            : "vocab.json with merges.txt, or tokenizer.json (CLIP)";
        throw new FileNotFoundException($"{family} needs its tokenizer, {wanted}: there is none in "
            + $"{string.Join(" or ", folders.Select(folder => $"'{folder}'"))}. Put it there, or name it in the option "
            + $"{nameof(DetectorPrompts)}.{nameof(DetectorPrompts.TokenizerPath)}.");
    }

    private static IEnumerable<string> FoldersAt(string model)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(model))!;
        yield return folder;
        yield return Path.Combine(folder, "tokenizer");
        // Published models lie in a folder onnx of their own, beneath the other files.
        if (Path.GetDirectoryName(folder) is { } above)
        {
            yield return above;
            yield return Path.Combine(above, "tokenizer");
        }
    }

    private static bool IsOf(TokenizerKind kind, string path) => Path.GetFileName(path) switch
    {
        "tokenizer.json" => TryKindOf(path) == kind,
        "vocab.json" => File.Exists(MergesOf(path)),
        "vocab.txt" => File.ReadLines(path).Contains(WordPieceTokens.First),
        _ => true,
    };

    private static string MergesOf(string vocabulary) => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(vocabulary))!, "merges.txt");

    private static PhraseTokenizer Read(TokenizerKind kind, string path, string family)
    {
        if (new FileInfo(path).Length > LargestFile) throw new FormatException($"'{path}' is no tokenizer: it has over 256 megabytes.");
        bool isJson = Path.GetExtension(path).Equals(".json", StringComparison.OrdinalIgnoreCase);
        try
        {
            return kind == TokenizerKind.WordPieces
                ? isJson ? WordPieceTokens.OfJson(path) : WordPieceTokens.OfLines(path)
                : !isJson ? BytePairTokens.OfMerges(path)
                : Path.GetFileName(path) == "tokenizer.json" || IsTokenizer(path) ? BytePairTokens.OfJson(path)
                : BytePairTokens.OfPair(path, File.Exists(MergesOf(path)) ? MergesOf(path) : throw new FileNotFoundException(
                    $"'{path}' is the half of a tokenizer: merges.txt must lie beside it.", MergesOf(path)));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or ArgumentException
            or InvalidDataException)
        {
            throw new FormatException($"'{path}' is no tokenizer of {Wanted(kind)}, as {family} needs: {ShortText.Of(e.Message)}", e);
        }
        catch (WrongTokenizerException e)
        {
            throw new FormatException($"'{path}' is {e.Message}, and {family} needs {Wanted(kind)}.", e);
        }
    }

    private static string Wanted(TokenizerKind kind) => kind == TokenizerKind.WordPieces ? "BERT's word pieces (vocab.txt, or its "
        + "tokenizer.json)" : "CLIP's byte pairs (vocab.json with merges.txt, or its tokenizer.json)";

    private static TokenizerKind? TryKindOf(string path)
    {
        try
        {
            using JsonDocument document = Parse(path);
            return KindOf(document);
        }
        catch (Exception e) when (e is JsonException or FormatException or IOException)
        {
            return null;
        }
    }

    private static bool IsTokenizer(string path)
    {
        using JsonDocument document = Parse(path);
        return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("model", out JsonElement model)
            && model.ValueKind == JsonValueKind.Object;
    }

    private static TokenizerKind? KindOf(JsonDocument document)
    {
        if (document.RootElement.ValueKind != JsonValueKind.Object) return null;
        if (!document.RootElement.TryGetProperty("model", out JsonElement model) || model.ValueKind != JsonValueKind.Object) return null;
        string? type = model.TryGetProperty("type", out JsonElement name) && name.ValueKind == JsonValueKind.String ? name.GetString()
            : null;
        return type switch
        {
            "WordPiece" => TokenizerKind.WordPieces,
            "BPE" => TokenizerKind.BytePairs,
            // Older files leave the type out.
            null => model.TryGetProperty("merges", out _) ? TokenizerKind.BytePairs : TokenizerKind.WordPieces,
            _ => null,
        };
    }

    /// <summary>Opens a tokenizer.json of a kind.</summary>
    protected static JsonDocument Open(string path, TokenizerKind kind)
    {
        JsonDocument document = Parse(path);
        if (KindOf(document) == kind) return document;
        using (document)
        {
            throw new WrongTokenizerException(KindOf(document) is { } other ? $"a tokenizer of {Wanted(other).Split(" (")[0]}"
                : "no tokenizer.json of word pieces or byte pairs");
        }
    }

    private static JsonDocument Parse(string path)
    {
        using FileStream file = InputFile.OpenRead(path);
        return JsonDocument.Parse(file);
    }
}

/// <summary>A tokenizer is of another kind; the message says of which.</summary>
internal sealed class WrongTokenizerException(string message) : Exception(message);
