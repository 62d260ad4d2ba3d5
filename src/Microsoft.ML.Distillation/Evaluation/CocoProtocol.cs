namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>The constants of COCO's detection evaluation (cocodataset/cocoapi, COCOeval's parameters for boxes).</summary>
internal static class CocoProtocol
{
    /// <summary>The largest number of detections of one class in one image that count.</summary>
    public const int MaxDetections = 100;

    /// <summary>The numbers of detections at which recall is also measured.</summary>
    public static readonly int[] RecallDetections = [1, 10, MaxDetections];

    /// <summary>The IoU thresholds .50, .55, … .95.</summary>
    public static readonly double[] IouThresholds = Steps(0.5, 0.95, 10);

    /// <summary>The recalls 0, .01, … 1 at which precision is read.</summary>
    public static readonly double[] RecallThresholds = Steps(0, 1, 101);

    /// <summary>The ranges of areas in square pixels: all, small, medium, large; both ends belong to a range.</summary>
    public static readonly (double From, double To)[] AreaRanges = [(0, 1e10), (0, 32 * 32), (32 * 32, 96 * 96), (96 * 96, 1e10)];

    // In the reference's own arithmetic, so that a value that falls on a threshold falls on the same side.
    private static double[] Steps(double from, double to, int count)
    {
        double step = (to - from) / (count - 1);
        var values = new double[count];
        for (int i = 0; i < count; i++) values[i] = from + i * step;
        values[^1] = to;
        return values;
    }
}
