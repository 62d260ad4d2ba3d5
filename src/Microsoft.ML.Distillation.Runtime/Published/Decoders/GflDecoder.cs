using System.Numerics.Tensors;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Published.Decoders;

// Of cell (i, j) of stride s, with logits l of m + 1 bins for each side:
//     d_side = s Σ_k k · softmax(l_side)_k
//     x0 = (j + o) s − d_left,   y0 = (i + o) s − d_top,   x1 = (j + o) s + d_right,   y1 = (i + o) s + d_bottom
//
// Li et al., Generalized Focal Loss (NeurIPS 2020). The offset o is 0 in NanoDet-Plus and in mmdetection's GFL, which has five levels,
// strides 8 to 128, and ½ in the first NanoDet and in PicoDet.

// What NanoDet and PicoDet give is the same, but NanoDet sees blue first and PicoDet red first. PicoDet has four levels, strides 8 to 64,
// each with outputs of its own; NanoDet-Plus has its four in one output, and the first NanoDet has three.

/// <summary>Reads class scores and distributions over box sides; the formula stands at the top of the file.</summary>
/// <param name="pico">Whether this is PicoDet.</param>
internal sealed class GflDecoder(bool pico) : IOutputDecoder
{
    private const int LevelsOfPicoDet = 4;

    public OnnxDetectorFormat Format => pico ? OnnxDetectorFormat.PicoDet : OnnxDetectorFormat.Gfl;

    public string Layout => pico ? "for each of four levels classes [cells, C] and distances [cells, 4(m + 1)]; sees RGB" :
        "one output [cells of strides 8, 16, 32 (, 64), C + 4(m + 1)], or for each level classes [cells, C] and distances [cells, 4(m + "
            + "1)]";

    public bool CanRead(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
        => GflLevels.Find(outputs, context).Count > 0;

    public FormatFit Recognise(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        bool isPico = outputs.Count == 2 * LevelsOfPicoDet && GflLevels.Find(outputs, context).Count == LevelsOfPicoDet;
        return isPico == pico ? FormatFit.Certain : FormatFit.None;
    }

    public void Decode(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, PredictionSink sink)
    {
        foreach (GflLevel level in GflLevels.Find(outputs, context)) Decode(level, context, sink);
    }

    private static void Decode(GflLevel level, DecoderContext context, PredictionSink sink)
    {
        ImageSize input = context.Input;
        int across = GridLevels.Across(input.Width, level.Stride), cells = GridLevels.Cells(input, level.Stride);
        float offset = context.Options.CellOffset ?? level.Offset;
        ScoreActivation activation = context.Options.Activation;
        if (activation == ScoreActivation.Auto)
            activation = level.Classes.AreProbabilities(cells, context.Classes) ? ScoreActivation.None : ScoreActivation.Sigmoid;

        var scores = new float[context.Classes];
        var shares = new float[4 * level.Bins];
        for (int cell = 0; cell < cells; cell++)
        {
            level.Classes.Read(cell, 0, scores);
            ClassScores.Activate(scores, activation);
            if (!(TensorPrimitives.Max(scores) >= sink.Floor)) continue;
            for (int side = 0; side < 4; side++)
            {
                Span<float> bins = shares.AsSpan(side * level.Bins, level.Bins);
                level.Distances.Read(cell, side * level.Bins, bins);
                TensorPrimitives.SoftMax<float>(bins, bins);
            }

            float x = (cell % across + offset) * level.Stride, y = (cell / across + offset) * level.Stride;
            sink.AddDistributions(x, y, level.Stride, shares, scores);
        }
    }
}

/// <summary>Values of the cells of one level, somewhere in an output.</summary>
/// <param name="Output">Where they are.</param>
/// <param name="Start">The index of the first cell's first value.</param>
/// <param name="CellStep">From one cell to the next.</param>
/// <param name="ChannelStep">From one channel of a cell to the next.</param>
internal sealed record CellValues(OnnxOutput Output, int Start, int CellStep, int ChannelStep)
{
    /// <summary>Reads channels of a cell.</summary>
    public void Read(int cell, int firstChannel, Span<float> channels)
    {
        ReadOnlySpan<float> values = Output.Values.Span;
        int at = Start + cell * CellStep + firstChannel * ChannelStep;
        for (int c = 0; c < channels.Length; c++) channels[c] = values[at + c * ChannelStep];
    }

    /// <summary>Whether the first channels of all cells lie between 0 and 1.</summary>
    public bool AreProbabilities(int cells, int channels)
    {
        var row = new float[channels];
        for (int cell = 0; cell < cells; cell++)
        {
            Read(cell, 0, row);
            if (!ClassScores.AreProbabilities(row)) return false;
        }

        return true;
    }
}

/// <summary>One level of a model with distributional boxes.</summary>
/// <param name="Bins">m + 1.</param>
/// <param name="Offset">Where in its cell a prediction stands.</param>
internal sealed record GflLevel(int Stride, CellValues Classes, CellValues Distances, int Bins, float Offset);

/// <summary>Finds the levels of a model with distributional boxes among its outputs.</summary>
internal static class GflLevels
{
    // Its anchors stand at the corners of their cells, those of the networks with fewer levels in the middle.
    private const int LevelsOfMMDetection = 5;

    private static readonly int[] Strides = [4, 8, 16, 32, 64, 128];

