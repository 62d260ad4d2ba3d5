namespace Microsoft.ML.Distillation;

/// <summary>Training broke down: a term of the loss, or its gradient, is no longer a finite number.</summary>
public sealed class TrainingDivergedException : InvalidOperationException
{
    /// <summary>Makes the exception.</summary>
    /// <param name="step">The step at which training broke down, from 1.</param>
    /// <param name="term">The term that broke.</param>
    /// <param name="value">Its value.</param>
    public TrainingDivergedException(int step, string term, double value)
        : base($"Training stopped at step {step}: '{term}' is {value.ToString(System.Globalization.CultureInfo.InvariantCulture)}. "
            + "Try a lower LearningRate, a longer warm-up (WarmupSteps) or a smaller GradientClip.")
    {
        Step = step;
        Term = term;
    }

    /// <summary>The step at which training broke down, from 1.</summary>
    public int Step { get; }

    /// <summary>The name of the term that broke, or <c>gradient</c>.</summary>
    public string Term { get; }
}
