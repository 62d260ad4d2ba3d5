namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>All figures at once.</summary>
internal static class DetectionEvaluator
{
    /// <summary>Measures detections against the ground truth by every rule.</summary>
    /// <param name="inclusivePixels">Whether VOC's figures take a width for x1 - x0 + 1.</param>
    /// <inheritdoc cref="CocoEvaluator.Evaluate(IReadOnlyList{EvaluationImage}, IReadOnlyList{string}, int)"/>
    public static DetectionMetrics Evaluate(IReadOnlyList<EvaluationImage> images, IReadOnlyList<string> classNames, bool inclusivePixels = true)
    {
        ClassGroup[] groups = ClassGroup.Of(images, classNames.Count);
        CocoMetrics coco = CocoEvaluator.EvaluateGroups(groups, classNames);
        VocMetrics voc07 = VocEvaluator.EvaluateGroups(groups, classNames, new VocProtocol(VocInterpolation.ElevenPoints, InclusivePixels: inclusivePixels));
        VocMetrics voc12 = VocEvaluator.EvaluateGroups(groups, classNames, new VocProtocol(VocInterpolation.AllPoints, InclusivePixels: inclusivePixels));
        bool kitti = classNames.Any(KittiProtocol.Measures);
        return new DetectionMetrics
        {
            Coco = coco,
            Voc07 = voc07,
            Voc12 = voc12,
            Ilsvrc = IlsvrcEvaluator.EvaluateGroups(groups, classNames),
            Kitti = kitti ? KittiEvaluator.Evaluate(images, classNames) : null,
            Confusion = ConfusionCounter.Count(images, classNames),
            Errors = ErrorAnalyzer.Analyze(images, classNames),
            Images = images.Count,
            Classes = [.. groups.Select((group, c) => new DetectionClassMetrics(
                classNames[c], group.Truth.Count(box => !box.DontCare), group.Detections.Count,
                coco.Classes[c].AveragePrecision, coco.Classes[c].AveragePrecision50,
                voc07.Classes[c].AveragePrecision, voc12.Classes[c].AveragePrecision))],
        };
    }
}
