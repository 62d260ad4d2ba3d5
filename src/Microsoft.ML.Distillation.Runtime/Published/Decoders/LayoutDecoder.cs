using System.Numerics.Tensors;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Published.Decoders;

/// <summary>Reads outputs that a layout describes.</summary>
internal sealed class LayoutDecoder(OnnxDetectorLayout layout) : IOutputDecoder
{
    public OnnxDetectorFormat Format => OnnxDetectorFormat.Layout;

    public string Layout => "what the option Layout describes";

    public bool IsSuppressed => layout.IsSuppressed;

    public bool CanRead(IReadOnlyList<OnnxOutput> outputs, DecoderContext context) => Problem(layout, outputs, context) is null;

    public FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context) => FormatFit.Certain;

    public void Decode(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, PredictionSink sink)
        => Decode(layout, outputs, context, sink);

    /// <summary>Why outputs are not as a layout says; <see langword="null"/>: they are.</summary>
    public static string? Problem(OnnxDetectorLayout layout, IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        try
        {
            LayoutTables tables = LayoutTables.Find(layout, outputs, context);
            bool isGrid = layout.BoxUnit == OnnxBoxUnit.Cells || layout.BoxForm == OnnxBoxForm.Distances;
            if (!isGrid || tables.Boxes.Rows == 0 || LayoutGrid.Strides(layout, context, tables.Boxes.Rows) is not null) return null;
            string strides = (context.Options.Strides ?? layout.Strides) is { } given ? string.Join(", ", given) : "8, 16, 32 and the like";
            return $"{tables.Boxes.Rows} rows are not the cells of the strides {strides}";
        }
        catch (FormatException error)
        {
            return error.Message;
        }
    }

    /// <summary>Reads one image's outputs.</summary>
    public static void Decode(OnnxDetectorLayout layout, IReadOnlyList<OnnxOutput> outputs, DecoderContext context, PredictionSink sink)
    {
        LayoutTables tables = LayoutTables.Find(layout, outputs, context);
        if (tables.Rows == 0) return;
        var boxes = new LayoutBoxes(layout, context, sink.Picture, tables.Boxes.Rows);
        var scores = new LayoutScores(layout, context, tables);
        Span<float> box = stackalloc float[4];
        for (int i = 0; i < tables.Rows; i++)
        {
            // The model is shown one image where its rows number the images.
            if (tables.Images is not null && tables.Images[i] != 0) continue;
            if (!scores.TryRead(i, sink, out ReadOnlySpan<float> probabilities)) continue;
            tables.Boxes.Read(i, box);
            boxes.ToCorners(i, box);
            sink.Add(box[0], box[1], box[2], box[3], probabilities);
        }
    }
}

/// <summary>The cells of the rows of a layout over a grid.</summary>
internal sealed class LayoutGrid
{
    private readonly (int First, int Stride, int Across)[] _levels;

    public LayoutGrid(OnnxDetectorLayout layout, DecoderContext context, int rows)
    {
        var levels = new List<(int, int, int)>();
        int first = 0;
        foreach (int stride in Strides(layout, context, rows)
            ?? throw new FormatException($"With an input of {context.Input}, {rows} rows are no whole grid of the strides."))
        {
            levels.Add((first, stride, GridLevels.Across(context.Input.Width, stride)));
            first += GridLevels.Cells(context.Input, stride);
        }

        _levels = [.. levels];
    }

    /// <summary>The strides of the levels; <see langword="null"/> where none fit the number of rows.</summary>
    public static IReadOnlyList<int>? Strides(OnnxDetectorLayout layout, DecoderContext context, int rows)
        => GridLevels.Find(context.Input, rows, 1, context.Options.Strides ?? layout.Strides);

    /// <summary>The stride and the column and row of a prediction's cell.</summary>
    public (int Stride, int X, int Y) CellOf(int row)
    {
        int level = _levels.Length - 1;
        while (_levels[level].First > row) level--;
        (int first, int stride, int across) = _levels[level];
        return (stride, (row - first) % across, (row - first) / across);
    }
}

/// <summary>Brings boxes of a layout to their corners in pixels of the input.</summary>
internal sealed class LayoutBoxes
{
    private readonly OnnxDetectorLayout _layout;
    private readonly LayoutGrid? _grid;
    private readonly float _offset;
    private readonly (float Factor, float Shift) _x = (1, 0);
    private readonly (float Factor, float Shift) _y = (1, 0);

