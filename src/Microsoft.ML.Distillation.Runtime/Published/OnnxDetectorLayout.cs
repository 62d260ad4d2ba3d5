using System.Globalization;
using System.Text;
using Microsoft.ML.Distillation.Published;

namespace Microsoft.ML.Distillation;

/// <summary>
/// Where in a detector's outputs its boxes, scores and classes stand, in the user's own words: for models of no known
/// <see cref="OnnxDetectorFormat"/>. It goes into <see cref="OnnxDetectorOptions.Layout"/>.
/// </summary>
/// <remarks>
/// <para>A prediction has a box and either a score and a label (detectors that have chosen one class) or a score of every class. An output
/// is read as a table, a prediction in each row: [N, K] as it is, [N] as one column, [h, w, K] cell by cell;
/// <see cref="OnnxColumns.Transposed"/> reads [K, N] and [K, h, w]. The batch's axis does not count.</para>
/// <para><see cref="OnnxDetectorOptions.Activation"/>, <see cref="OnnxDetectorOptions.FirstLabel"/>,
/// <see cref="OnnxDetectorOptions.Strides"/> and <see cref="OnnxDetectorOptions.CellOffset"/> go before what stands here.</para>
/// </remarks>
/// <example>
/// Rows of image, box in pixels, score and class; and DETR's two outputs:
/// <code>
/// new OnnxDetectorLayout { Image = new(0), Boxes = new(1), Score = new(5), Label = new(6), IsSuppressed = true }
/// new OnnxDetectorLayout
/// {
///     Boxes = new("pred_boxes"), BoxForm = OnnxBoxForm.CentreAndSize, BoxUnit = OnnxBoxUnit.Shares,
///     Classes = new("logits"), Activation = ScoreActivation.Softmax, Background = OnnxBackground.Last,
/// }
/// </code>
/// </example>
public sealed record OnnxDetectorLayout
{
    /// <summary>Where the four numbers of each box stand. By default in the first columns of the output that has boxes.</summary>
    public OnnxColumns Boxes { get; init; } = new();

    /// <summary>What the four numbers of a box are.</summary>
    public OnnxBoxForm BoxForm { get; init; }

    /// <summary>What they are counted in.</summary>
    public OnnxBoxUnit BoxUnit { get; init; }

    /// <summary>
    /// Of <see cref="OnnxBoxUnit.Cells"/>: the strides of the levels, in the order of the rows. <see langword="null"/>: found from the
    /// number of rows.
    /// </summary>
    public IReadOnlyList<int>? Strides { get; init; }

    /// <summary>Of <see cref="OnnxBoxUnit.Cells"/>: where in its cell a prediction stands, in cells; 0 is the upper left corner.</summary>
    public float CellOffset { get; init; }

    /// <summary>Of <see cref="OnnxBoxUnit.Cells"/>: whether width and height are logarithms, as YOLOX has them.</summary>
    public bool SizesAreLogarithms { get; init; }

    /// <summary>Where each prediction's score stands, with <see cref="Label"/>; without one there is a single class.</summary>
    public OnnxColumns? Score { get; init; }

    /// <summary>Where each prediction's class stands, as a number.</summary>
    public OnnxColumns? Label { get; init; }

    /// <summary>The label of the first of the class names. Labels that the names do not reach are not read.</summary>
    public int FirstLabel { get; init; }

    /// <summary>Where the scores of all classes stand: C columns, and one more with a <see cref="Background"/>.</summary>
    public OnnxColumns? Classes { get; init; }

    /// <summary>What turns <see cref="Classes"/> or <see cref="Score"/> into probabilities; <see cref="ScoreActivation.Auto"/> is none
    /// here.</summary>
    public ScoreActivation Activation { get; init; }

    /// <summary>Whether a column of <see cref="Classes"/> is no class: background, "no object", or a slot that is not used.</summary>
    public OnnxBackground Background { get; init; }

    /// <summary>Where each prediction's objectness stands, by which its scores are multiplied.</summary>
    public OnnxColumns? Objectness { get; init; }

    /// <summary>What turns <see cref="Objectness"/> into a probability: nothing or a sigmoid.</summary>
    public ScoreActivation ObjectnessActivation { get; init; }

    /// <summary>Where the number of the image in its batch stands. Such outputs have no batch's axis.</summary>
    public OnnxColumns? Image { get; init; }

    /// <summary>The output that says how many of the rows are predictions. <see langword="null"/>: all are.</summary>
    public string? Count { get; init; }

