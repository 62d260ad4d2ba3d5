namespace Microsoft.ML.Distillation;

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
