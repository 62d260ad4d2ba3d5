using Microsoft.ML.Distillation.Detectors.Graphs;

namespace Microsoft.ML.Distillation.Tests.Detectors.Graphs;

/// <summary>An operator with some of its attributes, in the lowest and the highest version that has them.</summary>
/// <param name="Build">Adds it to a graph behind the image 'x' [2,3,6,8]; gives the outcome's name.</param>
internal sealed record OperatorCase(string Name, int Lowest, int Highest, Func<TestGraph, string> Build)
{
    /// <summary>Whether the outcome changes with the image smoothly, so that differences tell gradients.</summary>
    public bool IsSmooth { get; init; } = true;

    public override string ToString() => Name;
}

/// <summary>The operators that a network may be made of, with the combinations of their attributes.</summary>
internal static class OperatorCases
{
    private const string X = "x", Y = "y";

    public static IEnumerable<OperatorCase> All =>
    [
        .. Convolutions, .. Transposed, .. Products, .. Normalisations, .. Activations, .. Arithmetic, .. Reductions, .. Shapes,
        .. Selections, .. Pools, .. Resizes,
    ];

    private static IEnumerable<OperatorCase> Convolutions =>
    [
        Conv("plain", [4, 3, 3, 3]),
        Conv("padding of half", [4, 3, 3, 3], ("pads", L(1, 1, 1, 1))),
        Conv("strides", [4, 3, 3, 3], ("pads", L(1, 1, 1, 1)), ("strides", L(2, 2))),
        Conv("uneven padding", [4, 3, 3, 3], ("pads", L(0, 1, 2, 0)), ("strides", L(2, 1))),
        Conv("dilation", [4, 3, 3, 3], ("pads", L(2, 2, 2, 2)), ("dilations", L(2, 2))),
        Conv("uneven dilation", [4, 3, 3, 3], ("dilations", L(1, 2))),
        Conv("groups", [6, 1, 3, 3], ("group", 3L), ("pads", L(1, 1, 1, 1))),
        Conv("rectangle", [4, 3, 1, 5], ("pads", L(0, 2, 0, 2))),
        Conv("point", [4, 3, 1, 1]),
        Conv("point with padding", [4, 3, 1, 1], ("pads", L(1, 1, 1, 1)), ("strides", L(2, 2))),
        Conv("point with strides", [4, 3, 1, 1], ("strides", L(2, 2))),
        Conv("even kernel", [4, 3, 2, 2], ("pads", L(1, 1, 1, 1))),
        Conv("SAME_UPPER", [4, 3, 3, 3], ("auto_pad", "SAME_UPPER"), ("strides", L(2, 2))),
        Conv("SAME_LOWER", [4, 3, 3, 3], ("auto_pad", "SAME_LOWER"), ("strides", L(2, 2))),
        Conv("SAME_UPPER, even", [4, 3, 4, 2], ("auto_pad", "SAME_UPPER")),
        Conv("VALID", [4, 3, 3, 3], ("auto_pad", "VALID"), ("strides", L(2, 2))),
        new("Conv without bias", 7, 21, g => g.Node("Conv", Y, [X, g.Weights("w", -1, 1, 4, 3, 3, 3)])),
    ];

