namespace Microsoft.ML.Distillation.Research;

/// <summary>What a student learns from its teacher in each column of Table 4, by the column's name. γ = ν = 0.5 and μ = 0.5
/// throughout.</summary>
internal static class PaperLessons
{
    /// <summary>Everything.</summary>
    public const string All = "all";

    // One list a name, so that rows of the same name are equal.
    private static readonly (string Name, IReadOnlyList<DistillationLoss> Losses)[] Lessons =
    [
        ("l2", [new BoundedBoxes { Kind = BoxDistillation.Squared }]),
        ("l2-b", [new BoundedBoxes()]),
        ("cls", [new SoftClasses { BackgroundWeight = 1 }]),
        ("cls-w", [new SoftClasses()]),
        ("hints", [new Hint { Adaptation = HintAdaptation.None }]),
        ("hints-a", [new Hint()]),
        ("l2-b+cls-w", [new SoftClasses(), new BoundedBoxes()]),
        (All, [new SoftClasses(), new BoundedBoxes(), new Hint()]),
    ];

    /// <summary>The names, in the paper's order.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Lessons.Select(lesson => lesson.Name)];

    /// <summary>The lesson of a name.</summary>
    /// <exception cref="ArgumentException">There is no such lesson.</exception>
    public static IReadOnlyList<DistillationLoss> Of(string name)
        => Lessons.FirstOrDefault(lesson => lesson.Name == name).Losses
        ?? throw new ArgumentException($"There is no lesson '{name}'; there are {string.Join(", ", Names)}.", nameof(name));
}
