namespace Microsoft.ML.Distillation.Published.Decoders;

/// <summary>Columns of one output, or of several whose rows follow one another, as a table with a prediction in each row.</summary>
internal sealed class LayoutTable
{
    private readonly Part[] _parts;
    private readonly int _column;

    /// <param name="columns">Which columns, of which the first becomes the table's first.</param>
    public LayoutTable(IReadOnlyList<OnnxOutput> outputs, OnnxColumns columns)
    {
        _parts = [.. outputs.Select(output => new Part(output, columns.Transposed))];
        _column = columns.Column;
        Rows = _parts.Sum(part => part.Rows);
        Columns = _parts.Min(part => part.Columns) - _column;
    }

    /// <summary>The number of predictions.</summary>
    public int Rows { get; }

    /// <summary>The number of columns; 0 or less where the first lies beyond the output.</summary>
    public int Columns { get; }

    /// <summary>The number of columns of an output that is read so.</summary>
    public static int ColumnsOf(OnnxOutput output, bool transposed) => new Part(output, transposed).Columns;

    /// <summary>The number of rows of an output that is read so.</summary>
    public static int RowsOf(OnnxOutput output, bool transposed) => new Part(output, transposed).Rows;

    /// <summary>Reads the first columns of a row.</summary>
    public void Read(int row, Span<float> target)
    {
        foreach (Part part in _parts)
        {
            if (row < part.Rows)
            {
                part.Read(row, _column, target);
                return;
            }

            row -= part.Rows;
        }

        throw new ArgumentOutOfRangeException(nameof(row));
    }

    /// <summary>The first column of a row.</summary>
    public float this[int row]
    {
        get
        {
            Span<float> value = stackalloc float[1];
            Read(row, value);
            return value[0];
        }
    }

    /// <summary>One output as a table.</summary>
    private readonly struct Part
    {
        private readonly ReadOnlyMemory<float> _values;
        private readonly bool _transposed;

        public Part(OnnxOutput output, bool transposed)
        {
            (_values, _transposed) = (output.Values, transposed);
            // [N] is a column, whichever way round.
            Columns = output.Shape.Count < 2 ? 1 : transposed ? output.Shape[0] : output.Shape[^1];
            Rows = Columns == 0 ? 0 : output.Values.Length / Columns;
        }

        public int Rows { get; }

        public int Columns { get; }

        public void Read(int row, int column, Span<float> target)
        {
            ReadOnlySpan<float> values = _values.Span;
            if (!_transposed || Columns == 1)
            {
                values.Slice(row * Columns + column, target.Length).CopyTo(target);
                return;
            }

            for (int c = 0; c < target.Length; c++) target[c] = values[(column + c) * Rows + row];
        }
    }
}

/// <summary>The tables of a layout in a model's outputs.</summary>
/// <param name="Boxes">Four columns.</param>
/// <param name="Scores">One column of scores, or those of all classes.</param>
internal sealed record LayoutTables(
    LayoutTable Boxes, LayoutTable Scores, LayoutTable? Labels, LayoutTable? Objectness, LayoutTable? Images, int Rows)
{
    /// <summary>Finds what a layout describes.</summary>
    /// <exception cref="FormatException">The outputs are not so; the message says what is not.</exception>
    public static LayoutTables Find(OnnxDetectorLayout layout, IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        var finder = new LayoutFinder(outputs);
        int classColumns = context.Classes + (layout.Background == OnnxBackground.None ? 0 : 1);
        IReadOnlyList<OnnxOutput> boxOutputs = finder.Boxes(layout.Boxes);
        LayoutTable boxes = Table(boxOutputs, layout.Boxes, 4, "Boxes");
        LayoutTable scores = layout.Classes is { } classes
            ? Table(finder.Classes(classes, boxOutputs, classColumns), classes, classColumns, "Classes")
            : Table(finder.List(layout.Score!, boxOutputs, "Score", ["SCORE", "CONF", "PROB"], integers: false), layout.Score!, 1, "Score");
        LayoutTable? labels = layout.Label is { } label
            ? Table(finder.List(label, boxOutputs, "Label", ["LABEL", "CLASS"], integers: true), label, 1, "Label") : null;
        LayoutTable? objectness = layout.Objectness is { } sure
            ? Table(finder.List(sure, boxOutputs, "Objectness", ["OBJ", "CONF"], integers: false), sure, 1, "Objectness") : null;
        LayoutTable? images = layout.Image is { } image
            ? Table(finder.List(image, boxOutputs, "Image", ["IMAGE", "BATCH"], integers: true), image, 1, "Image") : null;
        foreach ((string name, LayoutTable? table) in ((string, LayoutTable?)[])
            [("Score or Classes", scores), ("Label", labels), ("Objectness", objectness), ("Image", images)])
        {
            if (table is not null && table.Rows != boxes.Rows)
                throw new FormatException($"rows of {name} are {table.Rows}, and of Boxes {boxes.Rows}");
        }

        int rows = layout.Count is { } name2 ? (int)Math.Clamp(finder.Named(name2, "Count").Values.Span[0], 0, boxes.Rows) : boxes.Rows;
        return new LayoutTables(boxes, scores, labels, objectness, images, rows);
    }

    private static LayoutTable Table(IReadOnlyList<OnnxOutput> outputs, OnnxColumns columns, int needed, string role)
    {
        var table = new LayoutTable(outputs, columns);
        if (table.Columns >= needed) return table;
        string which = string.Join(", ", outputs);
        throw new FormatException($"{role} are {needed} columns from column {columns.Column} on, and {which} has "
            + $"{Math.Max(0, table.Columns + columns.Column)}{(columns.Transposed ? " (transposed)" : "")}");
    }
}