    private static IEnumerable<OperatorCase> Transposed =>
    [
        Transpose("plain", [3, 4, 3, 3]),
        Transpose("strides", [3, 4, 2, 2], ("strides", L(2, 2))),
        Transpose("padding", [3, 4, 3, 3], ("strides", L(2, 2)), ("pads", L(1, 1, 1, 1))),
        Transpose("uneven padding", [3, 4, 3, 3], ("strides", L(2, 2)), ("pads", L(0, 1, 1, 0))),
        Transpose("output_padding", [3, 4, 3, 3], ("strides", L(2, 2)), ("pads", L(1, 1, 1, 1)), ("output_padding", L(1, 1))),
        Transpose("output_shape", [3, 4, 3, 3], ("strides", L(2, 2)), ("output_shape", L(12, 16))),
        Transpose("output_shape beyond", [3, 4, 3, 3], ("strides", L(3, 3)), ("output_shape", L(19, 25))),
        Transpose("output_shape, SAME_UPPER", [3, 4, 3, 3], ("strides", L(2, 2)), ("output_shape", L(12, 16)), ("auto_pad", "SAME_UPPER")),
        Transpose("SAME_UPPER", [3, 4, 3, 3], ("strides", L(2, 2)), ("auto_pad", "SAME_UPPER")),
        Transpose("SAME_LOWER", [3, 4, 3, 3], ("strides", L(2, 2)), ("auto_pad", "SAME_LOWER")),
        Transpose("VALID", [3, 4, 3, 3], ("strides", L(2, 2)), ("auto_pad", "VALID")),
        Transpose("dilation", [3, 4, 3, 3], ("dilations", L(2, 2))),
        Transpose("groups", [3, 2, 3, 3], ("group", 3L)),
    ];

    private static IEnumerable<OperatorCase> Products =>
    [
        Of("Gemm", g => g.Node("Gemm", Y, [Flat(g), g.Weights("b", -1, 1, 8, 5), g.Weights("c", -1, 1, 5)])),
        Of("Gemm transB", g => g.Node("Gemm", Y, [Flat(g), g.Weights("b", -1, 1, 5, 8), g.Weights("c", -1, 1, 1, 5)], ("transB", 1L))),
        Of("Gemm transA, alpha, beta", g => g.Node("Gemm", Y, [Flat(g), g.Weights("b", -1, 1, 36, 5), g.Weights("c", -1, 1, 8, 1)],
            ("transA", 1L), ("alpha", 0.5f), ("beta", 2f))),
        From(11, "Gemm without C", g => g.Node("Gemm", Y, [Flat(g), g.Weights("b", -1, 1, 8, 5)])),
        Of("MatMul 4-D by 2-D", g => g.Node("MatMul", Y, [X, g.Weights("b", -1, 1, 8, 5)])),
        Of("MatMul 4-D by 4-D", g => g.Node("MatMul", Y, [X, g.Node("Transpose", "t", [X], ("perm", L(0, 1, 3, 2)))])),
        Of("MatMul 3-D by 4-D", g => g.Node("MatMul", Y, [g.Weights("a", -1, 1, 3, 2, 6), X])),
        Of("MatMul by a vector", g => g.Node("MatMul", Y, [X, g.Weights("b", -1, 1, 8)])),
    ];

    private static IEnumerable<OperatorCase> Normalisations =>
    [
        Of("BatchNormalization", g => g.Norm(X, 3, Y)),
        Of("BatchNormalization of defaults", g => g.Node("BatchNormalization", Y,
            [X, g.Weights("s", 0, 1, 3), g.Weights("b", 0, 1, 3), g.Weights("m", 0, 1, 3), g.Weights("v", 1, 2, 3)])),
        Of("InstanceNormalization", g => g.Node("InstanceNormalization", Y, [X, g.Weights("s", 0, 1, 3), g.Weights("b", 0, 1, 3)],
            ("epsilon", 1e-3f))),
        From(17, "LayerNormalization", g => g.Node("LayerNormalization", Y, [X, g.Weights("s", 0, 1, 8), g.Weights("b", 0, 1, 8)])),
        From(17, "LayerNormalization of two axes", g => g.Node("LayerNormalization", Y, [X, g.Weights("s", 0, 1, 6, 8)], ("axis", 2L))),
        new("GroupNormalization of groups", 18, 20, g => g.Node("GroupNormalization", Y,
            [Six(g), g.Weights("s", 0, 1, 2), g.Weights("b", 0, 1, 2)], ("num_groups", 2L))),
        new("GroupNormalization of channels", 21, 21, g => g.Node("GroupNormalization", Y,
            [Six(g), g.Weights("s", 0, 1, 6), g.Weights("b", 0, 1, 6)], ("num_groups", 2L))),
        Of("LRN", g => g.Node("LRN", Y, [Six(g)], ("size", 3L), ("alpha", 0.3f), ("beta", 0.6f), ("bias", 1.5f))),
    ];

