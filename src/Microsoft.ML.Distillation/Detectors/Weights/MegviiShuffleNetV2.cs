using System.Globalization;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors.Weights;

/// <summary>
/// Checkpoints of the authors' own ShuffleNetV2 (megvii-model/ShuffleNet-Series, FastestDet): <c>first_conv</c> for
/// <c>conv1</c>, <c>branch_proj</c> for <c>branch1</c>, <c>branch_main</c> for <c>branch2</c>. Their block takes the even
/// channels past and works on the odd ones, and joins the halves one behind the other; torchvision's takes the first half past,
/// works on the second, and interleaves. The two compute the same up to the order of channels, so the parameters are
/// reordered: <see cref="ShuffleOrder"/> says how.
/// </summary>
internal sealed class MegviiShuffleNetV2(IReadOnlyList<int> widths, IReadOnlyList<int> blocks) : ICheckpointDialect
{
    private const int FirstStage = 2;

    private readonly ShuffleOrder[] _orders = [.. widths.Select((w, i) => new ShuffleOrder(w, blocks[i]))];

    /// <inheritdoc/>
    public bool Speaks(IEnumerable<string> names) => names.Contains("first_conv.0.weight");

    /// <inheritdoc/>
    public string Translate(string name) => name
        .Replace("first_conv.", "conv1.", StringComparison.Ordinal)
        .Replace(".branch_proj.", ".branch1.", StringComparison.Ordinal)
        .Replace(".branch_main.", ".branch2.", StringComparison.Ordinal);

    /// <inheritdoc/>
    public Tensor Arrange(string name, Tensor values)
    {
        // stage3.0.branch1.2.weight: stage, block, branch, layer, parameter.
        string[] parts = name.Split('.');
        if (parts is not [['s', 't', 'a', 'g', 'e', char digit], var number, "branch1" or "branch2", var layerNumber, _]) return values;
        int stage = digit - '0' - FirstStage, block = int.Parse(number, CultureInfo.InvariantCulture),
        layer = int.Parse(layerNumber, CultureInfo.InvariantCulture);
        if (stage < 0 || stage >= _orders.Length || values.dim() == 0) return values;

        bool first = parts[2] == "branch1";
        if (_orders[stage].Outputs(block, first, layer) is { } made) values = values.index_select(0, tensor(made));
        if (block > 0) return layer == 0 && values.dim() == 4 ? values.index_select(1, tensor(_orders[stage].Working(block))) : values;

        // The first block sees the map of the stage before: in its depthwise layer filter by filter, in its 1×1 column by column.
        if (stage == 0) return values;
        using Tensor maps = tensor(_orders[stage - 1].Maps);
        if (first && layer < 2) return values.index_select(0, maps);
        return values.dim() == 4 && layer == (first ? 2 : 0) ? values.index_select(1, maps) : values;
    }
}

/// <summary>
/// The order of channels of one stage of the authors' ShuffleNetV2 in torchvision's. A channel is made by a block, passes some
/// blocks, and is worked on by one; what matters is how many it passes. In either implementation as many of a block's channels
/// pass so many blocks, so channels of equal fate stand for one another. An order lists, for each place in torchvision's, the
/// place in the authors'.
/// </summary>
internal sealed class ShuffleOrder
{
    private readonly long[][] _made;
    private readonly long[] _madeByFirstBranch;
    private readonly List<long[]> _working = [];

    public ShuffleOrder(int width, int blocks)
    {
        int half = width / 2;

        // For each place in torchvision's map, after the blocks so far, the place in the authors' map.
        (_madeByFirstBranch, long[] second) = (Fates(half, blocks, first: true), Fates(half, blocks, first: false));
        _made = new long[blocks][];
        _made[0] = second;
        long[] maps = Interleave(_madeByFirstBranch, second, half);
        for (int block = 1; block < blocks; block++)
        {
            _working.Add([.. maps[half..].Select(place => place / 2)]);
            _made[block] = Fates(half, blocks - block, first: false);
            maps = Interleave([.. maps[..half].Select(place => place / 2)], _made[block], half);
        }

        Maps = maps;
    }

    /// <summary>The order of the stage's map.</summary>
    public long[] Maps { get; }

    /// <summary>The order of the channels that the working branch of a block, after the first, sees.</summary>
    public long[] Working(int block) => _working[block - 1];

    /// <summary>The order of what a layer makes, or null where it is the same.</summary>
    public long[]? Outputs(int block, bool firstBranch, int layer) => firstBranch
        ? layer >= 2 ? _madeByFirstBranch : null
        : layer >= 5 ? _made[block] : null;

    private static long[] Interleave(long[] passing, long[] made, int half)
    {
        var map = new long[2 * half];
        for (int i = 0; i < half; i++) (map[2 * i], map[2 * i + 1]) = (passing[i], half + made[i]);
        return map;
    }

    /// <summary>For each channel of a branch in torchvision's order, the channel of the same fate in the authors' order.</summary>
    /// <param name="blocks">The blocks from the one that makes the channels to the stage's end.</param>
    /// <param name="first">Whether it is the first branch, whose channels come first.</param>
    private static long[] Fates(int half, int blocks, bool first)
    {
        var order = new long[half];
        int[] theirs = ByFate(half, j => Passes(first ? j : half + j, blocks, place => place % 2 == 0, place => place / 2));
        int[] torchvisions = ByFate(half, j => Passes(first ? 2 * j : 2 * j + 1, blocks, place => place < half, place => 2 * place));
        for (int i = 0; i < half; i++) order[torchvisions[i]] = theirs[i];
        return order;
    }

    private static int[] ByFate(int count, Func<int, int> fate) => [.. Enumerable.Range(0, count).OrderBy(fate)];

    private static int Passes(int place, int blocks, Func<int, bool> passes, Func<int, int> next)
    {
        int passed = 0;
        for (; passed < blocks - 1 && passes(place); passed++) place = next(place);
        return passed;
    }
}
