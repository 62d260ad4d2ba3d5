using System.Globalization;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Distillation.Estimators;

/// <summary>Writes a line to <see cref="MLContext.Log"/> at the end of each epoch, and passes every report on.</summary>
internal sealed class ProgressLog(IChannel channel, IProgress<TrainingProgress>? next) : IProgress<TrainingProgress>
{
    /// <inheritdoc/>
    public void Report(TrainingProgress value)
    {
        if (value.EpochEnd) channel.Info(MessageSensitivity.None, Line(value));
        next?.Report(value);
    }

    /// <summary>What an epoch came to: the loss, its terms with their shares, the speed, and the validation.</summary>
    internal static string Line(TrainingProgress value)
    {
        IReadOnlyDictionary<string, double> shares = value.Shares;
        string terms = string.Join(", ", value.Losses.Select(term =>
            string.Create(CultureInfo.InvariantCulture, $"{term.Key} {term.Value:0.0000} ({shares[term.Key]:P0})")));
        string validation = value.ValidationAveragePrecision is double ap
            ? string.Create(CultureInfo.InvariantCulture,
                $"; validation AP {100 * ap:0.0} %, AP50 {100 * value.ValidationAveragePrecision50!.Value:0.0} %")
            : "";
        return string.Create(CultureInfo.InvariantCulture,
            $"Epoch {value.Epoch}/{value.Epochs}: loss {value.Loss:0.0000} ({terms}){validation}; {value.ImagesPerSecond:0.0} images/s");
    }
}
