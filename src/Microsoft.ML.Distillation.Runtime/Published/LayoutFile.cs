using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Formats;

namespace Microsoft.ML.Distillation.Published;

// boxes:       { tensor: dets, column: 0, transposed: false, form: corners, unit: pixels, strides: [8, 16], cell-offset: 0.5,
//                logarithmic-sizes: false }
// score:       { tensor: scores, column: 0, activation: none }       a number alone is the column, a text alone the tensor
// label:       { tensor: labels, first: 0 }
// classes:     { tensor: logits, activation: sigmoid, background: last }
// objectness:  { column: 4, activation: sigmoid }
// image:       { column: 0 }
// count:       num_dets
// suppressed:  true
// batch-axis:  true

/// <summary>Reads the layout that a user describes in a YAML file; its form stands at the top of this file.</summary>
internal sealed class LayoutFile
{
    private static readonly (string, OnnxBoxForm)[] Forms =
    [
        ("corners", OnnxBoxForm.Corners), ("corners-rows-first", OnnxBoxForm.CornersRowsFirst),
        ("centre-and-size", OnnxBoxForm.CentreAndSize), ("center-and-size", OnnxBoxForm.CentreAndSize),
        ("corner-and-size", OnnxBoxForm.CornerAndSize), ("distances", OnnxBoxForm.Distances),
    ];

    private static readonly (string, OnnxBoxUnit)[] Units =
    [
        ("pixels", OnnxBoxUnit.Pixels), ("picture-pixels", OnnxBoxUnit.PicturePixels), ("shares", OnnxBoxUnit.Shares),
        ("cells", OnnxBoxUnit.Cells),
    ];

    private static readonly (string, ScoreActivation)[] Activations =
        [("none", ScoreActivation.None), ("sigmoid", ScoreActivation.Sigmoid), ("softmax", ScoreActivation.Softmax)];

    private static readonly (string, OnnxBackground)[] Backgrounds =
        [("none", OnnxBackground.None), ("first", OnnxBackground.First), ("last", OnnxBackground.Last)];

    private static readonly (string, bool)[] Truths = [("true", true), ("false", false), ("yes", true), ("no", false)];

    private readonly string _file;

    private LayoutFile(string file) => _file = file;

    /// <summary>Reads a file.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">It is no layout; the message names file and line.</exception>
    public static OnnxDetectorLayout Read(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no layout '{path}'.", path);
        using TextLines lines = TextLines.Open(path);
        return Read(lines);
    }

    /// <inheritdoc cref="Read(string)"/>
    public static OnnxDetectorLayout Read(TextLines lines)
    {
        YamlNode root = YamlReader.Read(lines);
        OnnxDetectorLayout layout = new LayoutFile(lines.File).Layout(root);
        return layout.Problem is { } problem ? throw AnnotationError.At(lines.File, root.Line, problem) : layout;
    }

    private OnnxDetectorLayout Layout(YamlNode root)
    {
        Dictionary<string, YamlNode> members = Members(root, "the layout",
            ["boxes", "score", "label", "classes", "objectness", "image", "count", "suppressed", "batch-axis"]);
        var layout = new OnnxDetectorLayout { IsSuppressed = members.TryGetValue("suppressed", out YamlNode? yes) && Of(yes, Truths) };
        if (members.TryGetValue("batch-axis", out YamlNode? batch)) layout = layout with { HasBatchAxis = Of(batch, Truths) };
        if (members.TryGetValue("count", out YamlNode? count)) layout = layout with { Count = Name(count) };
        if (members.TryGetValue("boxes", out YamlNode? boxes)) layout = Boxes(layout, boxes);
        if (members.TryGetValue("score", out YamlNode? score))
        {
            (OnnxColumns place, Dictionary<string, YamlNode> rest) = Columns(score, "score", "activation");
            layout = layout with { Score = place, Activation = Activation(rest) };
        }

        if (members.TryGetValue("label", out YamlNode? label))
        {
            (OnnxColumns place, Dictionary<string, YamlNode> rest) = Columns(label, "label", "first");
            layout = layout with { Label = place, FirstLabel = rest.TryGetValue("first", out YamlNode? first) ? Integer(first) : 0 };
        }

        if (members.TryGetValue("classes", out YamlNode? classes))
        {
            (OnnxColumns place, Dictionary<string, YamlNode> rest) = Columns(classes, "classes", "activation", "background");
            layout = layout with { Classes = place, Activation = Activation(rest) };
            if (rest.TryGetValue("background", out YamlNode? background)) layout = layout with { Background = Of(background, Backgrounds) };
        }

        if (members.TryGetValue("objectness", out YamlNode? objectness))
        {
            (OnnxColumns place, Dictionary<string, YamlNode> rest) = Columns(objectness, "objectness", "activation");
            layout = layout with { Objectness = place, ObjectnessActivation = Activation(rest) };
        }

        return members.TryGetValue("image", out YamlNode? image) ? layout with { Image = Columns(image, "image").Place } : layout;
    }

