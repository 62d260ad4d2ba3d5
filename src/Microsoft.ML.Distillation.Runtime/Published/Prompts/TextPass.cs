using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.Distillation.Published.Prompts;

/// <summary>What a graph is told in one run, beside the image.</summary>
/// <param name="Inputs">The inputs that tell it.</param>
/// <param name="Phrases">The phrases that it is told, by their numbers among the prompts, and the columns of its scores that are
/// theirs.</param>
/// <param name="Columns">The number of columns that its scores need to have at least.</param>
internal sealed record TextPass(IReadOnlyList<OnnxInput> Inputs, IReadOnlyList<(int Phrase, int[] Columns)> Phrases, int Columns);

/// <summary>Makes inputs of the types that a graph wants.</summary>
internal static class TextInputs
{
    /// <summary>An input of integers.</summary>
    /// <param name="session">Says the type.</param>
    public static OnnxInput Of(InferenceSession session, string name, long[] values, params long[] shape)
        => new(name, Converted(session.InputMetadata[name].ElementDataType, values, name), shape);

    /// <summary>An input of floats.</summary>
    public static OnnxInput Of(InferenceSession session, string name, float[] values, params long[] shape)
        => session.InputMetadata[name].ElementDataType == TensorElementType.Float16
            ? new OnnxInput(name, Array.ConvertAll(values, value => (Float16)value), shape)
            : new OnnxInput(name, values, shape);

    private static Array Converted(TensorElementType type, long[] values, string name) => type switch
    {
        TensorElementType.Int64 => values,
        TensorElementType.Int32 => Array.ConvertAll(values, value => (int)value),
        TensorElementType.Bool => Array.ConvertAll(values, value => value != 0),
        TensorElementType.UInt8 => Array.ConvertAll(values, value => (byte)value),
        TensorElementType.Float => Array.ConvertAll(values, value => (float)value),
        TensorElementType.Float16 => Array.ConvertAll(values, value => (Float16)(float)value),
        _ => throw new NotSupportedException($"The detector's input '{name}' is of {type}, which cannot be told."),
    };
}

/// <summary>
/// Captions as Grounding DINO reads them: lower case, "red square. blue disc.", and which of its tokens see each other and where in their
/// phrase they stand.
/// </summary>
internal sealed class CaptionPasses
{
    // What Grounding DINO was trained with.
    private const int MostTokens = 256;

    private readonly InferenceSession _session;
    private readonly PromptedInputs _inputs;
    private readonly string _source;
    private readonly int[][] _phrases;
    private readonly int _start, _end, _stop;
    private readonly int? _fixed;
    private readonly int _most;

    /// <param name="columns">The number of columns of the graph's scores, where it says so.</param>
    /// <exception cref="ArgumentException">A phrase is too long for the graph, or holds a question mark.</exception>
    public CaptionPasses(
        InferenceSession session, PromptedInputs inputs, string source, PhraseTokenizer tokenizer, DetectorPrompts prompts, int? columns)
    {
        (_session, _inputs, _source) = (session, inputs, source);
        (_start, _end, _stop) = (tokenizer.Start, tokenizer.End, tokenizer.Encode(".")[0]);
        string[] rows = [.. ((string?[])[inputs.Ids, inputs.Mask, inputs.Segments, inputs.Positions, inputs.PhraseMask]).OfType<string>()];
        _fixed = rows.Select(name => session.InputMetadata[name].Dimensions[^1]).Where(length => length > 0).Select(length => (int?)length)
            .FirstOrDefault();
        _most = Math.Min(_fixed ?? MostTokens, columns ?? MostTokens);
        _phrases = [.. prompts.Prompts.Select(prompt => Tokens(prompt.Phrase, tokenizer))];
    }

    /// <summary>The passes for phrases, in their order: as few as hold all of them, or one for each.</summary>
    public IReadOnlyList<TextPass> Of(IEnumerable<int> phrases, bool apart)
    {
        var passes = new List<TextPass>();
        var together = new List<int>();
        int length = 2;
        foreach (int phrase in phrases)
        {
            int more = _phrases[phrase].Length + 1;
            if (together.Count > 0 && (apart || length + more > _most))
            {
                passes.Add(Pass(together));
                (together, length) = ([], 2);
            }

            together.Add(phrase);
            length += more;
        }

        passes.Add(Pass(together));
        return passes;
    }

