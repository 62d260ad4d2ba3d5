namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors.Decoders;

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
                stride, new CellValues(output, start, columns, 1), new CellValues(output, start + context.Classes, columns, 1), bins, Offset: 0));
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

        return 2 * levels.Count == outputs.Count ? levels : [];
    }

    /// <summary>The outputs of levels of equal cells, two by two in their order; none where it is not clear which are which.</summary>
    private static (LevelOutput Classes, LevelOutput Distances)[] Pairs(LevelOutput[] maps, int classes)
    {
        LevelOutput[] scores = [.. maps.Where(map => map.Channels == classes && !IsDistances(map.Output))];
        LevelOutput[] distances = [.. maps.Where(map => Bins(map.Channels) is not null && !scores.Contains(map))];
        // Where C = 4(m + 1) and no name tells, the order does: classes come first. Of several such levels it does not.
        if (distances.Length == 0 && scores.Length == 2) (scores, distances) = ([scores[0]], [scores[1]]);
        return scores.Length == distances.Length && scores.Length + distances.Length == maps.Length ? [.. scores.Zip(distances)] : [];
    }

    /// <summary>An output as one of a level of some number of cells, [cells, channels] or [channels, h, w].</summary>
    private static LevelOutput? Read(OnnxOutput output, int cells)
    {
        int channels = output.Values.Length / cells;
        bool rows = output.Shape.Count == 2 && output.Shape[0] == cells;
        bool map = output.Shape.Count == 3 && output.Shape[1] * output.Shape[2] == cells;
        return channels > 0 && (rows || map) ? new LevelOutput(output, channels, new CellValues(output, 0, rows ? channels : 1, rows ? 1 : cells)) : null;
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
