using Microsoft.ML.Distillation.Onnx.Proto;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.Distillation.Published.Prompts;

/// <summary>
/// What the inputs of a graph that is told in words are for: by their types and shapes, then by their names, and where these do not tell,
/// by the table in which the graph looks their values up.
/// </summary>
/// <param name="Image">The input that takes the image.</param>
internal sealed record PromptedInputs(InputSpec Image)
{
    // BERT has two kinds of segments; tables of positions and of words are longer.
    private const long MostSegments = 4, FewestWords = 10_000;

    // Through these an input's values reach a table as they are.
    private static readonly HashSet<string> PassOn =
        ["Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Slice", "Clip", "Transpose", "Expand", "Where", "Split"];

    /// <summary>The numbers of tokens, [N,T].</summary>
    public string? Ids { get; private init; }

    /// <summary>Which tokens are there, [N,T].</summary>
    public string? Mask { get; private init; }

    /// <summary>BERT's segments, [1,T].</summary>
    public string? Segments { get; private init; }

    /// <summary>Where in its phrase each token stands, [1,T].</summary>
    public string? Positions { get; private init; }

    /// <summary>Which tokens see each other, [1,T,T].</summary>
    public string? PhraseMask { get; private init; }

    /// <summary>Which pixels are picture, [1,H,W].</summary>
    public string? PixelMask { get; private init; }

    /// <summary>Embeddings of phrases, [1,N,D] or [N,D].</summary>
    public string? Features { get; private init; }

    /// <summary>Whether the graph is told in words at all.</summary>
    public bool AreWords => Ids is not null || Features is not null;

    /// <summary>Reads them.</summary>
    /// <param name="graph">The graph; read only where there is more than types and shapes tell.</param>
    /// <exception cref="NotSupportedException">No input takes an image; or what one of a graph that is told in words wants is not
    /// known.</exception>
    public static PromptedInputs Of(InferenceSession session, string source, Func<ModelProto> graph)
    {
        InputSpec image = InputSpec.Of(session, source);
        var roles = new Dictionary<string, Role>();
        foreach (string name in session.InputNames.Where(name => name != image.Name))
            roles[name] = RoleOf(name, session, image);
        LookUp(roles, session, graph);
        // Those whose captions have a mask of phrases have positions too.
        foreach (string name in session.InputNames.Where(name => roles.GetValueOrDefault(name, Role.PixelMask) == Role.Unknown
            && IsField(session.InputMetadata[name])))
            roles[name] = roles.ContainsValue(Role.Positions) ? Role.PhraseMask : Role.PixelMask;
        if (!roles.Values.Any(role => role is Role.Ids or Role.Features or Role.PhraseMask)) return new PromptedInputs(image);
        string[] unknown = [.. roles.Where(role => role.Value == Role.Unknown).Select(role => Describe(role.Key, session))];
        if (unknown.Length > 0)
        {
            throw new NotSupportedException($"The detector '{source}' is told in words, and what its input {unknown[0]} wants is not "
                + "known. Known are the numbers of tokens, their mask, segments, positions, the mask of phrases, a mask of pixels and "
                + "embeddings.");
        }

        foreach (IGrouping<Role, KeyValuePair<string, Role>> same in roles.GroupBy(role => role.Value).Where(group => group.Count() > 1))
        {
            throw new NotSupportedException($"The detector '{source}' is told in words, and which of its inputs "
                + $"{string.Join(" and ", same.Select(role => Describe(role.Key, session)))} is which is not known.");
        }

        return new PromptedInputs(image)
        {
            Ids = NameOf(Role.Ids),
            Mask = NameOf(Role.Mask),
            Segments = NameOf(Role.Segments),
            Positions = NameOf(Role.Positions),
            PhraseMask = NameOf(Role.PhraseMask),
            PixelMask = NameOf(Role.PixelMask),
            Features = NameOf(Role.Features),
        };

        string? NameOf(Role role) => roles.Where(pair => pair.Value == role).Select(pair => pair.Key).FirstOrDefault();
    }

    /// <summary>Whether a graph is told in words, by the names of its inputs, their types and shapes.</summary>
    public static bool AreWordsOf(InferenceSession session)
    {
        InputSpec image = InputSpec.Of(session, "");
        return session.InputNames.Any(name => name != image.Name
            && RoleOf(name, session, image) is Role.Ids or Role.Features or Role.PhraseMask);
    }

    private enum Role
    {
        Unknown,
        Ids,
        Mask,
        Segments,
        Positions,
        PhraseMask,
        PixelMask,
        Features,
    }

