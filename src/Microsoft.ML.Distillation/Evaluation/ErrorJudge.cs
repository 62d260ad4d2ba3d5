namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>Finds the error of each detection of one image, by the definitions of <see cref="DetectionErrors"/>.</summary>
internal static class ErrorJudge
{
    /// <summary>The IoU from which a detection finds an object.</summary>
    public const double FoundFrom = 0.5;

    /// <summary>The IoU up to which a detection meets only background.</summary>
    public const double BackgroundTo = 0.1;

    /// <summary>Judges an image's detections, best first.</summary>
    /// <param name="match">The image, matched at <see cref="FoundFrom"/>.</param>
    /// <param name="judged">Receives the detections.</param>
    /// <param name="missed">Receives the number of missed objects, added to those of each class.</param>
    public static void Judge(ImageMatch match, List<JudgedDetection> judged, int[] missed)
    {
        bool[] seen = [.. match.Found];
        for (int d = 0; d < match.Detections.Length; d++)
        {
            if (match.Excused[d]) continue;
            DetectedBox box = match.Detections[d];
            (ErrorKind kind, int at) = match.ObjectOf[d] >= 0 ? (ErrorKind.None, -1) : KindOf(match, d);
            var detection = new JudgedDetection(box.Label, box.Rank, kind);
            judged.Add(detection);
            if (at < 0 || seen[at]) continue;
            seen[at] = true;
            detection.Repaired = match.Objects[at].Label;
        }

        for (int g = 0; g < seen.Length; g++)
        {
            if (!seen[g]) missed[match.Objects[g].Label]++;
        }
    }

    /// <summary>The error, and the object at which it points if it is one of localisation or classification.</summary>
    private static (ErrorKind Kind, int Object) KindOf(ImageMatch match, int detection)
    {
        int label = match.Detections[detection].Label;
        (int same, double sameIou) = match.Nearest(detection, g => match.Objects[g].Label == label);
        if (sameIou is >= BackgroundTo and < FoundFrom) return (ErrorKind.Localisation, same);

        (int other, double otherIou) = match.Nearest(detection, g => match.Objects[g].Label != label);
        if (otherIou >= FoundFrom) return (ErrorKind.Classification, other);
        if (sameIou >= FoundFrom) return (ErrorKind.Duplicate, -1);
        return (otherIou <= BackgroundTo ? ErrorKind.Background : ErrorKind.Both, -1);
    }
}