    private static IEnumerable<OperatorCase> Activations =>
    [
        .. new[] { "Relu", "Sigmoid", "Tanh", "Softplus", "Identity", "Elu", "LeakyRelu", "HardSigmoid" }.Select(op => One(op, 7)),
        .. new[] { "Selu", "Softsign", "LogSoftmax" }.Select(op => One(op, 7)),
        From(12, "Celu", g => g.Node("Celu", Y, [X], ("alpha", 0.7f))),
        Of("Selu of constants", g => g.Node("Selu", Y, [X], ("alpha", 1.2f), ("gamma", 0.8f))),
        One("Erf", 9), One("HardSwish", 14), One("Mish", 18), One("Gelu", 20), One("Softmax", 13),
        From(20, "Gelu tanh", g => g.Node("Gelu", Y, [X], ("approximate", "tanh"))),
        Of("LeakyRelu of a slope", g => g.Node("LeakyRelu", Y, [X], ("alpha", 0.3f))),
        Of("Elu of a scale", g => g.Node("Elu", Y, [X], ("alpha", 0.5f))),
        Of("HardSigmoid of a slope", g => g.Node("HardSigmoid", Y, [X], ("alpha", 0.3f), ("beta", 0.4f))),
        Of("PRelu", g => g.Node("PRelu", Y, [X, g.Weights("slope", 0, 1, 3, 1, 1)])),
        Of("PRelu of one slope", g => g.Node("PRelu", Y, [X, g.Weights("slope", 0, 1, 1)])),
        new("Clip of attributes", 7, 10, g => g.Node("Clip", Y, [X], ("min", -0.4f), ("max", 0.6f))),
        new("Clip of one attribute", 7, 10, g => g.Node("Clip", Y, [X], ("min", -0.4f))),
        From(11, "Clip", g => g.Node("Clip", Y, [X, Number(g, -0.4f), Number(g, 0.6f)])),
        From(11, "Clip from above", g => g.Node("Clip", Y, [X, "", Number(g, 0.6f)])),
        From(11, "Clip of nothing", g => g.Node("Clip", Y, [X])),
        Of("Softmax, axis 1", g => g.Node("Softmax", Y, [X], ("axis", 1L))),
        Of("Softmax, axis 2", g => g.Node("Softmax", Y, [X], ("axis", 2L))),
        Of("Softmax, last axis", g => g.Node("Softmax", Y, [X], ("axis", g.Opset < 11 ? 3L : -1))),
        new("Softmax of the default axis", 7, 12, g => g.Node("Softmax", Y, [X])),
        Of("Dropout", g => g.Opset < 12 ? g.Node("Dropout", Y, [X], ("ratio", 0.3f)) : g.Node("Dropout", Y, [X, Number(g, 0.3f)])),
        Of("Swish", g => g.Node("Mul", Y, [X, g.Node("Sigmoid", "s", [X])])),
    ];