    /// <summary>The levels; none where the outputs are something else.</summary>
    public static IReadOnlyList<GflLevel> Find(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        IReadOnlyList<GflLevel> joined = outputs.Count == 1 ? Joined(outputs[0], context) : [];
        return joined.Count > 0 ? joined : Apart(outputs, context);
    }

    private static List<GflLevel> Joined(OnnxOutput output, DecoderContext context)
    {
        if (output.Shape.Count != 2 || Bins(output.Shape[1] - context.Classes) is not int bins) return [];
        if (GridLevels.Find(context.Input, output.Shape[0], 1, context.Options.Strides) is not { } strides) return [];
        var levels = new List<GflLevel>();
        int start = 0, columns = output.Shape[1];
        foreach (int stride in strides)
        {
            levels.Add(new GflLevel(
                stride, new CellValues(output, start, columns, 1), new CellValues(output, start + context.Classes, columns, 1), bins,
                Offset: 0));
            start += GridLevels.Cells(context.Input, stride) * columns;
        }

        return levels;
    }

    private static List<GflLevel> Apart(IReadOnlyList<OnnxOutput> outputs, DecoderContext context)
    {
        IReadOnlyList<int> strides = context.Options.Strides ?? Strides;
        var levels = new List<GflLevel>();
        // Small inputs have several levels of one cell: those of equal cells share out the strides that fit, the smallest first.
        foreach (IGrouping<int, int> fitting in strides.GroupBy(stride => GridLevels.Cells(context.Input, stride)))
        {
            LevelOutput[] maps = [.. outputs.Select(output => Read(output, fitting.Key)).OfType<LevelOutput>()];
            if (maps.Length == 0) continue;
            (LevelOutput Classes, LevelOutput Distances)[] pairs = Pairs(maps, context.Classes);
            if (pairs.Length == 0 || pairs.Length > fitting.Count()) return [];
            levels.AddRange(pairs.Zip(fitting, (pair, stride) => new GflLevel(
                stride, pair.Classes.Values, pair.Distances.Values, Bins(pair.Distances.Channels)!.Value, Offset: 0.5f)));
        }

        if (2 * levels.Count != outputs.Count) return [];
        return levels.Count == LevelsOfMMDetection ? [.. levels.Select(level => level with { Offset = 0 })] : levels;
    }

    /// <summary>The outputs of levels of equal cells, two by two in their order; none where it is not clear which are which.</summary>
    private static (LevelOutput Classes, LevelOutput Distances)[] Pairs(LevelOutput[] maps, int classes)
    {
        LevelOutput[] scores = [.. maps.Where(map => map.Channels == classes && !IsDistances(map.Output))];
        LevelOutput[] distances = [.. maps.Where(map => Bins(map.Channels) is not null && !scores.Contains(map))];
        // Where C = 4(m + 1) and no name tells, the order does: classes come first. Of several such levels it does not.
        if (distances.Length == 0 && scores.Length == 2 && Bins(classes) is not null) (scores, distances) = ([scores[0]], [scores[1]]);
        return scores.Length == distances.Length && scores.Length + distances.Length == maps.Length ? [.. scores.Zip(distances)] : [];
    }

    /// <summary>An output as one of a level of some number of cells, [cells, channels] or [channels, h, w].</summary>
    private static LevelOutput? Read(OnnxOutput output, int cells)
    {
        int channels = output.Values.Length / cells;
        bool rows = output.Shape.Count == 2 && output.Shape[0] == cells;
        bool map = output.Shape.Count == 3 && output.Shape[1] * output.Shape[2] == cells;
        return channels > 0 && (rows || map)
            ? new LevelOutput(output, channels, new CellValues(output, 0, rows ? channels : 1, rows ? 1 : cells)) : null;
    }

    private static bool IsDistances(OnnxOutput output)
    {
        string[] words = ["dis", "reg", "box"];
        return words.Any(word => output.Name.Contains(word, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>m + 1, where channels are those of four distributions.</summary>
    private static int? Bins(int channels) => channels >= 8 && channels % 4 == 0 ? channels / 4 : null;

    /// <summary>An output that is the classes or the distances of a level.</summary>
    private sealed record LevelOutput(OnnxOutput Output, int Channels, CellValues Values);
}

/// <summary>The cells of a model that predicts on grids of several strides.</summary>
internal static class GridLevels
{
    private static readonly int[][] Usual = [[8, 16, 32], [8, 16, 32, 64], [16, 32], [16, 32, 64], [4, 8, 16, 32], [32], [16], [8]];

    /// <summary>The strides whose cells are as many as a model has predictions; <see langword="null"/> where none of the usual ones
    /// fit.</summary>
    /// <param name="predictions">The number of predictions.</param>
    /// <param name="perCell">The number of predictions in each cell.</param>
    /// <param name="given">The strides to use, if the user knows them.</param>
    public static IReadOnlyList<int>? Find(ImageSize input, int predictions, int perCell, IReadOnlyList<int>? given)
    {
        IEnumerable<IReadOnlyList<int>> candidates = given is null ? Usual : [given];
        return candidates.FirstOrDefault(strides => perCell * strides.Sum(stride => Cells(input, stride)) == predictions);
    }

    /// <summary>The number of cells of a stride; a cell that reaches beyond the input counts.</summary>
    public static int Cells(ImageSize input, int stride) => Across(input.Width, stride) * Across(input.Height, stride);

    /// <summary>The number of cells of a stride along one side.</summary>
    public static int Across(int pixels, int stride) => (pixels + stride - 1) / stride;
}
