using Microsoft.ML.Distillation.Boxes;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Rows;
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
internal sealed record SampledLocations(IReadOnlyList<Tensor> Images, Tensor Rows, Tensor PositiveRows, Tensor Targets)
{
    /// <summary>Chooses the locations.</summary>
    /// <param name="logits">Class logits [N,P,C].</param>
    /// <param name="count">The most locations of an image.</param>
    public static SampledLocations Of(Tensor logits, DenseTargets targets, int count)
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

        return new SampledLocations(
            perImage, Keep(rows, logits.device), Keep(positiveRows, logits.device), Keep(chosen, logits.device));
    }

    private static Tensor Keep(List<long> values, Device device) => TensorArrays.Vector([.. values], device).MoveToOuterDisposeScope();
}

/// <summary>
/// Objects of the student's classes that the teacher lacks. The teacher sees background there, or something else; near them only the
/// labels teach.
/// </summary>
/// <param name="classes">The classes, as indices.</param>
internal sealed class IgnoreRegions(IReadOnlyCollection<int> classes)
{
    /// <summary>The overlap (IoU) with such an object from which on a box is near it; the boxes that overlap it most always are.</summary>
    private const double LeastOverlap = 0.3;

    /// <summary>
    /// For each of the boxes, images in order, whether it is away from all such objects [R] bool; <see langword="null"/> where there are
    /// none.
    /// </summary>
    /// <param name="annotations">The objects of the N images.</param>
    /// <param name="boxes">For each image boxes in shares [R_i,4].</param>
    public Tensor? AwayFrom(IReadOnlyList<Annotation> annotations, IReadOnlyList<Tensor> boxes)
    {
        if (classes.Count == 0 || !annotations.Any(image => image.Labels.Any(classes.Contains))) return null;
        using var scope = NewDisposeScope();
        return cat([.. annotations.Zip(boxes, AwayFrom)]).MoveToOuterDisposeScope();
    }

    /// <summary>For each class index [Q] whether the teacher knows the class, [Q] bool.</summary>
    public Tensor AreKnown(Tensor labels)
    {
        bool[] known = [.. TensorArrays.Integers(labels).Select(label => !classes.Contains((int)label))];
        return known.Length == 0 ? zeros([0], ScalarType.Bool, labels.device) : tensor(known, device: labels.device);
    }

    private Tensor AwayFrom(Annotation annotation, Tensor boxes)
    {
        float[] objects = [.. Enumerable.Range(0, annotation.Count).Where(i => classes.Contains(annotation.Labels[i]))
            .SelectMany(i => annotation.Boxes[(4 * i)..(4 * i + 4)])];
        if (objects.Length == 0 || boxes.shape[0] == 0) return ones(boxes.shape[0], ScalarType.Bool, boxes.device);
        using Scalar least = LeastOverlap;
        using Scalar zero = 0;
        Tensor iou = BoxOps.Iou(boxes, TensorArrays.Boxes(objects, boxes.device));
        // The anchors that overlap an object most are its own, however little that is.
        Tensor most = iou.ge(iou.amax([0], keepdim: true)).logical_and(iou.gt(zero));
        return iou.ge(least).logical_or(most).any(1).logical_not();
    }
}