    private OnnxDetectorLayout Boxes(OnnxDetectorLayout layout, YamlNode node)
    {
        (OnnxColumns place, Dictionary<string, YamlNode> rest) = Columns(
            node, "boxes", "form", "unit", "strides", "cell-offset", "logarithmic-sizes");
        layout = layout with { Boxes = place };
        if (rest.TryGetValue("form", out YamlNode? form)) layout = layout with { BoxForm = Of(form, Forms) };
        if (rest.TryGetValue("unit", out YamlNode? unit)) layout = layout with { BoxUnit = Of(unit, Units) };
        if (rest.TryGetValue("strides", out YamlNode? strides))
            layout = layout with { Strides = [.. (strides.Items ?? [strides]).Select(Integer)] };
        if (rest.TryGetValue("cell-offset", out YamlNode? offset)) layout = layout with { CellOffset = Number(offset) };
        if (rest.TryGetValue("logarithmic-sizes", out YamlNode? logarithms))
            layout = layout with { SizesAreLogarithms = Of(logarithms, Truths) };
        return layout;
    }

    /// <summary>A place in the outputs, and the members that say more.</summary>
    private (OnnxColumns Place, Dictionary<string, YamlNode> More) Columns(YamlNode node, string what, params string[] further)
    {
        if (node.Text is { } text)
        {
            if (node.IsNothing) throw Error(node, $"'{what}' is empty; a column, an output's name or members are expected");
            return (NumberText.TryParse(text, out int column) ? new OnnxColumns(column) : new OnnxColumns(text), []);
        }

        Dictionary<string, YamlNode> members = Members(node, $"'{what}'", ["tensor", "column", "transposed", .. further]);
        var place = new OnnxColumns();
        if (members.TryGetValue("tensor", out YamlNode? tensor))
            place = place with { Tensors = [.. (tensor.Items ?? [tensor]).Select(Name)] };
        if (members.TryGetValue("column", out YamlNode? first)) place = place with { Column = Integer(first) };
        if (members.TryGetValue("transposed", out YamlNode? turned)) place = place with { Transposed = Of(turned, Truths) };
        return (place, members);
    }

    private Dictionary<string, YamlNode> Members(YamlNode node, string what, string[] known)
    {
        var members = new Dictionary<string, YamlNode>(StringComparer.Ordinal);
        foreach ((string key, YamlNode value) in node.Members ?? throw Error(node, $"{what} is expected as members 'key: value'"))
        {
            if (!known.Contains(key))
            {
                throw AnnotationError.At(_file, value.KeyLine,
                    $"{what} has no member {AnnotationError.Quote(key)}; {Nearest(key, known)}");
            }

            if (!members.TryAdd(key, value)) throw AnnotationError.At(_file, value.KeyLine, $"the member '{key}' is there twice");
        }

        return members;
    }

    private ScoreActivation Activation(Dictionary<string, YamlNode> members)
        => members.TryGetValue("activation", out YamlNode? node) ? Of(node, Activations) : ScoreActivation.None;

    private T Of<T>(YamlNode node, (string Name, T Value)[] choices)
    {
        foreach ((string name, T value) in choices)
        {
            if (name.Equals(node.Text, StringComparison.OrdinalIgnoreCase)) return value;
        }

        string given = node.Text is { } text ? AnnotationError.Quote(text) : "a list or a map";
        throw Error(node, $"{given} is none of {string.Join(", ", choices.Select(choice => choice.Name))}");
    }

    private string Name(YamlNode node)
        => node.Text is { Length: > 0 } text ? text : throw Error(node, "the name of an output is expected");

    private int Integer(YamlNode node) => NumberText.TryParse(node.Text, out int number) ? number
        : throw Error(node, $"{AnnotationError.Quote(node.Text ?? "a list or a map")} is no whole number");

    private float Number(YamlNode node) => NumberText.TryParse(node.Text, out double number) ? (float)number
        : throw Error(node, $"{AnnotationError.Quote(node.Text ?? "a list or a map")} is no number");

    private static string Nearest(string key, string[] known)
        => $"is '{NearestNames.Of(key, known, 1)[0]}' meant? Known are {string.Join(", ", known)}";

    private FormatException Error(YamlNode at, string problem) => AnnotationError.At(_file, at.Line, problem);
}
