namespace Microsoft.ML.Distillation;

/// <summary>
/// What a detector gets wrong, and what each kind of error costs: the kinds of Bolya et al., "TIDE: A General Toolbox for
/// Identifying Object Detection Errors" (ECCV 2020), at the IoU thresholds .5 (found) and .1 (background).
/// </summary>
/// <remarks>
/// <para>
/// In each image the 100 best detections of each class are matched, best score first, each with the object of its class
/// that it overlaps most by .5 or more and that no better detection has found. A detection that finds nothing, and meets no
/// crowd, difficult object or don't-care region of its class, is an error of the first of these kinds that fits:
/// <see cref="Localisation"/>, <see cref="Classification"/>, <see cref="Duplicate"/>, <see cref="Background"/>,
/// <see cref="Both"/>.
/// </para>
/// <para>
/// A kind's cost is what AP50 would gain if just this kind were put right. Errors of localisation and classification become
/// right detections of the object they point at if it is not found and if no surer error of either kind points at it;
/// otherwise, like duplicates, background and both, they vanish. Missed objects are taken out of the objects to find; a class of
/// which none is left then counts as 1 if it has no false detection, else as 0. Costs do not add up: errors hide each other.
/// </para>
/// </remarks>
public sealed record DetectionErrors
{
    /// <summary>AP50 with all errors in it: the mean over the classes that have objects; NaN where none has.</summary>
    public required double AveragePrecision50 { get; init; }

    /// <summary>The right class in the wrong place: the highest IoU with an object of the detected class is from .1 to below .5.</summary>
    public required DetectionErrorKind Localisation { get; init; }

    /// <summary>The right place with the wrong class: the highest IoU with an object of another class is .5 or more.</summary>
    public required DetectionErrorKind Classification { get; init; }

    /// <summary>Right, had not a better detection found the object: the IoU with an object of the detected class is .5 or more.</summary>
    public required DetectionErrorKind Duplicate { get; init; }

    /// <summary>Nothing there: no object of any class is overlapped by more than .1.</summary>
    public required DetectionErrorKind Background { get; init; }

    /// <summary>Neither place nor class: the highest IoU, with an object of another class, is above .1 and below .5.</summary>
    public required DetectionErrorKind Both { get; init; }

    /// <summary>Objects not found at which no error of localisation or classification points: nothing says that they were seen.</summary>
    public required DetectionErrorKind Missed { get; init; }
}

/// <summary>One kind of error.</summary>
/// <param name="Count">How many there are.</param>
/// <param name="AveragePrecisionGain">What AP50 would gain without them, 0 to 1, never below 0; NaN without any object.</param>
public sealed record DetectionErrorKind(int Count, double AveragePrecisionGain);

/// <summary>Which classes are taken for which: for each class of the objects, how often each class was detected in their place.</summary>
/// <remarks>
/// Detections of at least <see cref="ScoreThreshold"/> take part. First, best score first, each finds the object of its own
/// class that it overlaps most, if by <see cref="IouThreshold"/> or more and if it is not found yet. Then, again best first,
/// each of the others takes the object of another class that it overlaps most, if by as much and if nothing has taken it: a
/// confusion. What is left over is a detection of the background, or a missed object. Detections that meet a crowd, a
/// difficult object or a don't-care region of their class, and those objects, are left out.
/// </remarks>
public sealed record ConfusionMatrix
{
    /// <summary>The classes, in the order of the first rows and columns.</summary>
    public required IReadOnlyList<string> ClassNames { get; init; }

    /// <summary>
    /// A row for each class of objects and a last one for the background; a column for each detected class and a last one for
    /// nothing detected. A class's row sums to the number of its objects, its column to the number of its detections.
    /// </summary>
    public required IReadOnlyList<IReadOnlyList<int>> Counts { get; init; }

    /// <summary>The lowest score of a detection that takes part.</summary>
    public required double ScoreThreshold { get; init; }

    /// <summary>The lowest IoU at which a detection takes an object.</summary>
    public required double IouThreshold { get; init; }

    /// <summary>The index of the last row and column: the background's.</summary>
    public int Background => ClassNames.Count;

    /// <summary>The share of a class's detections that are right; NaN without any.</summary>
    /// <param name="label">The class's index.</param>
    public double Precision(int label) => (double)Counts[label][label] / Counts.Sum(row => row[label]);

    /// <summary>The share of a class's objects that are found; NaN without any.</summary>
    /// <param name="label">The class's index.</param>
    public double Recall(int label) => (double)Counts[label][label] / Counts[label].Sum();
}