    /// <summary>Whether the model has dropped what it found twice, so that nothing is suppressed any more.</summary>
    public bool IsSuppressed { get; init; }

    /// <summary>
    /// Whether the outputs have a batch's axis. <see langword="null"/>: they have, where the input has one and <see cref="Image"/> is left
    /// out.
    /// </summary>
    public bool? HasBatchAxis { get; init; }

    /// <summary>Reads a layout from a YAML file.</summary>
    /// <remarks>
    /// <para>All members, of which most may be left out:</para>
    /// <code>
    /// boxes:        # four columns
    ///   tensor: boxes         # an output's name, or a list of several; without it the output that fits
    ///   column: 0             # the first column
    ///   transposed: false     # true: [K, N] or [K, h, w]
    ///   form: corners         # corners-rows-first, centre-and-size, corner-and-size, distances
    ///   unit: pixels          # picture-pixels, shares, cells
    ///   strides: [8, 16, 32]  # of cells, as the two that follow
    ///   cell-offset: 0.5
    ///   logarithmic-sizes: false
    /// score:        # of the chosen class, with label; tensor, column, transposed and
    ///   activation: none      # sigmoid
    /// label:        # tensor, column, transposed and
    ///   first: 0              # the label of the first class
    /// classes:      # instead of score and label: tensor, column, transposed and
    ///   activation: none      # sigmoid, softmax
    ///   background: none      # first, last
    /// objectness:   # tensor, column, transposed and activation
    /// image: 0      # the number of the image in the batch
    /// count: n      # the output that says how many rows there are
    /// suppressed: true
    /// batch-axis: true
    /// </code>
    /// <para>A place that is a number alone is a column (<c>score: 4</c>), one that is a text alone an output
    /// (<c>label: labels</c>).</para>
    /// </remarks>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">It is no layout; the message names file, line, and what may have been meant.</exception>
    public static OnnxDetectorLayout Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return LayoutFile.Read(path);
    }

    /// <summary>Whether outputs have a batch's axis, as far as this says it.</summary>
    internal bool? OutputsBatched => HasBatchAxis ?? (Image is null ? null : false);

    /// <summary>What is wrong with it; <see langword="null"/>: nothing.</summary>
    internal string? Problem
    {
        get
        {
            if (Classes is null && Score is null) return $"it has neither {nameof(Classes)} nor a {nameof(Score)}";
            if (Classes is not null && Score is not null) return $"it has {nameof(Classes)} and a {nameof(Score)}; one of them is expected";
            if (Classes is not null && Label is not null) return $"{nameof(Label)} goes with a {nameof(Score)}, not with {nameof(Classes)}";
            if (Background != OnnxBackground.None && Classes is null) return $"{nameof(Background)} goes with {nameof(Classes)}";
            if (Activation == ScoreActivation.Softmax && Classes is null) return $"a softmax goes with {nameof(Classes)}";
            if (ObjectnessActivation == ScoreActivation.Softmax) return "a softmax of one objectness is always 1";
            bool cells = BoxUnit == OnnxBoxUnit.Cells;
            if (BoxForm == OnnxBoxForm.Distances && !cells && BoxUnit != OnnxBoxUnit.Pixels)
                return $"{OnnxBoxForm.Distances} are counted in {OnnxBoxUnit.Cells} or {OnnxBoxUnit.Pixels}";
            if (cells && BoxForm is not (OnnxBoxForm.Distances or OnnxBoxForm.CentreAndSize))
                return $"{OnnxBoxUnit.Cells} go with {OnnxBoxForm.CentreAndSize} and {OnnxBoxForm.Distances}";
            if (SizesAreLogarithms && !(cells && BoxForm == OnnxBoxForm.CentreAndSize))
                return $"{nameof(SizesAreLogarithms)} goes with {OnnxBoxForm.CentreAndSize} in {OnnxBoxUnit.Cells}";
            if (Strides is { } strides && (strides.Count == 0 || strides.Any(stride => stride <= 0)))
                return $"{nameof(Strides)} are numbers above 0";
            return All.Any(columns => columns.Column < 0) ? "a column is below 0" : null;
        }
    }

    /// <summary>Everything in it, equal where the answers are.</summary>
    internal string Key
    {
        get
        {
            string strides = Strides is null ? "" : string.Join(',', Strides);
            string places = string.Join(';', ((OnnxColumns?[])[Boxes, Score, Label, Classes, Objectness, Image])
                .Select(columns => columns?.Key ?? ""));
            return string.Create(CultureInfo.InvariantCulture, $"{places}|{BoxForm}|{BoxUnit}|{strides}|{CellOffset}|{SizesAreLogarithms}|")
                + string.Create(CultureInfo.InvariantCulture, $"{FirstLabel}|{Activation}|{Background}|{ObjectnessActivation}|{Count}|")
                + $"{IsSuppressed}|{HasBatchAxis}";
        }
    }

    // A record writes the type of a list in the place of its values.
    private bool PrintMembers(StringBuilder text)
    {
        string strides = Strides is null ? "" : $"[{string.Join(", ", Strides)}]";
        text.Append(CultureInfo.InvariantCulture,
            $"Boxes = {Boxes}, BoxForm = {BoxForm}, BoxUnit = {BoxUnit}, Strides = {strides}, CellOffset = {CellOffset}, ");
        text.Append(CultureInfo.InvariantCulture, $"SizesAreLogarithms = {SizesAreLogarithms}, Score = {Score}, Label = {Label}, ");
        text.Append(CultureInfo.InvariantCulture, $"FirstLabel = {FirstLabel}, Classes = {Classes}, Activation = {Activation}, ");
        text.Append(CultureInfo.InvariantCulture, $"Background = {Background}, Objectness = {Objectness}, ");
        text.Append(CultureInfo.InvariantCulture, $"ObjectnessActivation = {ObjectnessActivation}, Image = {Image}, Count = {Count}, ");
        text.Append(CultureInfo.InvariantCulture, $"IsSuppressed = {IsSuppressed}, HasBatchAxis = {HasBatchAxis}");
        return true;
    }

    private IEnumerable<OnnxColumns> All
        => ((OnnxColumns?[])[Boxes, Score, Label, Classes, Objectness, Image]).OfType<OnnxColumns>();
}

