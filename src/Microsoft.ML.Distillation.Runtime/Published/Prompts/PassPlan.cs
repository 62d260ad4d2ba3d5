using Microsoft.ML.OnnxRuntime;

namespace Microsoft.ML.Distillation.Published.Prompts;

/// <summary>
/// Divides phrases into passes, as a family takes them: a caption, as many rows as the graph has, or embeddings, which are made once.
/// </summary>
internal sealed class PassPlan
{
    // What YOLO-World is told beside the phrases stands for all else.
    private const string NoWords = " ";

    private readonly InferenceSession _session;
    private readonly PromptedInputs _inputs;
    private readonly DetectorPrompts _prompts;
    private readonly string _source;
    private readonly CaptionPasses? _captions;
    private readonly PhraseRows? _rows;
    private readonly float[][] _embeddings = [];
    private readonly float[]? _blank;

    public PassPlan(
        InferenceSession session, PromptedInputs inputs, OnnxDetectorFormat format, string source, DetectorPrompts prompts,
        OnnxDetectorOptions options)
    {
        (_session, _inputs, _prompts, _source) = (session, inputs, prompts, source);
        if (format == OnnxDetectorFormat.YoloWorld)
        {
            NodeMetadata features = session.InputMetadata[inputs.Features!];
            int? dimension = features.Dimensions[^1] is > 0 and int length ? length : null;
            (_embeddings, _blank) = Embed(dimension, options);
            Description = $"embeddings by '{prompts.EmbeddingsPath ?? prompts.TextEncoderPath}'";
            return;
        }

        foreach ((string? given, string name) in (ReadOnlySpan<(string?, string)>)[
            (prompts.TextEncoderPath, nameof(prompts.TextEncoderPath)), (prompts.EmbeddingsPath, nameof(prompts.EmbeddingsPath))])
        {
            if (given is not null) throw new ArgumentException($"The detector '{source}' is {format}, which reads words itself: "
                + $"leave out the option {name}.", name);
        }

        if (format == OnnxDetectorFormat.GroundingDino)
        {
            PhraseTokenizer words = PhraseTokenizer.Find(TokenizerKind.WordPieces, prompts.TokenizerPath, [source], "Grounding DINO");
            Description = $"tokens by '{words.Source}'";
            _captions = new CaptionPasses(session, inputs, source, words, prompts, ColumnsOf(session));
            return;
        }

        PhraseTokenizer pairs = PhraseTokenizer.Find(TokenizerKind.BytePairs, prompts.TokenizerPath, [source], $"{format}");
        Description = $"tokens by '{pairs.Source}'";
        _rows = new PhraseRows(session, inputs.Ids!, inputs.Mask, pairs, source, PromptedFamily.OwlTokens);
    }

    /// <summary>What turns words into numbers.</summary>
    public string Description { get; }

    /// <summary>The passes for phrases.</summary>
    /// <param name="phrases">Their numbers among the prompts.</param>
    /// <param name="apart">Whether each has its own.</param>
    public IReadOnlyList<TextPass> Of(IEnumerable<int> phrases, bool apart)
    {
        int[] all = [.. phrases];
        if (_captions is not null) return _captions.Of(all, apart);
        int most = apart ? 1 : Room() ?? all.Length;
        return [.. all.Chunk(Math.Max(1, most)).Select(some => _rows is not null ? Rows(some) : Features(some))];
    }

    private int? Room() => _rows is not null ? _rows.Rows : FixedRows is int rows ? rows - (_blank is not null && rows > 1 ? 1 : 0) : null;

    private int? FixedRows => _session.InputMetadata[_inputs.Features!].Dimensions[^2] is > 0 and int rows ? rows : null;

    private TextPass Rows(int[] phrases)
        => new(_rows!.Of([.. phrases.Select(phrase => _prompts.Prompts[phrase].Phrase)]),
            [.. phrases.Select((phrase, i) => (phrase, (int[])[i]))],
            _rows.Rows ?? phrases.Length);

    private TextPass Features(int[] phrases)
    {
        int rows = FixedRows ?? phrases.Length + (_blank is null ? 0 : 1), length = _embeddings[0].Length;
        var values = new float[rows * length];
        for (int i = 0; i < rows; i++)
        {
            float[] row = i < phrases.Length ? _embeddings[phrases[i]] : _blank ?? _embeddings[phrases[^1]];
            row.CopyTo(values, i * length);
        }

        string name = _inputs.Features!;
        bool hasBatch = _session.InputMetadata[name].Dimensions.Length == 3;
        return new TextPass([TextInputs.Of(_session, name, values, hasBatch ? [1, rows, length] : [rows, length])],
            [.. phrases.Select((phrase, i) => (phrase, (int[])[i]))], rows);
    }

    private (float[][] Embeddings, float[]? Blank) Embed(int? dimension, OnnxDetectorOptions options)
    {
        if (_prompts.EmbeddingsPath is { } file)
        {
            if (_prompts.TextEncoderPath is not null) throw new ArgumentException(
                $"{nameof(_prompts.TextEncoderPath)} and {nameof(_prompts.EmbeddingsPath)} do not go together: "
                + "either makes the embeddings.");
            if (_prompts.TokenizerPath is not null) throw new ArgumentException($"The embeddings come from '{file}', and no words are "
                + $"read: leave out the option {nameof(_prompts.TokenizerPath)}.");
            return (EmbeddingsFile.Read(file, _prompts, dimension, out float[]? blank), blank);
        }

        if (_prompts.TextEncoderPath is not { } encoder) throw new ArgumentException(
            $"The detector '{_source}' is YOLO-World, which takes embeddings of phrases, not words: name CLIP's text tower in the option "
            + $"{nameof(DetectorPrompts)}.{nameof(_prompts.TextEncoderPath)}, or a file with embeddings in "
            + $"{nameof(_prompts.EmbeddingsPath)}.");
        PhraseTokenizer pairs = PhraseTokenizer.Find(TokenizerKind.BytePairs, _prompts.TokenizerPath, [encoder, _source],
            "the text tower of CLIP");
        string[] phrases = [.. _prompts.Prompts.Select(prompt => prompt.Phrase)];
        // Where boxes and scores are two outputs the graph was trained with a class for all else.
        bool hasBlank = _session.OutputMetadata.Values.Count(output => output.IsTensor && output.Dimensions.Length == 3) > 1
            && FixedRows != phrases.Length;
        float[][] embedded = TextTower.Embed(encoder, pairs, hasBlank ? [.. phrases, NoWords] : phrases, dimension, options);
        return (embedded[..phrases.Length], hasBlank ? embedded[^1] : null);
    }

    /// <summary>The number of columns of a graph's scores, where it says so.</summary>
    private static int? ColumnsOf(InferenceSession session)
    {
        int[] columns = [.. session.OutputMetadata.Values.Where(output => output.IsTensor && output.Dimensions.Length == 3)
            .Select(output => output.Dimensions[2]).Where(length => length > 4)];
        return columns.Length > 0 ? columns.Max() : null;
    }
}
