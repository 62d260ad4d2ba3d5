using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using DataType = Microsoft.ML.Distillation.Onnx.Proto.TensorProto.Types.DataType;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>The layouts of detectors that are told in words.</summary>
public enum PromptedLayout
{
    HuggingFaceDino,
    IdeaDino,
    OwlVit,
    OwlV2,
    WorldScores,
    WorldColumns,
}

/// <summary>
/// Graphs in which words matter: a table takes tokens to colours, queries look at the cells of the picture, and what scores is the cell
/// whose colour is the phrase's. The phrase's, not the token's: all tokens of a phrase share its colour, which they see only if the graph
/// and its inputs keep phrases apart.
/// </summary>
internal sealed record PromptedGraph(PromptedLayout Layout)
{
    /// <summary>Cells to a side of the input, where its size is fixed.</summary>
    public int Cells { get; init; } = 8;

    private const int Cls = 101, Sep = 102, Stop = 1012, Question = 1029, Columns = 256, Features = 512;
    private const float Best = 4;

    // A phrase without a colour is like none.
    private const float NoColour = -5;

    /// <summary>Colours of tokens, by their numbers in the vocabulary that the layout reads.</summary>
    public required IReadOnlyDictionary<int, (byte Red, byte Green, byte Blue)> Colours { get; init; }

    /// <summary>What a token's own score is below its phrase's.</summary>
    public IReadOnlyDictionary<int, float> Handicaps { get; init; } = new Dictionary<int, float>();

    /// <summary>How fast a score falls with the distance of colours.</summary>
    public float Steepness { get; init; } = 60;

    /// <summary>Whether phrases from the second on are one, as in an export that was traced.</summary>
    public bool Leaks { get; init; }

    /// <summary>The number of tokens or phrases, where the graph fixes it.</summary>
    public int? Rows { get; init; }

    /// <summary>The input's width and height, where the graph fixes them.</summary>
    public (int Width, int Height)? Size { get; init; }

    /// <summary>The pixels of a cell, where the size is open.</summary>
    public int? CellSide { get; init; }

    /// <summary>Whether it takes no other size than that of its cells, as with positions that were learned.</summary>
    public bool HasPositions { get; init; }

    /// <summary>The type of its integers.</summary>
    public DataType Integers { get; init; } = DataType.Int64;

