namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>The constants of KITTI's object evaluation (Geiger et al. 2012, and evaluate_object.cpp of its development kit).</summary>
internal static class KittiProtocol
{
    /// <summary>The number of steps from recall 0 to recall 1.</summary>
    public const int RecallSteps = 40;

    /// <summary>How much an object may be hidden, cut off or far away to count at each difficulty.</summary>
    public static readonly KittiLevel Easy = new(40, 0, 0.15), Moderate = new(25, 1, 0.3), Hard = new(25, 2, 0.5);

    /// <summary>The recalls 0, 1/40, … 1.</summary>
    public static readonly double[] Recalls = [.. Enumerable.Range(0, RecallSteps + 1).Select(i => (double)i / RecallSteps)];

    private static readonly string[] Measured = ["Car", "Pedestrian", "Cyclist"];

    /// <summary>Whether KITTI measures a class. Upper and lower case do not matter.</summary>
    public static bool Measures(string name) => Measured.Contains(name, StringComparer.OrdinalIgnoreCase);

    /// <summary>The IoU that a detection has to exceed.</summary>
    public static double IouThreshold(string name) => Same(name, "Car") ? 0.7 : 0.5;

    /// <summary>Whether an object of the other class may be taken for one of the class without harm or profit.</summary>
    public static bool AreNeighbours(string name, string other)
        => Same(name, "Car") && Same(other, "Van") || Same(name, "Pedestrian") && Same(other, "Person_sitting");

    private static bool Same(string name, string other) => name.Equals(other, StringComparison.OrdinalIgnoreCase);
}

/// <summary>A difficulty.</summary>
/// <param name="LeastHeight">The height in pixels that an object must exceed, and that a detection must reach.</param>
/// <param name="MostOcclusion">The highest <see cref="TrueBox.Occlusion"/>.</param>
/// <param name="MostTruncation">The highest <see cref="TrueBox.Truncation"/>.</param>
internal sealed record KittiLevel(double LeastHeight, int MostOcclusion, double MostTruncation)
{
    /// <summary>Whether an object is too hard to be asked for at this difficulty. One of just the height is, as in the reference.</summary>
    public bool Excludes(in TrueBox box)
        => box.Ignored || box.Box.Height <= LeastHeight || box.Occlusion > MostOcclusion || box.Truncation > MostTruncation;
}
