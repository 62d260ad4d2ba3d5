using System.Globalization;

namespace Microsoft.ML.Distillation.Tool.Paper;

/// <summary>
/// The five tables of Chen et al., Learning Efficient Object Detection Models with Knowledge Distillation (NIPS 2017), on the networks of a budget.
/// The figures beside the rows are the paper's, VOC 2007.
/// </summary>
internal sealed class PaperTables
{
    private const string Vgg16 = "vgg16";
    private static readonly double[] Shares = [0.2, 0.25, 0.3, 0.375, 0.45];

    private readonly PaperBudget _budget;
    private readonly PaperRow _alexNet, _vggM, _vgg16, _tucker;

    public PaperTables(PaperBudget budget)
    {
        _budget = budget;
        _alexNet = Whole("alexnet", budget.Backbones.AlexNet, budget.InputSizes.Usual);
        _vggM = Whole("vgg-m", budget.Backbones.VggM, budget.InputSizes.Usual);
        _vgg16 = Whole(Vgg16, budget.Backbones.Vgg16, budget.InputSizes.Usual);
        _tucker = Tucker("tucker", _alexNet, 0.375);
        Tables = [Teachers(), Resolutions(), Compressions(), Lessons(), Generalisation()];
        Rows = Tables.SelectMany(table => table.Cells).Select(cell => cell.Row).Concat([_alexNet, _vgg16]).DistinctBy(row => row.Id).ToDictionary(row => row.Id);
    }

    /// <summary>The tables, 1 to 5.</summary>
    public IReadOnlyList<PaperTable> Tables { get; }

    /// <summary>All rows of all tables, and those that they need, by name.</summary>
    public IReadOnlyDictionary<string, PaperRow> Rows { get; }

    private PaperTable Teachers() => new(1, "Students under better and better teachers",
    [
        .. Line(_tucker, "Tucker", 54.7, ("alexnet", 57.6), ("vgg-m", 58.2), (Vgg16, 59.4)),
        .. Line(_alexNet, "AlexNet", 57.2, ("vgg-m", 59.2), (Vgg16, 60.1)),
        .. Line(_vggM, "VGG-M", 59.8, (Vgg16, 63.7)),
        .. Line(_vgg16, "VGG16", 70.4),
    ]);

    private PaperTable Resolutions()
    {
        PaperRow high = Whole("alexnet-high", _budget.Backbones.AlexNet, _budget.InputSizes.High);
        PaperRow low = Whole("alexnet-low", _budget.Backbones.AlexNet, _budget.InputSizes.Low);
        PaperRow tuckerHigh = Tucker("tucker-high", high, 0.375), tuckerLow = Tucker("tucker-low", low, 0.375);
        return new(2, "A low-resolution student under the same network at high resolution",
            [.. Line("AlexNet", high, low, 57.2, 53.2, 56.7), .. Line("Tucker", tuckerHigh, tuckerLow, 54.7, 48.6, 53.5)]);

        static PaperCell[] Line(string name, PaperRow high, PaperRow low, double atHigh, double atLow, double distilled) =>
        [
            new(high, name, "high resolution", null, atHigh),
            new(low, name, "low resolution", high.Id, atLow),
            new(low.Under(high.Id), name, "low, distilled", low.Id, distilled),
        ];
    }

    private PaperTable Compressions()
    {
        double[] fineTuned = [30.3, 49.3, 51.4, 54.7, 55.2], distilled = [35.5, 55.4, 56.8, 59.4, 59.5];
        PaperRow[] rows = [.. Shares.Select(share => share == 0.375 ? _tucker : Tucker($"tucker-{Percent(share)}", _alexNet, share))];
        return new(3, "Compressed students: fine-tuned and distilled, by the share of the multiplications that remains",
        [
            .. Shares.Select((share, i) => new PaperCell(rows[i], "fine-tuned", $"{Percent(share)} %", null, fineTuned[i])),
            .. Shares.Select((share, i) => new PaperCell(rows[i].Under(Vgg16), "distilled", $"{Percent(share)} %", rows[i].Id, distilled[i])),
        ]);
    }

    private PaperTable Lessons()
    {
        double[] published = [54.6, 55.9, 57.4, 57.7, 56.9, 58.0, 58.4, 59.4];
        return new(4, "What each part of the loss is worth: VGG16's Tucker student",
        [
            new(_tucker, "Tucker", "baseline", null, 54.7),
            .. PaperLessons.Names.Select((name, i) => new PaperCell(_tucker.Under(Vgg16, name), "Tucker", name, _tucker.Id, published[i])),
        ]);
    }

    private PaperTable Generalisation() => new(5, "What distillation and hints do on the images learned from, and on others",
    [
        new(_tucker, "Tucker", "baseline", null, 54.7),
        new(_tucker.Under(Vgg16, "l2-b+cls-w"), "Tucker", "distillation", _tucker.Id, 58.4),
        new(_tucker.Under(Vgg16, "hints-a"), "Tucker", "hint", _tucker.Id, 58.0),
        new(_tucker.Under(Vgg16), "Tucker", "both", _tucker.Id, 59.4),
    ])
    {
        PublishedOnTraining = new Dictionary<string, double> { ["baseline"] = 79.6, ["distillation"] = 78.3, ["hint"] = 80.9, ["both"] = 83.5 },
    };

    private static PaperCell[] Line(PaperRow row, string name, double alone, params (string Teacher, double Published)[] teachers)
        => [new(row, name, "no teacher", null, alone), .. teachers.Select(t => new PaperCell(row.Under(t.Teacher), name, t.Teacher, row.Id, t.Published))];

    private PaperRow Whole(string id, Backbone backbone, int inputSize) => new(id) { Network = _budget.Network(backbone, inputSize) };

    private PaperRow Tucker(string id, PaperRow whole, double share)
        => new(id) { Start = whole.Id, Compression = new CompressionOptions { FlopsShare = share, HeadFlopsShare = _budget.HeadShare(share) } };

    private static string Percent(double share) => (100 * share).ToString("0.#", CultureInfo.InvariantCulture);
}