/// <summary>Columns of an output.</summary>
public sealed record OnnxColumns
{
    /// <summary>Columns of the output that is found by its shape.</summary>
    /// <param name="column">The first column, from 0 on.</param>
    public OnnxColumns(int column = 0) => Column = column;

    /// <summary>Columns of an output.</summary>
    /// <param name="tensor">The output's name in the graph.</param>
    /// <param name="column">The first column, from 0 on.</param>
    public OnnxColumns(string tensor, int column = 0) => (Tensors, Column) = ([tensor], column);

    /// <summary>
    /// The output's name in the graph, or those of several whose rows follow one another, as the levels of a pyramid. Empty: the one
    /// output, or the one whose shape fits.
    /// </summary>
    public IReadOnlyList<string> Tensors { get; init; } = [];

    /// <summary>The first column, from 0 on.</summary>
    public int Column { get; init; }

    /// <summary>Whether each column is a row of the output: [K, N] or [K, h, w].</summary>
    public bool Transposed { get; init; }

    private bool PrintMembers(StringBuilder text)
    {
        text.Append(CultureInfo.InvariantCulture,
            $"Tensors = [{string.Join(", ", Tensors)}], Column = {Column}, Transposed = {Transposed}");
        return true;
    }

    /// <summary>Everything in it.</summary>
    internal string Key
        => string.Create(CultureInfo.InvariantCulture, $"{string.Join('\n', Tensors)}:{Column}:{Transposed}");
}

/// <summary>What the four numbers of a box are.</summary>
public enum OnnxBoxForm
{
    /// <summary>x0 y0 x1 y1: left, top, right, bottom.</summary>
    Corners,

    /// <summary>y0 x0 y1 x1: top, left, bottom, right, as TensorFlow has them.</summary>
    CornersRowsFirst,

    /// <summary>The centre's x and y, width, height.</summary>
    CentreAndSize,

    /// <summary>Left, top, width, height.</summary>
    CornerAndSize,

    /// <summary>The distances from the cell's location to the left, top, right and bottom, as FCOS has them.</summary>
    Distances,
}

/// <summary>What boxes are counted in.</summary>
public enum OnnxBoxUnit
{
    /// <summary>Pixels of the model's input.</summary>
    Pixels,

    /// <summary>
    /// Pixels of the picture as it was before it was brought to the input's size; inputs beside the image are told that size.
    /// </summary>
    PicturePixels,

    /// <summary>Shares of the input's width and height.</summary>
    Shares,

    /// <summary>Strides of a grid, from the prediction's own cell. The rows are the cells of all levels, each level row by row.</summary>
    Cells,
}

/// <summary>Which of the class columns is no class.</summary>
public enum OnnxBackground
{
    /// <summary>None of them.</summary>
    None,

    /// <summary>The first.</summary>
    First,

    /// <summary>The last.</summary>
    Last,
}
