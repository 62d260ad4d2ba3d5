using System.Globalization;
using System.Text;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Formats;

namespace Microsoft.ML.Distillation;

/// <summary>Words that a detector is told to find, and the class of what it finds by them.</summary>
public sealed record Prompt
{
    private const char Separator = '=';

    /// <summary>Words for a class.</summary>
    /// <param name="phrase">The words, such as "kick scooter". A full stop at their end is left out.</param>
    /// <param name="className">The class, such as "scooter"; <see langword="null"/>: it is called as the words are.</param>
    /// <exception cref="ArgumentException">There are no words, or a full stop inside of them: it would end them.</exception>
    public Prompt(string phrase, string? className = null)
    {
        ArgumentNullException.ThrowIfNull(phrase);
        string words = phrase.Trim().TrimEnd('.').Trim();
        string name = (className ?? words).Trim();
        if (words.Length == 0)
        {
            throw new ArgumentException(
                name.Length == 0 ? "A prompt is empty: give words." : $"The prompt for the class '{name}' is empty: give words.",
                nameof(phrase));
        }

        if (name.Length == 0) throw new ArgumentException($"The prompt '{words}' has an empty class name.", nameof(className));
        if (words.Contains('.', StringComparison.Ordinal))
        {
            throw new ArgumentException(
                $"The prompt '{words}' holds a full stop, which ends a phrase: leave it out, or make two prompts of it.", nameof(phrase));
        }

        (Phrase, ClassName) = (words, name);
    }

    /// <summary>The words.</summary>
    public string Phrase { get; }

    /// <summary>The class of what is found by them.</summary>
    public string ClassName { get; }

    /// <summary>Reads "words=class", or "words" alone where the class is called so.</summary>
    /// <exception cref="ArgumentException">There are no words, a full stop inside of them, no class name behind the sign, or two
    /// signs.</exception>
    public static Prompt Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Split(Separator) switch
        {
            [var words] => new Prompt(words),
            [var words, var name] => new Prompt(words, name),
            _ => throw new ArgumentException(
                $"The prompt '{text.Trim()}' has two signs '{Separator}': it is written words{Separator}class, or words alone.",
                nameof(text)),
        };
    }

    /// <summary>The prompt as <see cref="Parse"/> reads it.</summary>
    public override string ToString() => Phrase == ClassName ? Phrase : $"{Phrase}{Separator}{ClassName}";
}

/// <summary>How the scores of a phrase's tokens become the phrase's.</summary>
public enum PhraseScore
{
    /// <summary>The largest, as Grounding DINO's own demonstration has it.</summary>
    Best,

    /// <summary>Their mean, as MM-Grounding-DINO has it.</summary>
    Mean,
}

/// <summary>
/// What a detector that is told in words (Grounding DINO, OWL-ViT, OWLv2, YOLO-World) is to find, and where what turns words into numbers
/// lies. Nothing is downloaded.
/// </summary>
public sealed record DetectorPrompts
{
    /// <summary>Phrases with their classes.</summary>
    /// <param name="prompts">The prompts. Several may be for one class: the best of them counts.</param>
    /// <exception cref="ArgumentException">There is none, or a phrase is there twice.</exception>
    public DetectorPrompts(IReadOnlyList<Prompt> prompts)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        if (prompts.Count == 0) throw new ArgumentException("There is no prompt: a detector that is told in words needs some.",
            nameof(prompts));
        foreach (IGrouping<string, Prompt> same in prompts.GroupBy(prompt => prompt.Phrase, StringComparer.OrdinalIgnoreCase))
        {
            if (same.Count() == 1) continue;
            string[] classes = [.. same.Select(prompt => $"'{prompt.ClassName}'").Distinct()];
            throw new ArgumentException(classes.Length == 1
                ? $"The prompt '{same.Key}' is given {same.Count()} times."
                : $"The prompt '{same.Key}' is given for {string.Join(" and ", classes)}: what is found by it can be of one class.",
                nameof(prompts));
        }