    private static IEnumerable<OperatorCase> Arithmetic =>
    [
        .. new[] { "Add", "Sub", "Mul", "Div" }
            .Select(op => Of($"{op} per channel", g => g.Node(op, Y, [X, g.Weights("w", 0.5f, 1, 3, 1, 1)]))),
        .. new[] { "Add", "Sub", "Mul", "Div" }
            .Select(op => Of($"{op} from a number", g => g.Node(op, Y, [g.Weights("w", 0.5f, 1), Positive(g)]))),
        .. new[] { "Sqrt", "Exp", "Neg", "Abs", "Reciprocal", "Log", "Sin", "Cos" }.Select(op => Of(op, g => g.Node(op, Y, [Positive(g)]))),
        .. new[] { "Floor", "Ceil" }.Select(op => Of(op, g => g.Node(op, Y, [X])) with { IsSmooth = false }),
        From(9, "Sign", g => g.Node("Sign", Y, [X])) with { IsSmooth = false },
        From(11, "Round", g => g.Node("Round", Y, [X])) with { IsSmooth = false },
        Of("Pow", g => g.Node("Pow", Y, [Positive(g), Number(g, 1.7f)])),
        Of("Pow of an integer", g => g.Node("Pow", Y, [X, Number(g, 2)])),
        .. new[] { "Min", "Max", "Sum", "Mean" }.Select(op => From(8, $"{op} of three",
            g => g.Node(op, Y, [X, g.Weights("w", -1, 1, 3, 1, 1), g.Weights("v", -1, 1, 8)]))),
        .. new[] { "Min", "Max", "Sum", "Mean" }.Select(op => From(8, $"{op} of one", g => g.Node(op, Y, [X]))),
        From(9, "Where, Greater", g => g.Node("Where", Y, [g.Node("Greater", "c", [X, Number(g, 0.1f)]), X, g.Weights("w", -1, 1, 8)])),
        From(9, "Where, Not Less", g => g.Node("Where", Y,
            [g.Node("Not", "n", [g.Node("Less", "c", [X, Number(g, 0.1f)])]), X, g.Weights("w", -1, 1, 8)])),
        From(12, "LessOrEqual, GreaterOrEqual, And, Or", g => g.Node("Where", Y,
        [
            g.Node("Or", "o", [g.Node("And", "a", [g.Node("LessOrEqual", "l", [X, Number(g, 0.3f)]),
                g.Node("GreaterOrEqual", "g", [X, Number(g, -0.3f)])]), g.Node("Greater", "h", [X, Number(g, 0.7f)])]), X,
            g.Weights("w", -1, 1, 8),
        ])),
        From(11, "Equal", g => g.Node("Where", Y, [g.Node("Equal", "c", [g.Node("Relu", "r", [X]), Number(g, 0)]), X, Number(g, 3)])),
    ];

    private static IEnumerable<OperatorCase> Reductions =>
    [
        .. new[] { "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare" }
            .SelectMany(op => (OperatorCase[])
            [
                Of($"{op} of space", g => Reduce(g, op, [2, 3], ("keepdims", 1L))),
                Of($"{op} of channels, left out", g => Reduce(g, op, [1], ("keepdims", 0L))),
                Of($"{op} of all", g => g.Node(op, Y, [X], ("keepdims", 1L))),
            ]),
        From(11, "ReduceMean of the last axes", g => Reduce(g, "ReduceMean", [-1, -2])),
        From(18, "ReduceMean of no axes", g => g.Node("ReduceMean", Y, [X], ("noop_with_empty_axes", 1L))),
        Of("GlobalAveragePool", g => g.Node("GlobalAveragePool", Y, [X])),
        Of("GlobalMaxPool", g => g.Node("GlobalMaxPool", Y, [X])),
    ];