    /// <summary>What its inputs and outputs are called in the place of the published names.</summary>
    public IReadOnlyDictionary<string, string> Names { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether inputs and outputs stand in another order.</summary>
    public bool Turned { get; init; }

    /// <summary>A seed by which inputs and outputs are shuffled.</summary>
    public int? Order { get; init; }

    /// <summary>The type of masks, where it is another than the integers'.</summary>
    public DataType? Masks { get; init; }

    /// <summary>The type of images, embeddings and outputs.</summary>
    public DataType Floats { get; init; } = DataType.Float;

    /// <summary>Whether there are outputs beside boxes and scores, in front of them.</summary>
    public bool HasMore { get; init; }

    /// <summary>Whether the number of images is open.</summary>
    public bool HasOpenBatch { get; init; }

    /// <summary>Whether open dimensions have no names.</summary>
    public bool IsNameless { get; init; }

    /// <summary>Whether Grounding DINO takes neither segments nor a mask of pixels.</summary>
    public bool IsBare { get; init; }

    /// <summary>Whether Grounding DINO's scores have a column for each token of the caption, and no more.</summary>
    public bool HasOwnColumns { get; init; }

    /// <summary>The number of tokens of a text of OWL; <see langword="null"/>: it is open.</summary>
    public int? TextLength { get; init; } = 16;

    private bool IsDino => Layout is PromptedLayout.HuggingFaceDino or PromptedLayout.IdeaDino;

    private bool IsOwl => Layout is PromptedLayout.OwlVit or PromptedLayout.OwlV2;

    /// <summary>Writes the graph.</summary>
    public string Save(string path)
    {
        var graph = new GraphBuilder();
        string image = IsDino || IsOwl ? "pixel_values" : "images";
        if (Layout == PromptedLayout.IdeaDino) image = "samples";
        object height = Size is { } size ? size.Height : Open("height"), width = Size is { } same ? same.Width : Open("width");
        string pixels = Float(graph, graph.Input(Name(image), Floats, Batch, 3, height, width));
        (string cells, string boxes) = Look(graph, pixels);
        if (IsDino) Dino(graph, cells, boxes);
        else if (IsOwl) Owl(graph, cells, boxes);
        else World(graph, cells, boxes, pixels);
        ModelProto model = graph.Build([]);
        if (Turned)
        {
            Reverse(model.Graph.Input);
            Reverse(model.Graph.Output);
        }

        if (Order is int seed)
        {
            var random = new Random(seed);
            Shuffle(model.Graph.Input, random);
            Shuffle(model.Graph.Output, random);
        }

        File.WriteAllBytes(path, new OnnxModelFile(model).ToBytes());
        return path;
    }

    /// <summary>Writes the text tower that goes with YOLO-World: its embeddings are seven times too long.</summary>
    /// <param name="rows">The number of texts, where it fixes that.</param>
    public string SaveTower(string path, int? rows = null, bool hasMask = false)
    {
        var graph = new GraphBuilder();
        string ids = graph.Input("input_ids", Integers, rows is int n ? n : "texts", 77);
        if (hasMask) graph.Input("attention_mask", Integers, rows is int m ? m : "texts", 77);
        string colours = PhraseColours(graph, graph.Add("Cast", [ids], ("to", (int)DataType.Int64)), 49_408);
        string count = graph.Add("Slice", [graph.Add("Shape", [colours]), graph.Integers(0), graph.Integers(1)]);
        string ones = graph.Add("Expand", [graph.Floats([1], 1, 1), graph.Add("Concat", [count, graph.Integers(1)], ("axis", 0))]);
        string rest = graph.Add("Expand", [graph.Floats([0], 1, 1), graph.Add("Concat", [count, graph.Integers(Features - 4)], ("axis",
            0))]);
        string embeddings = graph.Add("Mul", [graph.Add("Concat", [colours, ones, rest], ("axis", 1)), graph.Scalar(7f)]);
        graph.Output("text_embeds", embeddings, DataType.Float, rows is int k ? k : "texts", Features);
        graph.Output("last_hidden_state", graph.Add("Unsqueeze", [embeddings, graph.Integers(1)]), DataType.Float, "a", "b", Features);
        File.WriteAllBytes(path, new OnnxModelFile(graph.Build([])).ToBytes());
        return path;
    }

    private static void Reverse<T>(Google.Protobuf.Collections.RepeatedField<T> list)
    {
        T[] turned = [.. list.Reverse()];
        list.Clear();
        list.AddRange(turned);
    }

    private static void Shuffle<T>(Google.Protobuf.Collections.RepeatedField<T> list, Random random)
    {
        T[] shuffled = [.. list];
        random.Shuffle(shuffled);
        list.Clear();
        list.AddRange(shuffled);
    }

    private object Batch => HasOpenBatch ? Open("batch_size") : 1;

    private string Open(string axis) => IsNameless ? "" : axis;

    private void Output(GraphBuilder graph, string name, string value, params ReadOnlySpan<object> shape)
        => graph.Output(Name(name), graph.Add("Cast", [value], ("to", (int)Floats)), Floats, shape);

    /// <summary>What detectors give beside boxes and scores.</summary>
    /// <param name="cells">[Q,3].</param>
    private void More(GraphBuilder graph, string cells, string pixels)
    {
        string hidden = graph.Add("MatMul", [cells, graph.Floats(
            [.. Enumerable.Range(0, 3 * Columns).Select(i => MathF.Sin(i))], 3, Columns)]);
        Output(graph, "last_hidden_state", graph.Add("Unsqueeze", [hidden, graph.Integers(0)]), Batch, Open("queries"), Columns);
        if (Layout == PromptedLayout.OwlV2)
        {
            string objectness = graph.Add("ReduceMean", [cells, graph.Integers(1)], ("keepdims", 0));
            Output(graph, "objectness_logits", graph.Add("Unsqueeze", [objectness, graph.Integers(0)]), Batch, Open("queries"));
        }

        Output(graph, "feature_map", graph.Add("AveragePool", [pixels], ("kernel_shape", new[] { 32, 32 }), ("strides", new[] { 32, 32 })),
            Batch, 3, Open("rows"), Open("columns"));
        graph.Output(Name("count"), graph.Add("Shape", [cells]), DataType.Int64, 2);
    }

    private string Name(string published) => Names.GetValueOrDefault(published, published);

    /// <summary>The mean colour of each cell as shares of white [Q,3], and the cells, centre and size as shares [1,Q,4].</summary>
    private (string Colours, string Boxes) Look(GraphBuilder graph, string pixels)
    {
        (float[] mean, float[] deviation) = IsDino ? ([0.485f, 0.456f, 0.406f], [0.229f, 0.224f, 0.225f])
            : IsOwl ? ([0.48145466f, 0.4578275f, 0.40821073f], [0.26862954f, 0.26130258f, 0.27577711f])
            : ((float[])[0, 0, 0], (float[])[1, 1, 1]);
        string white = graph.Add("Add", [graph.Add("Mul", [pixels, graph.Floats(deviation, 1, 3, 1, 1)]), graph.Floats(mean, 1, 3, 1, 1)]);
        int open = CellSide ?? Layout switch { PromptedLayout.OwlVit => 96, PromptedLayout.OwlV2 => 120, _ => IsDino ? 100 : 80 };
        (int w, int h) = Size is { } size ? (size.Width / Cells, size.Height / Cells) : (open, open);
        // The border of a cell is not quite its own after two resizings.
        string pool = graph.Add("AveragePool", [graph.Add("Slice", [white, graph.Integers(h / 4, w / 4), graph.Integers(int.MaxValue,
            int.MaxValue),
            graph.Integers(2, 3)])], ("kernel_shape", new[] { h / 2, w / 2 }), ("strides", new[] { h, w }));
        if (HasMore) More(graph, graph.Add("Transpose", [graph.Add("Reshape", [pool, graph.Integers(3, -1)])],
            ("perm", new[] { 1, 0 })), pixels);
        string shape = graph.Add("Shape", [pool]);
        string rows = graph.Add("Gather", [shape, graph.Scalar(2L)]), columns = graph.Add("Gather", [shape, graph.Scalar(3L)]);
        string colours = graph.Add("Transpose", [graph.Add("Reshape", [pool, graph.Integers(3, -1)])], ("perm", new[] { 1, 0 }));
        if (HasPositions) colours = graph.Add("Add", [colours, graph.Floats(new float[3 * Cells * Cells], Cells * Cells, 3)]);
        string xs = Middles(graph, columns), ys = Middles(graph, rows);
        string grid = graph.Add("Concat", [graph.Add("Unsqueeze", [rows, graph.Integers(0)]), graph.Add("Unsqueeze", [columns,
            graph.Integers(0)])],
            ("axis", 0));
        string x = Spread(graph, graph.Add("Unsqueeze", [xs, graph.Integers(0)]), grid), y = Spread(graph, graph
            .Add("Unsqueeze", [ys, graph.Integers(1)]), grid);
        string across = Spread(graph, graph.Add("Div", [graph.Scalar(1f), Float(graph, columns)]), grid);
        string down = Spread(graph, graph.Add("Div", [graph.Scalar(1f), Float(graph, rows)]), grid);
        string boxes = graph.Add("Unsqueeze", [graph.Add("Concat", [x, y, across, down], ("axis", 1)), graph.Integers(0)]);
        return (colours, boxes);
    }

    private static string Float(GraphBuilder graph, string value) => graph.Add("Cast", [value], ("to", (int)DataType.Float));

    private static string Middles(GraphBuilder graph, string count)
    {
        string range = Float(graph, graph.Add("Range", [graph.Scalar(0L), count, graph.Scalar(1L)]));
        return graph.Add("Div", [graph.Add("Add", [range, graph.Scalar(0.5f)]), Float(graph, count)]);
    }

    private static string Spread(GraphBuilder graph, string values, string grid)
        => graph.Add("Reshape", [graph.Add("Expand", [values, grid]), graph.Integers(-1, 1)]);

    /// <summary>The table of tokens: colour, whether it is one, handicap.</summary>
    private string Table(GraphBuilder graph, int length)
    {
        var table = new float[5 * length];
        foreach ((int id, (byte r, byte g, byte b)) in Colours)
            (table[5 * id], table[5 * id + 1], table[5 * id + 2], table[5 * id + 3]) = (r / 255f, g / 255f, b / 255f, 1);
        foreach ((int id, float handicap) in Handicaps) table[5 * id + 4] = handicap;
        return graph.Parameter("words", table, length, 5);
    }

    /// <summary>The colour of each of N texts [N,3].</summary>
    private string PhraseColours(GraphBuilder graph, string ids, int length)
    {
        string tokens = graph.Add("Gather", [Table(graph, length), ids], ("axis", 0));
        return Mean(graph, graph.Add("ReduceSum", [tokens, graph.Integers(1)], ("keepdims", 0)));
    }

    /// <summary>The mean colour of sums of tokens [N,5].</summary>
    private static string Mean(GraphBuilder graph, string sums)
    {
        string colours = graph.Add("Slice", [sums, graph.Integers(0), graph.Integers(3), graph.Integers(1)]);
        string counts = graph.Add("Slice", [sums, graph.Integers(3), graph.Integers(4), graph.Integers(1)]);
        string has = graph.Add("Greater", [counts, graph.Scalar(0f)]);
        string mean = graph.Add("Div", [colours, graph.Add("Max", [counts, graph.Scalar(1f)])]);
        return graph.Add("Where", [has, mean, graph.Scalar(NoColour)]);
    }

    /// <summary>How alike cells [Q,3] and phrases [N,3] are, as logits [Q,N].</summary>
    private string Alike(GraphBuilder graph, string cells, string phrases)
    {
        string apart = graph.Add("Sub", [graph.Add("Unsqueeze", [cells, graph.Integers(1)]), graph.Add("Unsqueeze", [phrases,
            graph.Integers(0)])]);
        string distance = graph.Add("ReduceSum", [graph.Add("Mul", [apart, apart]), graph.Integers(2)], ("keepdims", 0));
        return graph.Add("Max", [graph.Add("Sub", [graph.Scalar(Best), graph.Add("Mul", [distance, graph.Scalar(Steepness)])]),
            graph.Scalar(-20f)]);
    }

    private void Dino(GraphBuilder graph, string cells, string boxes)
    {
        bool isIdea = Layout == PromptedLayout.IdeaDino;
        object tokens = Rows is int t ? t : Open("tokens");
        DataType masks = Masks ?? (isIdea ? DataType.Bool : Integers);
        string ids = graph.Input(Name("input_ids"), Integers, Batch, tokens);
        string mask = graph.Input(Name("attention_mask"), masks, Batch, tokens);
        string? positions = isIdea ? graph.Input(Name("position_ids"), Integers, Batch, tokens) : null;
        string? segments = IsBare ? null : graph.Input(Name("token_type_ids"), Integers, Batch, tokens);
        string? seen = isIdea ? graph.Input(Name("text_token_mask"), masks, Batch, tokens, tokens) : null;
        if (!isIdea && !IsBare) graph.Input(Name("pixel_mask"), masks, Batch, Size is { } s ? s.Height : Open("height"),
            Size is { } z ? z.Width : Open("width"));
        string numbers = graph.Add("Cast", [ids], ("to", (int)DataType.Int64));
        string row = graph.Add("Squeeze", [graph.Add("Gather", [Table(graph, 30_522), numbers], ("axis", 0)), graph.Integers(0)]);

        // A phrase ends with its full stop: those before a token count its phrase.
        string isEnd = graph.Add("Or", [graph.Add("Or", [Is(Cls), Is(Sep)]), graph.Add("Or", [Is(Stop), Is(Question)])]);
        string ends = graph.Add("Squeeze", [Float(graph, isEnd), graph.Integers(0)]);
        string phrase = graph.Add("CumSum", [ends, graph.Scalar(0L)], ("exclusive", 1));
        if (Leaks) phrase = graph.Add("Min", [phrase, graph.Scalar(2f)]);
        string same = seen is null
            ? Float(graph, graph.Add("Equal", [graph.Add("Unsqueeze", [phrase, graph.Integers(1)]), graph.Add("Unsqueeze", [phrase,
                graph.Integers(0)])]))
            : graph.Add("Squeeze", [Float(graph, seen), graph.Integers(0)]);
        string there = graph.Add("Squeeze", [Float(graph, mask), graph.Integers(0)]);
        same = graph.Add("Mul", [same, graph.Add("Unsqueeze", [there, graph.Integers(0)])]);
        string logits = Alike(graph, cells, Mean(graph, graph.Add("MatMul", [same, row])));
        string handicap = graph.Add("Reshape", [graph.Add("Slice", [row, graph.Integers(4), graph.Integers(5), graph.Integers(1)]),
            graph.Integers(1, -1)]);
        logits = graph.Add("Sub", [logits, handicap]);
        if (positions is not null) logits = graph.Add("Sub", [logits, Misplaced(graph, positions, phrase)]);
        // BERT looks segments up too.
        if (segments is not null)
        {
            string segment = graph.Add("Gather", [graph.Parameter("segments", [0, 50], 2, 1), graph.Add("Cast", [segments], ("to",
                (int)DataType.Int64))]);
            logits = graph.Add("Sub", [logits, graph.Add("Reshape", [segment, graph.Integers(1, -1)])]);
        }

        // Columns past the caption are −∞, up to 256.
        string used = graph.Add("Where", [graph.Add("Greater", [graph.Add("Unsqueeze", [there, graph.Integers(0)]), graph.Scalar(0.5f)]),
            logits,
            graph.Scalar(float.NegativeInfinity)]);
        string length = graph.Add("Gather", [graph.Add("Shape", [used]), graph.Integers(1)]);
        string pads = graph.Add("Concat", [graph.Integers(0, 0, 0), graph.Add("Sub", [graph.Integers(Columns), length])], ("axis", 0));
        if (!HasOwnColumns) used = graph.Add("Pad", [used, pads, graph.Scalar(float.NegativeInfinity)]);
        object columns = HasOwnColumns ? tokens : Columns;
        Output(graph, "logits", graph.Add("Unsqueeze", [used, graph.Integers(0)]), Batch, Open("queries"), columns);
        Output(graph, isIdea ? "boxes" : "pred_boxes", boxes, Batch, Open("queries"), 4);

        string Is(int token) => graph.Add("Equal", [numbers, graph.Scalar((long)token)]);
    }

    /// <summary>How far each token's position is from where it stands in its phrase [1,T], threefold.</summary>
    private static string Misplaced(GraphBuilder graph, string positions, string phrase)
    {
        // A token's place in its phrase: how many before it are of the same.
        string same = graph.Add("Equal", [graph.Add("Unsqueeze", [phrase, graph.Integers(1)]), graph.Add("Unsqueeze", [phrase,
            graph.Integers(0)])]);
        string before = graph.Add("Trilu", [Float(graph, same), graph.Scalar(-1L)], ("upper", 0));
        string place = graph.Add("ReduceSum", [before, graph.Integers(1)], ("keepdims", 0));
        // BERT looks them up.
        string table = graph.Parameter("positions", [.. Enumerable.Range(0, 512).Select(i => (float)i)], 512, 1);
        string told = graph.Add("Gather", [table, graph.Add("Cast", [positions], ("to", (int)DataType.Int64))]);
        string off = graph.Add("Abs", [graph.Add("Sub", [graph.Add("Reshape", [told, graph.Integers(-1)]), place])]);
        return graph.Add("Unsqueeze", [graph.Add("Mul", [off, graph.Scalar(3f)]), graph.Integers(0)]);
    }

    private void Owl(GraphBuilder graph, string cells, string boxes)
    {
        object texts = Rows is int n ? n : Open("text_batch_size"), length = TextLength is int t ? t : Open("sequence_length");
        string ids = graph.Input(Name("input_ids"), Integers, texts, length);
        graph.Input(Name("attention_mask"), Masks ?? Integers, texts, length);
        string colours = PhraseColours(graph, graph.Add("Cast", [ids], ("to", (int)DataType.Int64)), 49_408);
        string logits = graph.Add("Unsqueeze", [Alike(graph, cells, colours), graph.Integers(0)]);
        object queries = Size is null ? Open("queries") : Cells * Cells;
        Output(graph, "logits", logits, Batch, queries, texts);
        Output(graph, "pred_boxes", boxes, Batch, queries, 4);
        Output(graph, "text_embeds", colours, texts, 3);
    }

    private void World(GraphBuilder graph, string cells, string boxes, string image)
    {
        bool isColumns = Layout == PromptedLayout.WorldColumns;
        object texts = Rows is int n ? n : Open("texts");
        string told = Float(graph, graph.Input(Name(isColumns ? "txt_feats" : "text_features"), Floats, Batch, texts, Features));
        string rows = graph.Add("Squeeze", [told, graph.Integers(0)]);
        string scale = graph.Add("Slice", [rows, graph.Integers(3), graph.Integers(4), graph.Integers(1)]);
        string colours = graph.Add("Div", [graph.Add("Slice", [rows, graph.Integers(0), graph.Integers(3), graph.Integers(1)]), scale]);
        // Embeddings that are not of length 1 are like nothing.
        string length = graph.Add("ReduceSum", [graph.Add("Mul", [rows, rows]), graph.Integers(1)], ("keepdims", 0));
        string off = graph.Add("Mul", [graph.Add("Abs", [graph.Add("Sub", [length, graph.Scalar(1f)])]), graph.Scalar(50f)]);
        string scores = graph.Add("Sigmoid", [graph.Add("Sub", [Alike(graph, cells, colours), graph.Add("Unsqueeze", [off,
            graph.Integers(0)])])]);
        string sides = graph.Add("Gather", [graph.Add("Shape", [image]), graph.Integers(3, 2, 3, 2)]);
        string pixels = graph.Add("Mul", [boxes, Float(graph, sides)]);
        if (isColumns)
        {
            string joined = graph.Add("Concat", [pixels, graph.Add("Unsqueeze", [scores, graph.Integers(0)])], ("axis", 2));
            Output(graph, "output", graph.Add("Transpose", [joined], ("perm", new[] { 0, 2, 1 })), Batch, Open("columns"), Open("cells"));
            return;
        }

        string corners = graph.Add("MatMul", [pixels, graph.Floats(
            [1, 0, 1, 0, 0, 1, 0, 1, -.5f, 0, .5f, 0, 0, -.5f, 0, .5f], 4, 4)]);
        Output(graph, "scores", graph.Add("Unsqueeze", [scores, graph.Integers(0)]), Batch, Open("cells"), texts);
        Output(graph, "boxes", corners, Batch, Open("cells"), 4);
    }
}
