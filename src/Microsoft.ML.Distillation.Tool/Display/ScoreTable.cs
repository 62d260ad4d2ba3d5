using System.Globalization;
using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation.Tool.Display;

/// <summary>From which score on detections are best taken for objects, and what that means; and whether a model is usable.</summary>
internal static class ScoreTable
{
    private const int MostClasses = 20;

    // Of objects found and alarms that are right, taken together: below the one nobody can use a model, below the other few.
    private const double NotUsable = .2, Weak = .5;

    /// <summary>Writes a line over all classes, one for each class, and a verdict where a model is weak.</summary>
    public static void Write(TextWriter output, DetectionMetrics metrics)
    {
        output.WriteLine();
        output.WriteLine($"best score  {Text(metrics.Scores)}");
        DetectionClassMetrics[] classes = [.. metrics.Classes.Where(c => c.Scores.Objects > 0)];
        int column = classes.Take(MostClasses).Select(c => c.Name.Length).DefaultIfEmpty(0).Max() + 1;
        foreach (DetectionClassMetrics c in classes.Take(classes.Length > 1 ? MostClasses : 0))
            output.WriteLine($"  {(c.Name + ':').PadRight(column)} {Text(c.Scores)}");
        if (classes.Length > MostClasses) output.WriteLine($"  … and {classes.Length - MostClasses} other classes; --json writes them all");
        if (Verdict(metrics) is { } verdict) output.WriteLine($"verdict     {verdict}");
    }

    /// <summary>What is to be said of a model that finds too little, or what is not there; <see langword="null"/>: nothing.</summary>
    public static string? Verdict(DetectionMetrics metrics)
    {
        ScorePoint best = metrics.Scores.Best;
        if (metrics.Scores.Objects == 0) return null;
        string f1 = string.Create(CultureInfo.InvariantCulture, $"F1 is {100 * (double.IsNaN(best.Score) ? 0 : best.F1):0} % at best");
        return double.IsNaN(best.Score) || best.F1 < NotUsable ? $"not usable: it finds next to nothing rightly ({f1})"
            : best.F1 < Weak ? $"weak: it misses much, or much of what it finds is not there ({f1})" : null;
    }

    private static string Text(ScoreAdvice advice) => advice switch
    {
        { Objects: 0 } => "there is no object to find",
        { Best: var best } when double.IsNaN(best.Score) => $"of {Counted.Of(advice.Objects, "object")} none is found, at any score",
        { Best: var best } => string.Create(CultureInfo.InvariantCulture,
            $"{best.Score:0.00}: of {Counted.Of(advice.Objects, "object")} {best.Found} found, "
            + $"{Counted.Of(best.FalseAlarms, "false alarm")} (precision "
            + $"{100 * best.Precision:0.0} %, recall {100 * best.Recall:0.0} %, F1 {100 * best.F1:0.0} %)"),
    };
}