        Prompts = [.. prompts];
        ClassNames = [.. prompts.Select(prompt => prompt.ClassName).Distinct()];
    }

    /// <summary>The prompts.</summary>
    public IReadOnlyList<Prompt> Prompts { get; }

    /// <summary>The classes, in the order in which they first appear.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>
    /// The tokenizer's file, <c>vocab.txt</c> (BERT), <c>vocab.json</c> with <c>merges.txt</c> beside it (CLIP), <c>tokenizer.json</c>
    /// (either), or a folder with them. <see langword="null"/>: those that lie beside the model or in the folder above.
    /// </summary>
    public string? TokenizerPath { get; init; }

    /// <summary>
    /// For YOLO-World: CLIP's text tower as ONNX, which turns phrases into embeddings. It runs once, when the detector is loaded.
    /// </summary>
    public string? TextEncoderPath { get; init; }

    /// <summary>
    /// For YOLO-World in the place of <see cref="TextEncoderPath"/>: a file with the phrases' embeddings, <c>.npy</c>, <c>.npz</c> or
    /// <c>.safetensors</c>; either [N, D], a row for each prompt in their order, or a vector of each phrase's name.
    /// </summary>
    public string? EmbeddingsPath { get; init; }

    /// <summary>How the scores of a phrase's tokens become the phrase's, where the model scores tokens (Grounding DINO).</summary>
    public PhraseScore PhraseScore { get; init; }

    /// <summary>
    /// Whether each phrase has a pass of its own, whatever that costs. Otherwise phrases share a pass unless the model is found to mix
    /// them.
    /// </summary>
    public bool OnePhrasePerPass { get; init; }

    /// <summary>Prompts as <see cref="Prompt.Parse"/> reads each.</summary>
    /// <exception cref="ArgumentException">There is none, or one cannot be read.</exception>
    public static DetectorPrompts Parse(params IReadOnlyList<string> prompts)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        return new DetectorPrompts([.. prompts.Select(Prompt.Parse)]);
    }

    /// <summary>Prompts from a text file, one in each line as <see cref="Prompt.Parse"/> reads it; empty lines and those that begin with #
    /// are skipped.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">It is no text, has no prompt, or a line cannot be read; the message names it.</exception>
    public static DetectorPrompts Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no file of prompts '{path}'.", path);
        InputFile.RefuseSpecial(path);
        var prompts = new List<Prompt>();
        using TextLines lines = TextLines.Open(path);
        foreach (string text in lines.NonEmpty())
        {
            if (text.StartsWith('#')) continue;
            try
            {
                prompts.Add(Prompt.Parse(text));
            }
            catch (ArgumentException e)
            {
                throw new FormatException($"{path}({lines.Number}): {ShortText.Of(Message(e))}", e);
            }
        }

        try
        {
            return new DetectorPrompts(prompts);
        }
        catch (ArgumentException e)
        {
            throw new FormatException($"{path}: {Message(e)}", e);
        }
    }

    /// <summary>All that tells these prompts from others but the content of files.</summary>
    internal string Key => string.Create(CultureInfo.InvariantCulture,
        $"{string.Join('\n', Prompts.Select(prompt => $"{prompt.Phrase}={prompt.ClassName}"))}|{PhraseScore}|{OnePhrasePerPass}");

    /// <summary>The files that are named.</summary>
    internal IEnumerable<string> Files => ((string?[])[TokenizerPath, TextEncoderPath, EmbeddingsPath]).OfType<string>();

    // An argument's name in the message helps programmers, not those who wrote the line.
    private static string Message(ArgumentException e)
        => e.ParamName is { } name ? e.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal) : e.Message;

    // A record writes the type of a list in the place of its values.
    private bool PrintMembers(StringBuilder text)
    {
        text.Append(CultureInfo.InvariantCulture, $"Prompts = [{string.Join(", ", Prompts)}], TokenizerPath = {TokenizerPath}, ");
        text.Append(CultureInfo.InvariantCulture, $"TextEncoderPath = {TextEncoderPath}, EmbeddingsPath = {EmbeddingsPath}, ");
        text.Append(CultureInfo.InvariantCulture, $"PhraseScore = {PhraseScore}, OnePhrasePerPass = {OnePhrasePerPass}");
        return true;
    }
}
