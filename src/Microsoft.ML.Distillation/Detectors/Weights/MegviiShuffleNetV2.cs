using System.Globalization;
using TorchSharp;
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
        int stage = digit - '0' - FirstStage, block = int.Parse(number, CultureInfo.InvariantCulture), layer = int.Parse(layerNumber, CultureInfo.InvariantCulture);
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
