using System.Globalization;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Training;

/// <summary>What tells one run from another.</summary>
internal static class RunSettings
{
    /// <summary>The settings that must be equal for a run to continue another exactly, by name.</summary>
    public static IReadOnlyDictionary<string, string> Of(
        TrainingOptions options, TrainingPlan plan, IObjective objective, IDetectionDataset training, IDetectionDataset? validation) =>
        new Dictionary<string, string>
        {
            ["detector"] = objective.Student.Describe() + (objective.Student.Precision is { } precision ? $" of {Text(precision)}" : ""),
            ["objective"] = objective.Description,
            ["training set"] = Describe(training),
            ["validation set"] = validation is null ? "none" : Describe(validation),
            [nameof(options.Seed)] = Text(plan.Seed),
            [nameof(options.Epochs)] = Text(plan.Epochs),
            [nameof(options.BatchSize)] =
                Text(options.BatchSize) + (options.AccumulatedBatches == 1 ? "" : $" × {Text(options.AccumulatedBatches)}"),
            [nameof(options.Optimizer)] = Text(options.Optimizer),
            [nameof(options.LearningRate)] = Text(plan.LearningRate),
            [nameof(options.BackboneRate)] = Text(plan.BackboneRate),
            [nameof(options.Schedule)] = Text(options.Schedule),
            [nameof(options.WarmupSteps)] = Text(plan.WarmupSteps),
            [nameof(options.WeightDecay)] = Text(plan.WeightDecay),
            [nameof(options.Momentum)] = Text(options.Momentum),
            [nameof(options.GradientClip)] = Text(options.GradientClip),
            [nameof(options.EmaDecay)] = Text(options.EmaDecay),
            [nameof(options.Augmentation)] = Text(options.Augmentation),
            [nameof(options.MixedPrecision)] = Text(options.MixedPrecision),
            [nameof(options.ValidationEvery)] = Text(options.ValidationEvery),
        };

    /// <summary>The seed of torch's generator in a step: far apart for neighbouring seeds and steps.</summary>
    public static long StepSeed(int seed, int step)
    {
        // The finaliser of SplitMix64 (Steele et al., 2014).
        ulong mixed = ((ulong)(uint)seed << 32 | (uint)step) + 0x9E3779B97F4A7C15;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return (long)((mixed ^ (mixed >> 31)) >> 1);
    }

    /// <summary>A value as text that is the same in every culture.</summary>
    public static string Text(object? value)
    {
        // A record writes its numbers in the current culture, whatever is asked for.
        CultureInfo current = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
            return value?.ToString() is { Length: > 0 } text ? text : "none";
        }
        finally
        {
            CultureInfo.CurrentCulture = current;
        }
    }

    private static string Describe(IDetectionDataset data)
    {
        // FNV-1a over sizes and annotations: equal for equal data on every machine, unlike HashCode.
        ulong hash = 14695981039346656037;
        for (int i = 0; i < data.Count; i++)
        {
            ImageSize size = data.SizeOf(i);
            Annotation annotation = data.AnnotationOf(i);
            Add(size.Width);
            Add(size.Height);
            foreach (int label in annotation.Labels) Add(label);
            foreach (float side in annotation.Boxes) Add(BitConverter.SingleToInt32Bits(side));
        }

        string order = data is ISampleOrder { OrderDescription: { Length: > 0 } text } ? $", {text}" : "";
        return string.Create(CultureInfo.InvariantCulture,
            $"{data.Count} images of {string.Join(", ", data.ClassNames)} ({hash:x16}){order}");

        void Add(int value) => hash = (hash ^ (uint)value) * 1099511628211;
    }
}