    private static IEnumerable<OperatorCase> Shapes =>
    [
        Of("Reshape", g => g.Node("Reshape", Y, [X, g.Integers("s", 2, 3, 48)])),
        Of("Reshape with 0 and -1", g => g.Node("Reshape", Y, [X, g.Integers("s", 0, -1, 4)])),
        From(14, "Reshape allowzero", g => g.Node("Reshape", Y, [X, g.Integers("s", 6, -1)], ("allowzero", 1L))),
        Of("Flatten", g => g.Node("Flatten", Y, [X])),
        Of("Flatten at 2", g => g.Node("Flatten", Y, [X], ("axis", 2L))),
        Of("Flatten at 0", g => g.Node("Flatten", Y, [X], ("axis", 0L))),
        From(11, "Flatten from behind", g => g.Node("Flatten", Y, [X], ("axis", -1L))),
        Of("Transpose", g => g.Node("Transpose", Y, [X], ("perm", L(0, 2, 3, 1)))),
        Of("Transpose of all", g => g.Node("Transpose", Y, [X])),
        Of("Squeeze", g => Axes(g, "Squeeze", [2, 3], g.Node("GlobalAveragePool", "p", [X]))),
        Of("Squeeze of all", g => g.Node("Squeeze", Y, [g.Node("GlobalAveragePool", "p", [X])])),
        Of("Unsqueeze", g => Axes(g, "Unsqueeze", [0, 3], X)),
        From(11, "Unsqueeze from behind", g => Axes(g, "Unsqueeze", [-1], X)),
        From(8, "Expand", g => g.Node("Expand", Y, [g.Node("GlobalAveragePool", "p", [X]), g.Integers("s", 3, 4, 1)])),
        Of("Tile", g => g.Node("Tile", Y, [X, g.Integers("r", 1, 2, 1, 3)])),
        Of("DepthToSpace", g => g.Node("DepthToSpace", Y, [Twelve(g)], ("blocksize", 2L))),
        From(11, "DepthToSpace CRD", g => g.Node("DepthToSpace", Y, [Twelve(g)], ("blocksize", 2L), ("mode", "CRD"))),
        Of("SpaceToDepth", g => g.Node("SpaceToDepth", Y, [X], ("blocksize", 2L))),
        Of("Shape, Gather, Concat, Reshape", g => g.Node("Reshape", Y,
        [
            X, g.Node("Concat", "s",
            [
                Axes(g, "Unsqueeze", [0], g.Node("Gather", "n", [g.Node("Shape", "shape", [X]), g.Integer("i", 0)], ("axis", 0L)), "u"),
                g.Integers("rest", -1),
            ], ("axis", 0L)),
        ])),
        From(15, "Shape of some axes", g => g.Node("Reshape", Y,
            [X, g.Node("Concat", "s", [g.Node("Shape", "h", [X], ("start", -2L), ("end", -1L)), g.Integers("rest", -1)], ("axis", 0L))])),
        Of("Size", g => Axes(g, "Unsqueeze", [0], g.Node("Mul", "m",
            [g.Node("ReduceMean", "a", [X], ("keepdims", 0L)), g.Node("Cast", "f", [g.Node("Size", "n", [X])], ("to", 1L))]))),
        From(9, "ConstantOfShape", g => g.Node("Add", Y, [X, g.Node("ConstantOfShape", "c", [g.Node("Shape", "s", [X])])])),
        From(9, "ConstantOfShape of a value", g => g.Node("Add", Y,
            [X, g.Node("ConstantOfShape", "c", [g.Integers("s", 6, 8)], ("value", GraphTensors.Floats("", [2.5f], 1)))])),
        From(11, "Range", g => g.Node("Add", Y, [X, g.Node("Cast", "f",
            [g.Node("Range", "r",
                [g.Integer("a", 0), g.Node("Gather", "w", [g.Node("Shape", "s", [X]), g.Integer("i", 3)]), g.Integer("d", 1)])],
            ("to", 1L))])),
        Of("Cast", g => g.Node("Cast", Y, [g.Node("Cast", "i", [g.Node("Mul", "m", [X, Number(g, 10)])], ("to", 7L))], ("to", 1L)))
            with { IsSmooth = false },
    ];

