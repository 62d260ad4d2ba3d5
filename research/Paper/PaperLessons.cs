namespace Microsoft.ML.Distillation.Research;

/// <summary>What a student learns from its teacher in each column of Table 4, by the column's name. γ = ν = 0.5 and μ = 0.5 throughout.</summary>
internal static class PaperLessons
{
    /// <summary>Everything.</summary>
    public const string All = "all";

    /// <summary>The names, in the paper's order.</summary>
    public static IReadOnlyList<string> Names { get; } = ["l2", "l2-b", "cls", "cls-w", "hints", "hints-a", "l2-b+cls-w", All];

    /// <summary>The lesson of a name.</summary>
    /// <exception cref="ArgumentException">There is no such lesson.</exception>
    public static DistillationOptions Of(string name) => name switch
    {
        "l2" => Only(boxes: true) with { Boxes = BoxDistillation.Squared },
        "l2-b" => Only(boxes: true),
        "cls" => Only(classes: true) with { BackgroundWeight = 1 },
        "cls-w" => Only(classes: true),
        "hints" => Only(hint: true) with { HintAdaptation = HintAdaptation.None },
        "hints-a" => Only(hint: true),
        "l2-b+cls-w" => Only(boxes: true, classes: true),
        All => new DistillationOptions { CwdWeight = 0 },
        _ => throw new ArgumentException($"There is no lesson '{name}'; there are {string.Join(", ", Names)}.", nameof(name)),
    };

    private static DistillationOptions Only(bool boxes = false, bool classes = false, bool hint = false) => new()
    {
        RpnBoundedRegression = boxes,
        RcnBoundedRegression = boxes,
        RpnSoftTargets = classes,
        RcnSoftTargets = classes,
        Hint = hint,
        CwdWeight = 0,
    };
}