    /// <param name="picture">The picture's size and where it lies in the input.</param>
    public LayoutBoxes(OnnxDetectorLayout layout, DecoderContext context, (ImageSize Size, InputFrame Frame) picture, int rows)
    {
        _layout = layout;
        _offset = context.Options.CellOffset ?? layout.CellOffset;
        (ImageSize size, InputFrame frame) = picture;
        if (layout.BoxUnit == OnnxBoxUnit.Cells) _grid = new LayoutGrid(layout, context, rows);
        if (layout.BoxUnit == OnnxBoxUnit.Shares) (_x, _y) = ((context.Input.Width, 0), (context.Input.Height, 0));
        if (layout.BoxUnit == OnnxBoxUnit.PicturePixels)
            (_x, _y) = (((float)frame.Width / size.Width, frame.X), ((float)frame.Height / size.Height, frame.Y));
        if (layout.BoxForm == OnnxBoxForm.Distances) _grid ??= new LayoutGrid(layout, context, rows);
    }

    /// <summary>Brings a row's box to x0 y0 x1 y1, in place.</summary>
    public void ToCorners(int row, Span<float> box)
    {
        if (_grid is not null) OfCell(row, box);
        (float a, float b, float c, float d) = (box[0], box[1], box[2], box[3]);
        (float x0, float y0, float x1, float y1) = _layout.BoxForm switch
        {
            OnnxBoxForm.CornersRowsFirst => (b, a, d, c),
            OnnxBoxForm.CentreAndSize => (a - c / 2, b - d / 2, a + c / 2, b + d / 2),
            OnnxBoxForm.CornerAndSize => (a, b, a + c, b + d),
            _ => (a, b, c, d),
        };
        (box[0], box[1]) = (x0 * _x.Factor + _x.Shift, y0 * _y.Factor + _y.Shift);
        (box[2], box[3]) = (x1 * _x.Factor + _x.Shift, y1 * _y.Factor + _y.Shift);
    }

    private void OfCell(int row, Span<float> box)
    {
        (int stride, int column, int line) = _grid!.CellOf(row);
        float x = (column + _offset) * stride, y = (line + _offset) * stride;
        int unit = _layout.BoxUnit == OnnxBoxUnit.Cells ? stride : 1;
        if (_layout.BoxForm == OnnxBoxForm.Distances)
        {
            (box[0], box[1], box[2], box[3]) = (x - box[0] * unit, y - box[1] * unit, x + box[2] * unit, y + box[3] * unit);
            return;
        }

        (box[0], box[1]) = (x + box[0] * unit, y + box[1] * unit);
        for (int side = 2; side < 4; side++) box[side] = (_layout.SizesAreLogarithms ? MathF.Exp(box[side]) : box[side]) * unit;
    }
}

/// <summary>Brings scores of a layout to the probabilities of the classes.</summary>
internal sealed class LayoutScores
{
    private readonly LayoutTables _tables;
    private readonly ScoreActivation _activation;
    private readonly ScoreActivation _objectness;
    private readonly bool _chosen;
    private readonly int _firstLabel;
    private readonly int _firstClass;
    private readonly float[] _row;
    private readonly float[] _probabilities;

    public LayoutScores(OnnxDetectorLayout layout, DecoderContext context, LayoutTables tables)
    {
        _tables = tables;
        ScoreActivation asked = context.Options.Activation;
        _activation = asked == ScoreActivation.Auto ? layout.Activation : asked;
        _objectness = layout.ObjectnessActivation;
        _chosen = layout.Classes is null;
        _firstLabel = context.Options.FirstLabel ?? layout.FirstLabel;
        _firstClass = layout.Background == OnnxBackground.First ? 1 : 0;
        _row = new float[_chosen ? 1 : context.Classes + (layout.Background == OnnxBackground.None ? 0 : 1)];
        _probabilities = new float[context.Classes];
    }

    /// <summary>The probabilities of a row's classes.</summary>
    /// <param name="sink">Takes note of a row of no such class.</param>
    /// <returns>Whether the row is a prediction of a class that has a name.</returns>
    public bool TryRead(int row, PredictionSink sink, out ReadOnlySpan<float> probabilities)
    {
        _tables.Scores.Read(row, _row);
        ClassScores.Activate(_row, _activation);
        if (_chosen)
        {
            Array.Clear(_probabilities);
            float given = _tables.Labels is null ? _firstLabel : MathF.Round(_tables.Labels[row]), label = given - _firstLabel;
            probabilities = _probabilities;
            if (!(label >= 0 && label < _probabilities.Length))
            {
                sink.AddUnnamed(_row[0] * ObjectnessOf(row), given, _firstLabel);
                return false;
            }

            _probabilities[(int)label] = _row[0];
        }
        else
        {
            _row.AsSpan(_firstClass, _probabilities.Length).CopyTo(_probabilities);
        }

        probabilities = _probabilities;
        if (_tables.Objectness is not null) TensorPrimitives.Multiply(_probabilities, ObjectnessOf(row), _probabilities);
        return true;
    }

    private float ObjectnessOf(int row)
    {
        if (_tables.Objectness is null) return 1;
        Span<float> objectness = [_tables.Objectness[row]];
        ClassScores.Activate(objectness, _objectness);
        return objectness[0];
    }
}
