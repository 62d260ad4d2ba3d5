namespace Microsoft.ML.Distillation.Training;

/// <summary>The options with everything decided that they leave to the data and the network.</summary>
internal sealed record TrainingPlan
{
    public required int Epochs { get; init; }

    public required int StepsPerEpoch { get; init; }

    public required int WarmupSteps { get; init; }

    public required double LearningRate { get; init; }

    /// <summary>The learning rate of the backbone, as a share of <see cref="LearningRate"/>.</summary>
    public required double BackboneRate { get; init; }

    public required double WeightDecay { get; init; }

    public required LearningRateSchedule Schedule { get; init; }

    public required int Seed { get; init; }

    /// <summary>The number of steps over all epochs.</summary>
    public int Steps => Epochs * StepsPerEpoch;

    /// <summary>Decides. The rules are documented at the options.</summary>
    /// <param name="images">The number of training images.</param>
    /// <param name="parameters">The number of the network's parameters.</param>
    public static TrainingPlan For(TrainingOptions options, int images, long parameters)
    {
        int epochs = options.Epochs ?? TrainingOptions.DefaultEpochs(images);
        int stepsPerEpoch = (int)Math.Max(1, images / options.StepSize);
        bool adaptive = options.Optimizer == OptimizerKind.AdamW;
        return new TrainingPlan
        {
            Epochs = epochs,
            StepsPerEpoch = stepsPerEpoch,
            WarmupSteps = Math.Min(options.WarmupSteps, epochs * stepsPerEpoch / 10),
            LearningRate = options.LearningRate ?? DefaultRate(options, parameters),
            BackboneRate = options.BackboneRate ?? 1,
            WeightDecay = options.WeightDecay ?? (adaptive ? 0.05 : 0.0005),
            Schedule = options.Schedule,
            Seed = options.Seed ?? Random.Shared.Next(),
        };
    }

    /// <summary>The highest learning rate where none is set.</summary>
    /// <param name="parameters">The number of the network's parameters.</param>
    public static double DefaultRate(TrainingOptions options, long parameters) =>
        options.Optimizer == OptimizerKind.AdamW ? DefaultAdaptiveRate(parameters, options.StepSize) : 0.00125 * options.StepSize;

    /// <summary>The learning rate of a step.</summary>
    /// <param name="step">The number of the step, from 1.</param>
    public double LearningRateAt(int step)
    {
        if (step <= WarmupSteps) return LearningRate * step / WarmupSteps;
        double progress = (step - 1.0 - WarmupSteps) / Math.Max(1, Steps - WarmupSteps);
        double factor = Schedule switch
        {
            LearningRateSchedule.Cosine => 0.5 * (1 + Math.Cos(Math.PI * progress)),
            LearningRateSchedule.Step => progress < 2.0 / 3 ? 1 : progress < 8.0 / 9 ? 0.1 : 0.01,
            _ => throw new InvalidOperationException($"There is no schedule {Schedule}."),
        };
        return LearningRate * factor;
    }

    private static double DefaultAdaptiveRate(long parameters, long images) =>
        0.002 * Math.Min(1, Math.Pow(1e6 / Math.Max(1, parameters), 2.0 / 3)) * Math.Sqrt(images / 4.0);
}
