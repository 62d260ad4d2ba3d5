namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>All figures at once.</summary>
internal static class DetectionEvaluator
{
    /// <summary>Measures detections against the ground truth by every rule.</summary>
    /// <inheritdoc cref="CocoEvaluator.Evaluate(IReadOnlyList{EvaluationImage}, IReadOnlyList{string})"/>
    public static DetectionMetrics Evaluate(IReadOnlyList<EvaluationImage> images, IReadOnlyList<string> classNames)
    {
        ClassGroup[] groups = ClassGroup.Of(images, classNames.Count);
        CocoMetrics coco = CocoEvaluator.EvaluateGroups(groups, classNames);
        VocMetrics voc07 = VocEvaluator.EvaluateGroups(groups, classNames, new VocProtocol(VocInterpolation.ElevenPoints));
        VocMetrics voc12 = VocEvaluator.EvaluateGroups(groups, classNames, new VocProtocol(VocInterpolation.AllPoints));
        return new DetectionMetrics
        {
            Coco = coco,
            Voc07 = voc07,
            Voc12 = voc12,
            Images = images.Count,
            Classes = [.. groups.Select((group, c) => new DetectionClassMetrics(
                classNames[c], group.Truth.Count, group.Detections.Count,
                coco.Classes[c].AveragePrecision, coco.Classes[c].AveragePrecision50,
                voc07.Classes[c].AveragePrecision, voc12.Classes[c].AveragePrecision))],
        };
    }
}