    private static IEnumerable<OperatorCase> Selections =>
    [
        Of("Concat", g => g.Node("Concat", Y, [X, X, g.Weights("w", -1, 1, 2, 1, 6, 8)], ("axis", 1L))),
        From(11, "Concat from behind", g => g.Node("Concat", Y, [X, X], ("axis", -1L))),
        Of("Split", g => Parts(g, [1, 2], 1)),
        Of("Split evenly", g => g.Node("Concat", Y, [.. g.Node("Split", "split", [X], ["a", "b"], ("axis", 2L)).Reverse()], ("axis", 2L)),
            highest: 17),
        From(18, "Split by number", g => g.Node("Concat", Y,
            [.. g.Node("Split", "split", [X], ["a", "b", "c"], ("axis", 3L), ("num_outputs", 3L)).Reverse()], ("axis", 3L))),
        Of("Slice", g => Slice(g, [1, 2], [4, 7], [2, 3])),
        Of("Slice from behind", g => Slice(g, [-3], [long.MaxValue], [3])),
        Of("Slice beyond the end", g => Slice(g, [1], [1000], [2])),
        From(10, "Slice of steps", g => Slice(g, [0, 1], [6, 8], [2, 3], [2, 3])),
        From(10, "Slice backwards", g => Slice(g, [-1, 5], [long.MinValue, 0], [3, 2], [-1, -2])),
        Of("Slice without axes", g => Slice(g, [0, 1], [2, 3], null)),
        Of("Gather", g => g.Node("Gather", Y, [X, g.Integers("i", 2, 0, 2)], ("axis", 1L))),
        Of("Gather of one", g => g.Node("Gather", Y, [X, g.Integer("i", 1)], ("axis", 2L))),
        From(11, "Gather from behind", g => g.Node("Gather", Y, [X, g.Integers("i", -1, 0)], ("axis", -1L))),
        Of("Gather of parameters", g => g.Node("Add", Y,
            [X, g.Node("Gather", "row", [g.Weights("table", -1, 1, 4, 8), g.Integer("i", 1)])])),
        Of("Pad", g => Pad(g, "constant", [0, 0, 1, 2, 0, 0, 3, 0], 0.5f)),
        Of("Pad of channels", g => Pad(g, "constant", [0, 1, 0, 0, 0, 2, 0, 0], 0)),
        Of("Pad of less than nothing", g => Pad(g, "constant", [0, 0, -1, 2, 0, 0, -1, -2], 0)),
        Of("Pad reflect", g => Pad(g, "reflect", [0, 0, 1, 2, 0, 0, 3, 0], 0)),
        Of("Pad edge", g => Pad(g, "edge", [0, 1, 1, 2, 0, 0, 3, 0], 0)),
        From(18, "Pad of some axes", g => g.Node("Pad", Y, [X, g.Integers("p", 1, 2, 0, 1), "", g.Integers("a", -1, 2)])),
    ];

    private static IEnumerable<OperatorCase> Pools =>
    [
        .. new[] { "MaxPool", "AveragePool" }.SelectMany(op => (OperatorCase[])
        [
            Pool(op, "plain", 7, ("kernel_shape", L(2, 2)), ("strides", L(2, 2))),
            Pool(op, "padding", 7, ("kernel_shape", L(3, 3)), ("strides", L(2, 2)), ("pads", L(1, 1, 1, 1))),
            Pool(op, "uneven padding", 7, ("kernel_shape", L(3, 2)), ("strides", L(2, 1)), ("pads", L(0, 1, 2, 0))),
            Pool(op, "SAME_UPPER", 7, ("kernel_shape", L(3, 3)), ("strides", L(2, 2)), ("auto_pad", "SAME_UPPER")),
            Pool(op, "SAME_LOWER", 7, ("kernel_shape", L(3, 3)), ("strides", L(2, 2)), ("auto_pad", "SAME_LOWER")),
            Pool(op, "VALID", 7, ("kernel_shape", L(3, 3)), ("strides", L(2, 2)), ("auto_pad", "VALID")),
            Pool(op, "ceil_mode", 10, ("kernel_shape", L(3, 3)), ("strides", L(2, 2)), ("ceil_mode", 1L)),
            Pool(op, "ceil_mode and padding", 10, ("kernel_shape", L(3, 3)), ("strides", L(2, 2)), ("ceil_mode", 1L),
                ("pads", L(1, 1, 1, 1))),
            Pool(op, "ceil_mode and uneven padding", 10, ("kernel_shape", L(2, 3)), ("strides", L(2, 2)), ("ceil_mode", 1L),
                ("pads", L(0, 0, 1, 1))),
        ]),
        Pool("MaxPool", "dilations", 10, ("kernel_shape", L(2, 2)), ("dilations", L(2, 3))),
        Pool("AveragePool", "count_include_pad", 7, ("kernel_shape", L(3, 3)), ("pads", L(1, 1, 1, 1)), ("count_include_pad", 1L)),
        Pool("AveragePool", "count_include_pad, uneven", 7, ("kernel_shape", L(3, 3)), ("pads", L(0, 1, 2, 0)), ("count_include_pad", 1L)),
        Pool("AveragePool", "count_include_pad, ceil_mode", 19, ("kernel_shape", L(3, 3)), ("strides", L(2, 2)), ("pads", L(1, 1, 1, 1)),
            ("count_include_pad", 1L), ("ceil_mode", 1L)),
    ];

