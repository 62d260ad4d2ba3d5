using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Tokenizers;

namespace Microsoft.ML.Distillation.Published.Prompts;

/// <summary>
/// BERT's word pieces, uncased. ML.NET's word pieces take words; its own splitting into words holds an underscore for a letter, which
/// BERT does not, and class names have underscores. So the words are found here, as BERT finds them (Devlin et al., 2018).
/// </summary>
internal sealed class WordPieceTokens : PhraseTokenizer
{
    internal const string First = "[CLS]";

    private const string Missing = "[UNK]", Last = "[SEP]";

    private readonly WordPieceTokenizer _pieces;

    private WordPieceTokens(IReadOnlyList<string> vocabulary)
    {
        Start = At(vocabulary, First);
        End = At(vocabulary, Last);
        Unknown = At(vocabulary, Missing);
        // Phrases are told in lower case, which a vocabulary of cased words does not have for many.
        if (vocabulary.FirstOrDefault(piece => piece.Length > 0 && piece[0] != '[' && piece.Any(char.IsAsciiLetterUpper)) is { } cased)
            throw new InvalidDataException($"it is of cased words ('{ShortText.Of(cased)}'), and the uncased vocabulary is needed.");
        using var lines = new MemoryStream(Encoding.UTF8.GetBytes(string.Join('\n', vocabulary)));
        _pieces = WordPieceTokenizer.Create(lines, new WordPieceOptions
        {
            UnknownToken = Missing,
            PreTokenizer = PreTokenizer.CreateWhiteSpace(),
        });
    }

    public override int Start { get; }

    public override int End { get; }

    public override int? Unknown { get; }

    /// <summary>From vocab.txt: a piece in each line.</summary>
    public static WordPieceTokens OfLines(string path)
    {
        string[] lines = File.ReadAllLines(path);
        int count = lines.Length;
        while (count > 0 && lines[count - 1].Length == 0) count--;
        return new WordPieceTokens(lines[..count]) { Source = path };
    }

    /// <summary>From tokenizer.json.</summary>
    public static WordPieceTokens OfJson(string path)
    {
        using JsonDocument document = Open(path, TokenizerKind.WordPieces);
        JsonElement vocabulary = document.RootElement.GetProperty("model").GetProperty("vocab");
        Dictionary<string, int> ids = vocabulary.EnumerateObject().ToDictionary(entry => entry.Name, entry => entry.Value.GetInt32());
        // Pieces that were added later stand apart.
        if (document.RootElement.TryGetProperty("added_tokens", out JsonElement added))
        {
            foreach (JsonElement token in added.EnumerateArray())
                ids.TryAdd(token.GetProperty("content").GetString()!, token.GetProperty("id").GetInt32());
        }

        if (ids.Count == 0) throw new InvalidDataException("its vocabulary is empty.");
        int last = ids.Values.Max();
        if (ids.Values.Min() < 0 || last > 16 * ids.Count) throw new InvalidDataException("its numbers are not those of a vocabulary.");
        string[] lines = [.. Enumerable.Range(0, last + 1).Select(id => string.Create(CultureInfo.InvariantCulture, $"[no piece {id}]"))];
        foreach ((string piece, int id) in ids) lines[id] = piece;
        return new WordPieceTokens(lines) { Source = path };
    }

    public override int[] Encode(string phrase) => [.. Words(phrase).SelectMany(word => _pieces.EncodeToIds(word))];

    /// <summary>The words of a text: lower case, without accents; punctuation and Chinese characters are words of their own.</summary>
    internal static IReadOnlyList<string> Words(string text)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        foreach (Rune rune in text.Normalize(NormalizationForm.FormD).EnumerateRunes())
        {
            UnicodeCategory category = Rune.GetUnicodeCategory(rune);
            if (category == UnicodeCategory.NonSpacingMark || IsNothing(rune, category)) continue;
            if (Rune.IsWhiteSpace(rune)) Close();
            else if (IsPunctuation(rune) || IsChinese(rune.Value))
            {
                Close();
                words.Add(Rune.ToLowerInvariant(rune).ToString());
            }
            else word.Append(Rune.ToLowerInvariant(rune));
        }

        Close();
        return words;

        void Close()
        {
            if (word.Length > 0) words.Add(word.ToString());
            word.Clear();
        }
    }

    private static bool IsNothing(Rune rune, UnicodeCategory category)
        => rune.Value is 0 or 0xFFFD || (category is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse
            or UnicodeCategory.OtherNotAssigned && rune.Value is not ('\t' or '\n' or '\r'));

    // Of ASCII all that is neither letter nor number counts, $ and _ too.
    private static bool IsPunctuation(Rune rune)
        => rune.IsAscii ? rune.Value > ' ' && !Rune.IsLetterOrDigit(rune) : Rune.IsPunctuation(rune);

    private static bool IsChinese(int code) => code is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x20000 and <= 0x2A6DF)
        or (>= 0x2A700 and <= 0x2CEAF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F);

    private static int At(IReadOnlyList<string> vocabulary, string piece)
    {
        for (int i = 0; i < vocabulary.Count; i++)
        {
            if (vocabulary[i] == piece) return i;
        }

        throw new InvalidDataException($"it has no piece {piece}.");
    }
}
