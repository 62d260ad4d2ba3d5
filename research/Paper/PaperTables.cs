using System.Globalization;

namespace Microsoft.ML.Distillation.Research;

/// <summary>
/// The five tables of Chen et al., Learning Efficient Object Detection Models with Knowledge Distillation (NIPS 2017), on the networks of a
/// budget. The figures beside the rows are the paper's.
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
        Rows = Tables.SelectMany(table => table.Cells).Select(cell => cell.Row).Concat([_alexNet, _vgg16]).DistinctBy(row => row.Id)
            .ToDictionary(row => row.Id);
    }

    /// <summary>The tables, 1 to 5.</summary>
    public IReadOnlyList<PaperTable> Tables { get; }

    /// <summary>All rows of all tables, and those that they need, by name.</summary>
    public IReadOnlyDictionary<string, PaperRow> Rows { get; }

    private PaperTable Teachers() => new(1, "Students under better and better teachers",
    [
        .. Line(_tucker, "Tucker", Figures(54.7, 25.4, 11.8, 49.3, 20.6),
            ("alexnet", Figures(57.6, 26.5, 12.3, 51.4, 23.6)), ("vgg-m", Figures(58.2, 26.4, 12.2, 51.4, 23.9)),
            (Vgg16, Figures(59.4, 28.3, 12.6, 53.7, 24.4))),
        .. Line(_alexNet, "AlexNet", Figures(57.2, 32.5, 15.8, 55.1, 27.3),
            ("vgg-m", Figures(59.2, 33.4, 16.0, 56.3, 28.7)), (Vgg16, Figures(60.1, 35.8, 16.9, 58.3, 30.1))),
        .. Line(_vggM, "VGG-M", Figures(59.8, 33.6, 16.1, 56.7, 31.1), (Vgg16, Figures(63.7, 37.2, 17.3, 58.6, 34.0))),
        .. Line(_vgg16, "VGG16", Figures(70.4, 45.1, 24.2, 59.2, 35.6)),
    ]);

    private PaperTable Resolutions()
    {
        PaperRow high = Whole("alexnet-high", _budget.Backbones.AlexNet, _budget.InputSizes.High);
        PaperRow low = Whole("alexnet-low", _budget.Backbones.AlexNet, _budget.InputSizes.Low);
        PaperRow tuckerHigh = Tucker("tucker-high", high, 0.375), tuckerLow = Tucker("tucker-low", low, 0.375);
        return new(2, "A low-resolution student under the same network at high resolution",
        [
            .. Line("AlexNet", high, low, new(57.2) { Cpu = 1205, Gpu = 74 }, new(53.2) { Cpu = 726, Gpu = 47 }, 56.7),
            .. Line("Tucker", tuckerHigh, tuckerLow, new(54.7) { Cpu = 663, Gpu = 41 }, new(48.6) { Cpu = 430, Gpu = 29 }, 53.5),
        ]);

        static PaperCell[] Line(string name, PaperRow high, PaperRow low, Published atHigh, Published atLow, double distilled) =>
        [
            new(high, name, "high resolution", null, atHigh),
            new(low, name, "low resolution", high.Id, atLow),
            new(low.Under(high.Id), name, "low, distilled", low.Id, atLow with { Voc07 = distilled }),
        ];
    }

    private PaperTable Compressions()
    {
        double[] fineTuned = [30.3, 49.3, 51.4, 54.7, 55.2], distilled = [35.5, 55.4, 56.8, 59.4, 59.5];
        PaperRow[] rows = [.. Shares.Select(share => share == 0.375 ? _tucker : Tucker($"tucker-{Percent(share)}", _alexNet, share))];
        return new(3, "Compressed students: fine-tuned and distilled, by the share of the multiplications that remains",
        [
            .. Shares.Select((share, i) => new PaperCell(rows[i], "fine-tuned", $"{Percent(share)} %", null, fineTuned[i])),
            .. Shares.Select((share, i) => new PaperCell(rows[i].Under(Vgg16), "distilled", $"{Percent(share)} %", rows[i].Id,
                distilled[i])),
        ]);
    }

    private PaperTable Lessons()
    {
        (double Voc07, double Kitti)[] published =
            [(54.6, 48.5), (55.9, 50.1), (57.4, 50.8), (57.7, 51.3), (56.9, 50.3), (58.0, 52.1), (58.4, 51.7), (59.4, 53.7)];
        return new(4, "What each part of the loss is worth: VGG16's Tucker student",
        [
            new(_tucker, "Tucker", "baseline", null, new(54.7) { Kitti = 49.3 }),
            .. PaperLessons.Names.Select((name, i) => new PaperCell(
                _tucker.Under(Vgg16, name), "Tucker", name, _tucker.Id, new(published[i].Voc07) { Kitti = published[i].Kitti })),
        ]);
    }

    private PaperTable Generalisation() => new(5, "What distillation and hints do on the images learned from, and on others",
    [
        new(_tucker, "Tucker", "baseline", null, new(54.7) { Voc07Training = 79.6, Coco50 = 25.4, Coco50Training = 45.3 }),
        new(_tucker.Under(Vgg16, "l2-b+cls-w"), "Tucker", "distillation", _tucker.Id,
            new(58.4) { Voc07Training = 78.3, Coco50 = 26.1, Coco50Training = 45.4 }),
        new(_tucker.Under(Vgg16, "hints-a"), "Tucker", "hint", _tucker.Id,
            new(58.0) { Voc07Training = 80.9, Coco50 = 27.8, Coco50Training = 47.1 }),
        new(_tucker.Under(Vgg16), "Tucker", "both", _tucker.Id, new(59.4) { Voc07Training = 83.5, Coco50 = 28.3, Coco50Training = 49.6 }),
    ]);

    private static Published Figures(double voc07, double coco50, double coco, double kitti, double ilsvrc)
        => new(voc07) { Coco50 = coco50, Coco = coco, Kitti = kitti, Ilsvrc = ilsvrc };

    private static PaperCell[] Line(PaperRow row, string name, Published alone, params (string Teacher, Published Published)[] teachers)
        => [new(row, name, "no teacher", null, alone),
            .. teachers.Select(t => new PaperCell(row.Under(t.Teacher), name, t.Teacher, row.Id, t.Published))];

    private PaperRow Whole(string id, Backbone backbone, int inputSize) => new(id) { Network = _budget.Network(backbone, inputSize) };

    private PaperRow Tucker(string id, PaperRow whole, double share)
        => new(id)
        {
            Start = whole.Id,
            Compression = new CompressionOptions { FlopsShare = share, HeadFlopsShare = _budget.HeadShare(share) }
        };

    private static string Percent(double share) => (100 * share).ToString("0.#", CultureInfo.InvariantCulture);
}