    private static IEnumerable<OperatorCase> Resizes =>
    [
        new("Upsample of attributes", 7, 8, g => g.Node("Upsample", Y, [X], ("mode", "nearest"), ("scales", new[] { 1f, 1, 2, 2 }))),
        new("Upsample of attributes, linear", 7, 8, g => g.Node("Upsample", Y, [X], ("mode", "linear"), ("scales", new[] { 1f, 1, 2, 3 }))),
        new("Upsample", 9, 9, g => g.Node("Upsample", Y, [X, Scales(g, 1, 1, 2, 2)], ("mode", "nearest"))),
        new("Upsample, linear", 9, 9, g => g.Node("Upsample", Y, [X, Scales(g, 1, 1, 2, 2)], ("mode", "linear"))),
        new("Resize of opset 10", 10, 10, g => g.Node("Resize", Y, [X, Scales(g, 1, 1, 2, 0.5f)], ("mode", "nearest"))),
        new("Resize of opset 10, linear", 10, 10, g => g.Node("Resize", Y, [X, Scales(g, 1, 1, 2, 1.5f)], ("mode", "linear"))),
        .. from mode in new[] { "half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric" }
           from scale in new[] { 2f, 0.5f, 1.3f }
           select Resize($"Resize linear, {mode}, by {scale}", 11, g => [X, Empty(g), Scales(g, 1, 1, scale, 2)], "linear", mode),
        .. from mode in new[] { "half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric" }
           from rounding in new[] { "floor", "ceil", "round_prefer_floor", "round_prefer_ceil" }
           select Resize($"Resize nearest, {mode}, {rounding}", 11, g => [X, Empty(g), Scales(g, 1, 1, 2, 1.3f)], "nearest", mode,
               rounding),
        .. from mode in new[] { "half_pixel", "align_corners" }
           from linear in new[] { "nearest", "linear" }
           select Resize($"Resize {linear} to sizes, {mode}", 13, g => [X, "", "", g.Integers("sizes", 2, 3, 9, 13)], linear, mode),
        Resize("Resize twice nearest, half_pixel", 11, g => [X, Empty(g), Scales(g, 1, 1, 2, 2)], "nearest", "half_pixel"),
        Resize("Resize twice nearest, asymmetric", 11, g => [X, Empty(g), Scales(g, 1, 1, 2, 2)], "nearest", "asymmetric", "floor"),
        Resize("Resize to sizes at opset 11", 11, g => [X, Empty(g), g.Floats("none", [], 0), g.Integers("sizes", 2, 3, 12, 16)], "nearest",
            "asymmetric", "floor") with { Highest = 12 },
        From(19, "Resize half_pixel_symmetric", g => g.Node("Resize", Y, [X, "", Scales(g, 1, 1, 1.3f, 2)], ("mode", "linear"),
            ("coordinate_transformation_mode", "half_pixel_symmetric"))),
        From(18, "Resize of axes", g => g.Node("Resize", Y, [X, "", Scales(g, 2, 3)], ("mode", "linear"), ("axes", L(2, 3)))),
    ];

    private static OperatorCase Of(string name, Func<TestGraph, string> build, int highest = 21) => new(name, 7, highest, build);

    private static OperatorCase From(int opset, string name, Func<TestGraph, string> build) => new(name, opset, 21, build);

    private static OperatorCase One(string op, int opset) => From(opset, op, g => g.Node(op, Y, [X]));

    private static OperatorCase Conv(string name, long[] shape, params (string, object)[] attributes) => Of($"Conv, {name}",
        g => g.Node("Conv", Y, [X, g.Weights("w", -1, 1, shape), g.Weights("b", -1, 1, shape[0])], attributes));

