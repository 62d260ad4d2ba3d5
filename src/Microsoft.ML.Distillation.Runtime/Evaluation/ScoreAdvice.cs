namespace Microsoft.ML.Distillation;

/// <summary>
/// What follows from the score from which detections are taken for objects: how many of the objects are found, and how many detections
/// are false alarms. A detection is right that overlaps an object of its class by an IoU of .5 or more which no better one has found;
/// crowds, difficult objects and don't-care regions excuse.
/// </summary>
public sealed record ScoreAdvice
{
    /// <summary>Nothing to advise: there is no object.</summary>
    public static ScoreAdvice None { get; } = new() { Objects = 0, Best = new ScorePoint(double.NaN, 0, 0, 0), Points = [] };

    /// <summary>The number of objects to find.</summary>
    public required int Objects { get; init; }

    /// <summary>The score with the highest F1, the lowest of several; its score is NaN where nothing is found.</summary>
    public required ScorePoint Best { get; init; }

    /// <summary>What follows from the scores .01, .02, … .99.</summary>
    public required IReadOnlyList<ScorePoint> Points { get; init; }
}

/// <summary>What follows from one score.</summary>
/// <param name="Score">The score from which detections are taken for objects, 0 to 1.</param>
/// <param name="Found">How many objects are found.</param>
/// <param name="FalseAlarms">How many detections find none.</param>
/// <param name="Missed">How many objects are not found.</param>
public readonly record struct ScorePoint(double Score, int Found, int FalseAlarms, int Missed)
{
    /// <summary>The share of the detections that are right, 0 to 1; NaN without any.</summary>
    public double Precision => (double)Found / (Found + FalseAlarms);

    /// <summary>The share of the objects that are found, 0 to 1; NaN without any.</summary>
    public double Recall => (double)Found / (Found + Missed);

    /// <summary>The harmonic mean of the two, 0 to 1; NaN where there is neither an object nor a detection.</summary>
    public double F1 => 2.0 * Found / (2 * Found + FalseAlarms + Missed);
}
