namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>One image's annotated and detected objects. Either may be empty.</summary>
internal sealed record EvaluationImage(TrueBox[] Truth, DetectedBox[] Detections)
{
    /// <summary>Makes one from boxes that are shares of the image.</summary>
    /// <param name="width">The image's width in pixels.</param>
    /// <param name="height">The image's height in pixels.</param>
    /// <param name="boxes">4N shares, x0 y0 x1 y1 of each annotated object.</param>
    /// <param name="labels">N classes, 0-based.</param>
    /// <param name="detectedBoxes">4M shares of the detections.</param>
    /// <param name="scores">M scores.</param>
    /// <param name="detectedLabels">M classes, 0-based.</param>
    public static EvaluationImage FromShares(
        int width, int height,
        ReadOnlySpan<float> boxes, ReadOnlySpan<int> labels,
        ReadOnlySpan<float> detectedBoxes, ReadOnlySpan<float> scores, ReadOnlySpan<int> detectedLabels)
    {
        var truth = new TrueBox[labels.Length];
        for (int i = 0; i < truth.Length; i++) truth[i] = new TrueBox(InPixels(boxes, i, width, height), labels[i]);
        var detections = new DetectedBox[detectedLabels.Length];
        for (int i = 0; i < detections.Length; i++)
            detections[i] = new DetectedBox(InPixels(detectedBoxes, i, width, height), detectedLabels[i], scores[i]);
        return new EvaluationImage(truth, detections);
    }

    /// <summary>Checks that every annotated object has a class of the list; only a don't-care region may have none.</summary>
    /// <exception cref="ArgumentException">One has not; the message names its image.</exception>
    public static void CheckLabels(IReadOnlyList<EvaluationImage> images, int classes)
    {
        for (int i = 0; i < images.Count; i++)
        {
            foreach (ref readonly TrueBox box in images[i].Truth.AsSpan())
            {
                if ((uint)box.Label < (uint)classes || box.DontCare && box.Label == TrueBox.EveryClass) continue;
                throw new ArgumentException($"Image {i} has an object of class {box.Label}; there are {classes} classes.", nameof(images));
            }
        }
    }

    private static Box InPixels(ReadOnlySpan<float> shares, int index, double width, double height)
    {
        ReadOnlySpan<float> box = shares.Slice(4 * index, 4);
        return new Box(box[0] * width, box[1] * height, box[2] * width, box[3] * height);
    }
}