    private static OperatorCase Transpose(string name, long[] shape, params (string Name, object Value)[] attributes)
    {
        long groups = attributes.Where(a => a.Name == "group").Select(a => (long)a.Value).FirstOrDefault(1);
        return Of($"ConvTranspose, {name}", g => g.Node("ConvTranspose", Y,
            [X, g.Weights("w", -1, 1, shape), g.Weights("b", -1, 1, shape[1] * groups)], attributes));
    }

    private static OperatorCase Pool(string op, string name, int opset, params (string, object)[] attributes)
        => From(opset, $"{op}, {name}", g => g.Node(op, Y, [X], attributes));

    private static OperatorCase Resize(string name, int opset, Func<TestGraph, string[]> inputs, string mode, string coordinates,
        string rounding = "round_prefer_floor") => From(opset, name, g => g.Node("Resize", Y, inputs(g), ("mode", mode),
            ("coordinate_transformation_mode", coordinates), ("nearest_mode", rounding)));

    private static string Reduce(TestGraph g, string op, long[] axes, params (string, object)[] attributes)
        => g.Opset >= (op == "ReduceSum" ? 13 : 18) ? g.Node(op, Y, [X, g.Integers("axes", axes)], attributes)
            : g.Node(op, Y, [X], [("axes", axes), .. attributes]);

    private static string Axes(TestGraph g, string op, long[] axes, string input, string name = Y)
        => g.Opset >= 13 ? g.Node(op, name, [input, g.Integers($"{name}.axes", axes)]) : g.Node(op, name, [input], ("axes", axes));

    private static string Parts(TestGraph g, long[] sizes, long axis)
    {
        string[] parts = g.Opset >= 13 ? g.Node("Split", "split", [X, g.Integers("sizes", sizes)], ["a", "b"], ("axis", axis))
            : g.Node("Split", "split", [X], ["a", "b"], ("axis", axis), ("split", sizes));
        return g.Node("Concat", Y, [parts[1], parts[0]], ("axis", axis));
    }

    private static string Slice(TestGraph g, long[] starts, long[] ends, long[]? axes, long[]? steps = null)
    {
        if (g.Opset < 10) return axes is null ? g.Node("Slice", Y, [X], ("starts", starts), ("ends", ends))
            : g.Node("Slice", Y, [X], ("starts", starts), ("ends", ends), ("axes", axes));
        List<string> inputs = [X, g.Integers("starts", starts), g.Integers("ends", ends)];
        if (axes is not null) inputs.Add(g.Integers("axes", axes));
        if (steps is not null) inputs.Add(g.Integers("steps", steps));
        return g.Node("Slice", Y, [.. inputs]);
    }

    private static string Pad(TestGraph g, string mode, long[] pads, float value) => g.Opset < 11
        ? g.Node("Pad", Y, [X], ("mode", mode), ("pads", pads), ("value", value))
        : g.Node("Pad", Y, [X, g.Integers("pads", pads), Number(g, value)], ("mode", mode));

    private static string Scales(TestGraph g, params float[] scales) => g.Floats("scales", scales, scales.Length);

    private static string Empty(TestGraph g) => g.Opset < 13 ? g.Floats("roi", [], 0) : "";

    private static string Number(TestGraph g, float value) => g.Floats($"number{g.Graph.Initializer.Count}", [value]);

    private static string Flat(TestGraph g) => g.Node("Reshape", "flat", [X, g.Integers("flat.shape", 36, 8)]);

    private static string Six(TestGraph g) => g.Node("Concat", "six", [X, g.Node("Mul", "double", [X, Number(g, 2)])], ("axis", 1L));

    private static string Twelve(TestGraph g) => g.Node("Concat", "twelve", [Six(g), "six"], ("axis", 1L));

    private static string Positive(TestGraph g) => g.Node("Add", "positive", [X, Number(g, 2)]);

    private static long[] L(params long[] values) => values;
}