/// <summary>Finds the outputs of a layout by their names, or else by their shapes.</summary>
internal sealed class LayoutFinder(IReadOnlyList<OnnxOutput> outputs)
{
    /// <summary>The output of a name.</summary>
    /// <exception cref="FormatException">There is none.</exception>
    public OnnxOutput Named(string name, string role)
    {
        OnnxOutput? found = outputs.FirstOrDefault(output => output.Name == name);
        if (found is not null && found.Values.Length > 0 || found is not null && role != "Count") return found;
        throw new FormatException(found is null ? $"there is no output '{name}', which {role} names" : $"{role}, {found}, is empty");
    }

    /// <summary>The outputs that have boxes.</summary>
    public IReadOnlyList<OnnxOutput> Boxes(OnnxColumns columns)
    {
        if (Given(columns, "Boxes") is { } given) return given;
        int Width(OnnxOutput output) => LayoutTable.ColumnsOf(output, columns.Transposed);
        return Only(
            "Boxes", ["BOX", "DET", "LOC"],
            [.. outputs.Where(output => !output.IsInteger && output.Shape.Count > 1 && Width(output) == columns.Column + 4)],
            [.. outputs.Where(output => !output.IsInteger && output.Shape.Count > 1 && Width(output) >= columns.Column + 4)]);
    }

    /// <summary>The outputs that have scores of all classes.</summary>
    public IReadOnlyList<OnnxOutput> Classes(OnnxColumns columns, IReadOnlyList<OnnxOutput> boxes, int count)
    {
        if (Given(columns, "Classes") is { } given) return given;
        if (columns.Column > 0) return boxes;
        bool Fits(OnnxOutput output) => !boxes.Contains(output) && LayoutTable.ColumnsOf(output, columns.Transposed) == count;
        return Only("Classes", ["SCORE", "CONF", "PROB", "LOGIT", "CLASS", "CLS"], [.. outputs.Where(Fits)]);
    }

    /// <summary>The outputs that have one value for each prediction.</summary>
    public IReadOnlyList<OnnxOutput> List(OnnxColumns columns, IReadOnlyList<OnnxOutput> boxes, string role, string[] words, bool integers)
    {
        if (Given(columns, role) is { } given) return given;
        if (columns.Column > 0 || outputs.Count == 1 || role == "Image") return boxes;
        int rows = boxes.Sum(output => output.Shape.Count < 2 ? 0 : output.Values.Length / output.Shape[^1]);
        OnnxOutput[] lists = [.. outputs.Where(output => !boxes.Contains(output) && output.Values.Length == rows
            && (output.Shape.Count == 1 || output.Shape[^1] == 1))];
        OnnxOutput[] ofKind = [.. lists.Where(output => output.IsInteger == integers)];
        return Only(role, words, ofKind, lists);
    }

    private OnnxOutput[]? Given(OnnxColumns columns, string role)
        => columns.Tensors.Count == 0 ? null : [.. columns.Tensors.Select(name => Named(name, role))];

    /// <summary>The one output of the first choice that has any; of several the one that has a telling name.</summary>
    private IReadOnlyList<OnnxOutput> Only(string role, string[] words, params OnnxOutput[][] choices)
    {
        if (outputs.Count == 1) return outputs;
        OnnxOutput[] some = choices.FirstOrDefault(choice => choice.Length > 0) ?? [];
        if (some.Length == 1) return some;
        OnnxOutput[] telling = [.. some.Where(output => words.Any(word => output.Name.Contains(word, StringComparison.OrdinalIgnoreCase)))];
        if (telling.Length == 1) return telling;
        throw new FormatException(some.Length == 0 ? $"no output fits {role}; name it in the layout"
            : $"{string.Join(" and ", (object[])some)} fit {role}; name one in the layout");
    }
}
