using System.Globalization;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Teachers.Dense;

namespace Microsoft.ML.Distillation.Teachers.Onnx;

/// <summary>
/// Says at once that a teacher sees nothing: read or shown wrongly, it would teach that all is background, and label nothing. Several
/// threads may use it.
/// </summary>
/// <param name="remarks">Takes the remark.</param>
/// <param name="confidentScore">The score from which on a prediction is an opinion.</param>
internal sealed class OpinionWatch(DetectorRemarks remarks, double confidentScore)
{
    /// <summary>How many images tell.</summary>
    public const int Images = 50;

    private int _seen;
    private int _hasOpinion;

    /// <summary>Takes note of what the teacher predicts for an image, in the student's classes.</summary>
    public void See(StudentPredictions predictions)
    {
        if (Volatile.Read(ref _hasOpinion) != 0 || Volatile.Read(ref _seen) >= Images) return;
        if (Enumerable.Range(0, predictions.Count).Any(i => HasOpinion(predictions.ProbabilitiesOf(i)[1..])))
        {
            Volatile.Write(ref _hasOpinion, 1);
            return;
        }

        if (Interlocked.Increment(ref _seen) != Images) return;
        remarks.Add(string.Create(CultureInfo.InvariantCulture,
            $"The teacher is of no opinion in the first {Images} images that it is shown: none of its scores for the student's classes is "
            + $"{confidentScore:0.###} or more, so it takes all for background. Its preprocessing, the order of its class names or the "
            + $"option {nameof(OnnxDetectorOptions.ConfidentScore)} may be others."));
    }

    private bool HasOpinion(ReadOnlySpan<float> probabilities)
    {
        foreach (float probability in probabilities)
        {
            if (probability >= confidentScore) return true;
        }

        return false;
    }
}