    private static Role RoleOf(string name, InferenceSession session, InputSpec image)
    {
        NodeMetadata metadata = session.InputMetadata[name];
        if (!metadata.IsTensor) return Role.Unknown;
        bool isFloat = metadata.ElementDataType is TensorElementType.Float or TensorElementType.Float16;
        bool isBool = metadata.ElementDataType == TensorElementType.Bool;
        return metadata.Dimensions.Length switch
        {
            // Sizes and scales of images are rows too, of two or three; a caption has four tokens at least.
            2 when metadata.Dimensions[1] is > 0 and < 4 => Role.Unknown,
            2 when isBool || Has("mask") => Role.Mask,
            2 when isFloat => Role.Features,
            2 when Has("type") || Has("segment") => Role.Segments,
            2 when Has("pos") => Role.Positions,
            2 when Has("id") || Has("token") || Has("text") || Has("caption") || Has("prompt") => Role.Ids,
            3 or 4 when isFloat && !Has("mask") => Role.Features,
            3 or 4 when Has("pixel") || Has("image") || Has("img") => Role.PixelMask,
            3 or 4 when Has("text") || Has("token") || Has("self") || Has("phrase") => Role.PhraseMask,
            3 or 4 => IsOfPixels(metadata, session.InputMetadata[image.Name], image) is not bool isOfPixels ? Role.Unknown
                : isOfPixels ? Role.PixelMask : Role.PhraseMask,
            _ => Role.Unknown,
        };

        bool Has(string part) => name.Contains(part, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Whether a mask is of pixels or of phrases; <see langword="null"/>: its shape does not tell.</summary>
    private static bool? IsOfPixels(NodeMetadata mask, NodeMetadata picture, InputSpec image)
    {
        (int height, int width) = (mask.Dimensions[^2], mask.Dimensions[^1]);
        if (height > 0 || width > 0) return (height == image.Height || height <= 0) && (width == image.Width || width <= 0);
        (string down, string across) = (mask.SymbolicDimensions[^2], mask.SymbolicDimensions[^1]);
        if (down.Length == 0 || across.Length == 0) return null;
        // [T,T] has one name twice.
        return down == across ? false : picture.SymbolicDimensions.Contains(down) && picture.SymbolicDimensions.Contains(across) ? true
            : null;
    }

    private static bool IsField(NodeMetadata metadata) => metadata.IsTensor && metadata.Dimensions.Length is 3 or 4;

    private static bool IsRow(NodeMetadata metadata) => metadata.IsTensor && metadata.Dimensions.Length == 2
        && metadata.Dimensions[1] is <= 0 or >= 4 && metadata.ElementDataType is TensorElementType.Int64 or TensorElementType.Int32;

    /// <summary>
    /// Tells the rows of integers from each other by the tables in which they are looked up, where names do not, or tell another story: an
    /// exporter gives names in the order in which it is told them.
    /// </summary>
    private static void LookUp(Dictionary<string, Role> roles, InferenceSession session, Func<ModelProto> graph)
    {
        string[] rows = [.. roles.Keys.Where(name => IsRow(session.InputMetadata[name]))];
        if (rows.Length == 0) return;
        bool isNamed = AreClear(rows.Select(name => roles[name]));
        if (isNamed && rows.Length == 1) return;
        GraphProto proto = graph().Graph;
        Dictionary<string, long?> tables = rows.ToDictionary(name => name, name => TableOf(proto, name));
        string? words = tables.Where(table => table.Value is not null).OrderByDescending(table => table.Value).Select(table => table.Key)
            .FirstOrDefault();
        if (words is null || (isNamed && tables[words] < FewestWords)) return;
        // A graph has one mask of tokens; bool says it without a doubt.
        bool hasMask = roles.Any(role => role.Value == Role.Mask && !rows.Contains(role.Key));
        Role[] found = [.. rows.Select(name => name == words ? Role.Ids
            : tables[name] is long length ? length <= MostSegments ? Role.Segments : Role.Positions
            : !hasMask ? Role.Mask
            : tables.Values.Any(other => other is > MostSegments and var longer && longer < tables[words]) ? Role.Unknown
                : Role.Positions)];
        if (isNamed && !AreClear(found)) return;
        foreach ((string name, Role role) in rows.Zip(found)) roles[name] = role;
    }

    private static bool AreClear(IEnumerable<Role> roles)
    {
        Role[] all = [.. roles];
        return all.Distinct().Count() == all.Length && !all.Contains(Role.Unknown) && all.Contains(Role.Ids);
    }

    /// <summary>The length of the table in which an input's values are looked up.</summary>
    private static long? TableOf(GraphProto graph, string input)
    {
        var seen = new HashSet<string> { input };
        var underWay = new Queue<string>([input]);
        while (underWay.TryDequeue(out string? value))
        {
            foreach (NodeProto node in graph.Node.Where(node => node.Input.Contains(value)))
            {
                if (node.OpType is "Gather" or "GatherND" or "GatherBlockQuantized" && node.Input.Count > 1 && node.Input[1] == value
                    && LengthOf(graph, node.Input[0]) is { } length) return length;
                if (!PassOn.Contains(node.OpType)) continue;
                foreach (string output in node.Output.Where(seen.Add)) underWay.Enqueue(output);
            }
        }

        return null;
    }

    /// <summary>The length of a table: of a parameter, or of what becomes of one on the way.</summary>
    private static long? LengthOf(GraphProto graph, string name)
    {
        for (int steps = 0; steps < 4; steps++)
        {
            if (graph.Initializer.FirstOrDefault(tensor => tensor.Name == name) is { } table) return table.Dims.Count > 1 ? table.Dims[0]
                : null;
            NodeProto? maker = graph.Node.FirstOrDefault(node => node.Output.Contains(name));
            if (maker is null) return null;
            if (maker.OpType == "Constant")
                return maker.Attribute.FirstOrDefault(attribute => attribute.T is not null)?.T is { Dims.Count: > 1 } held ? held.Dims[0]
                    : null;
            if (maker.Input.Count == 0) return null;
            name = maker.Input[0];
        }

        return null;
    }

    private static string Describe(string name, InferenceSession session)
    {
        NodeMetadata metadata = session.InputMetadata[name];
        return metadata.IsTensor
            ? $"'{name}' {metadata.ElementDataType} [{string.Join(", ", metadata.Dimensions.Select(d => d > 0 ? $"{d}" : "?"))}]"
            : $"'{name}'";
    }
}
