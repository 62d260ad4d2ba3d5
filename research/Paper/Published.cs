namespace Microsoft.ML.Distillation.Research;

/// <summary>
/// What the paper gives for a place of a table: mean average precisions in per cent, at IoU 0.5 where nothing else is said, and times.
/// </summary>
/// <param name="Voc07">On PASCAL VOC 2007.</param>
internal sealed record Published(double Voc07)
{
    /// <summary>On COCO.</summary>
    public double? Coco50 { get; init; }

    /// <summary>On COCO, over IoU 0.5 to 0.95.</summary>
    public double? Coco { get; init; }

    /// <summary>On KITTI, by PASCAL's measure.</summary>
    public double? Kitti { get; init; }

    /// <summary>On ILSVRC 2014.</summary>
    public double? Ilsvrc { get; init; }

    /// <summary>On the images of VOC that were learned from.</summary>
    public double? Voc07Training { get; init; }

    /// <summary>On the images of COCO that were learned from.</summary>
    public double? Coco50Training { get; init; }

    /// <summary>Milliseconds for an image on the authors' CPU.</summary>
    public double? Cpu { get; init; }

    /// <summary>Milliseconds for an image on the authors' GPU.</summary>
    public double? Gpu { get; init; }

    /// <summary>The figures by name, in the order of the page.</summary>
    public static IReadOnlyList<(string Name, Func<Published, double?> Of)> Figures { get; } =
    [
        ("VOC 2007", p => p.Voc07), ("VOC 2007, in training", p => p.Voc07Training),
        ("COCO, AP50", p => p.Coco50), ("COCO, AP50 in training", p => p.Coco50Training), ("COCO, AP", p => p.Coco),
        ("KITTI", p => p.Kitti), ("ILSVRC", p => p.Ilsvrc), ("ms on a CPU", p => p.Cpu), ("ms on a GPU", p => p.Gpu),
    ];

    public static implicit operator Published(double voc07) => new(voc07);
}
