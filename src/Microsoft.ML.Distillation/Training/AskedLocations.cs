using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Boxes;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training;

/// <summary>
/// The locations of a batch whose boxes the teacher is asked about; A of them in all. Of each image at most half are locations with an
/// object, those of the highest target scores; the others are those of the highest scores that have none: the student's likeliest
/// mistakes.
/// </summary>
/// <param name="Images">For each image which of its locations [A_i] int64.</param>
/// <param name="Rows">[A] int64: which of the N·P rows.</param>
/// <param name="PositiveRows">[Q] int64: which of the A have an object.</param>
/// <param name="Targets">[Q] int64: and which of the targets' R rows they are.</param>
internal sealed record AskedLocations(IReadOnlyList<Tensor> Images, Tensor Rows, Tensor PositiveRows, Tensor Targets)
{
    /// <summary>Chooses the locations.</summary>
    /// <param name="logits">Class logits [N,P,C].</param>
    /// <param name="count">The most locations of an image.</param>
    public static AskedLocations Of(Tensor logits, DenseTargets targets, int count)
    {
        using DisposeScope scope = NewDisposeScope();
        int images = (int)logits.shape[0], points = (int)logits.shape[1];
        float[] scores = TensorArrays.Floats(logits.detach().amax([2])), qualities = TensorArrays.Floats(targets.Qualities);
        long[] assigned = TensorArrays.Integers(targets.Rows);
        var (perImage, rows, positiveRows, chosen) = (new List<Tensor>(), new List<long>(), new List<long>(), new List<long>());
        for (int n = 0, start = 0; n < images; n++)
        {
            int end = start;
            while (end < assigned.Length && assigned[end] < (long)(n + 1) * points) end++;
            var indices = new List<long>();
            foreach (int best in ScoreOrder.Top(qualities.AsSpan(start, end - start), count / 2))
            {
                positiveRows.Add(rows.Count + indices.Count);
                chosen.Add(start + best);
                indices.Add(assigned[start + best] - (long)n * points);
            }

            float[] others = scores[(n * points)..((n + 1) * points)];
            for (int i = start; i < end; i++) others[assigned[i] - (long)n * points] = float.NegativeInfinity;
            int empty = Math.Min(count - indices.Count, points - (end - start));
            foreach (int other in ScoreOrder.Top(others, empty)) indices.Add(other);
            perImage.Add(TensorArrays.Vector([.. indices], logits.device).MoveToOuterDisposeScope());
            rows.AddRange(indices.Select(index => (long)n * points + index));
            start = end;
        }

        return new AskedLocations(
            perImage, Keep(rows, logits.device), Keep(positiveRows, logits.device), Keep(chosen, logits.device));
    }

    private static Tensor Keep(List<long> values, Device device) => TensorArrays.Vector([.. values], device).MoveToOuterDisposeScope();
}