    private int[] Tokens(string phrase, PhraseTokenizer tokenizer)
    {
        if (phrase.Contains('?', StringComparison.Ordinal)) throw new ArgumentException(
            $"The prompt '{phrase}' holds a question mark, which ends a phrase of a caption: leave it out.");
        int[] tokens = tokenizer.Encode(phrase);
        if (tokens.All(token => token == tokenizer.Unknown)) throw new ArgumentException(
            $"The prompt '{phrase}' has no word that the tokenizer knows.");
        return tokens.Length + 3 <= _most ? tokens : throw new ArgumentException(
            $"The prompt '{ShortText.Of(phrase)}' is too long: it has {tokens.Length} tokens, and with first, last and full stop the "
            + $"detector '{_source}' takes {_most}.");
    }

    private TextPass Pass(List<int> phrases)
    {
        List<long> ids = [_start];
        var columns = new List<(int, int[])>();
        foreach (int phrase in phrases)
        {
            columns.Add((phrase, [.. Enumerable.Range(ids.Count, _phrases[phrase].Length)]));
            foreach (int token in _phrases[phrase]) ids.Add(token);
            ids.Add(_stop);
        }

        ids.Add(_end);
        int used = ids.Count, length = _fixed ?? used;
        (long[] tokens, long[] mask, long[] positions) = (new long[length], new long[length], new long[length]);
        var sees = new long[length * length];
        ids.CopyTo(tokens);
        Array.Fill(mask, 1, 0, used);
        // What pads a caption sees itself alone: a row of a softmax must see something.
        for (int i = 0; i < length; i++) sees[i * length + i] = 1;
        foreach ((_, int[] own) in columns)
        {
            // A phrase sees itself and its full stop; its positions begin anew.
            for (int i = 0; i <= own.Length; i++)
            {
                positions[own[0] + i] = i;
                for (int j = 0; j <= own.Length; j++) sees[(own[0] + i) * length + own[0] + j] = 1;
            }
        }

        var inputs = new List<OnnxInput>();
        Add(_inputs.Ids, tokens);
        Add(_inputs.Mask, mask);
        Add(_inputs.Segments, new long[length]);
        Add(_inputs.Positions, positions);
        if (_inputs.PhraseMask is { } phraseMask)
        {
            bool hasHeads = _session.InputMetadata[phraseMask].Dimensions.Length == 4;
            inputs.Add(TextInputs.Of(_session, phraseMask, sees, hasHeads ? [1, 1, length, length] : [1, length, length]));
        }

        return new TextPass(inputs, columns, used);

        void Add(string? name, long[] values)
        {
            if (name is not null) inputs.Add(TextInputs.Of(_session, name, values, 1, length));
        }
    }
}

/// <summary>Phrases one by one as CLIP reads them, padded with 0: what OWL-ViT and the text tower of CLIP take.</summary>
internal sealed class PhraseRows
{
    private readonly InferenceSession _session;
    private readonly string _ids;
    private readonly string? _mask;
    private readonly PhraseTokenizer _tokenizer;
    private readonly string _source;
    private readonly int _length;

    /// <param name="length">T, where the graph leaves it open.</param>
    public PhraseRows(InferenceSession session, string ids, string? mask, PhraseTokenizer tokenizer, string source, int length)
    {
        (_session, _ids, _mask, _tokenizer, _source) = (session, ids, mask, tokenizer, source);
        int[] shape = session.InputMetadata[ids].Dimensions;
        _length = shape[1] > 0 ? shape[1] : mask is not null && session.InputMetadata[mask].Dimensions[1] is > 0 and int other ? other
            : length;
        Rows = shape[0] > 0 ? shape[0] : null;
    }

    /// <summary>How many phrases the graph takes at once, where it fixes that.</summary>
    public int? Rows { get; }

    /// <summary>The inputs for phrases. Where the graph takes a fixed number the last one is there several times.</summary>
    /// <exception cref="ArgumentException">A phrase is too long for the graph.</exception>
    public IReadOnlyList<OnnxInput> Of(IReadOnlyList<string> phrases)
    {
        int rows = Rows ?? phrases.Count;
        (long[] ids, long[] mask) = (new long[rows * _length], new long[rows * _length]);
        for (int i = 0; i < rows; i++)
        {
            string phrase = phrases[Math.Min(i, phrases.Count - 1)];
            int[] tokens = [_tokenizer.Start, .. _tokenizer.Encode(phrase), _tokenizer.End];
            if (tokens.Length > _length) throw new ArgumentException(
                $"The prompt '{ShortText.Of(phrase)}' is too long: it has {tokens.Length - 2} tokens, and with first and last "
                + $"'{_source}' takes {_length}.");
            for (int k = 0; k < tokens.Length; k++) (ids[i * _length + k], mask[i * _length + k]) = (tokens[k], 1);
        }

        List<OnnxInput> inputs = [TextInputs.Of(_session, _ids, ids, rows, _length)];
        if (_mask is not null) inputs.Add(TextInputs.Of(_session, _mask, mask, rows, _length));
        return inputs;
    }
}
