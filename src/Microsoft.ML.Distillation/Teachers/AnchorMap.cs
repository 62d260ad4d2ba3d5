using Microsoft.ML.Distillation.Boxes;
using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers.Dense;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Teachers;

/// <summary>Finds for each of a student's anchors the teacher's anchor that is its like.</summary>
/// <param name="Rows">
/// For each of the student's A anchors the index of the teacher's [A]; <see langword="null"/> where both have the same.
/// </param>
internal sealed record AnchorMap(Tensor? Rows) : IDisposable
{
    /// <summary>The overlap (IoU) from which on two anchors are one and the same question.</summary>
    private const double Alike = 0.9;

    private const long ChunkElements = 4 << 20;

    /// <summary>
    /// Matches the anchors, both in shares of the image; <see langword="null"/> where one of the student's has no like, as on grids that
    /// do not lie on each other: the nearest anchor there is about another place or size of object, and says so.
    /// </summary>
    public static AnchorMap? Between(Tensor student, Tensor teacher)
    {
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        if (student.shape[0] == teacher.shape[0] && student.allclose(teacher, rtol: 0, atol: 1e-5)) return new AnchorMap(Rows: null);
        var rows = new List<Tensor>();
        foreach (Tensor chunk in student.split(Math.Max(1, ChunkElements / teacher.shape[0])))
        {
            using var inner = NewDisposeScope();
            (Tensor best, Tensor index) = BoxOps.Iou(chunk, teacher).max(1);
            if (best.min().ToDouble() < Alike) return null;
            rows.Add(index.MoveToOuterDisposeScope());
        }

        return new AnchorMap(cat(rows).DetachFromDisposeScope());
    }

    /// <summary>From answers for the teacher's anchors [N,A_t,...] those for the student's [N,A,...].</summary>
    public Tensor Select(Tensor teacher) => Rows is null ? teacher.alias() : teacher.index_select(1, Rows);

    /// <inheritdoc/>
    public void Dispose() => Rows?.Dispose();
}

/// <summary>
/// A region proposal network's answers for anchors that are not its own: by <see cref="OverlapRule"/> of the boxes to which it moves its
/// own anchors, which are about the objects themselves and no longer about the grid.
/// </summary>
internal static class RefinedAnchors
{
    /// <summary>The objectness from which on a box is the network's opinion, and that below which it is noise.</summary>
    private const double ConfidentScore = 0.5, NoiseScore = 0.15;

    private static readonly OverlapRule Rule = new(ConfidentScore, MatchOverlap: 0.5, ForeignOverlap: 0.3);

    /// <summary>The answers for anchors [A,4], in shares.</summary>
    /// <param name="objectness">Of the network's own anchors [N,A_t], 0 to 1.</param>
    /// <param name="refined">Where it moves them [N,A_t,4], in shares.</param>
    public static AnchorScores Score(Tensor anchors, Tensor objectness, Tensor refined)
    {
        (int images, int own) = ((int)objectness.shape[0], (int)objectness.shape[1]);
        float[] scores = TensorArrays.Floats(objectness), boxes = TensorArrays.Floats(refined);
        return new DenseAnswers(Rule, 1, [.. Enumerable.Range(0, images).Select(Predictions)], anchors.device, areQualities: false)
            .ScoreAnchors(anchors);

        StudentPredictions Predictions(int image)
        {
            int[] rows = [.. Enumerable.Range(image * own, own).Where(row => scores[row] >= NoiseScore)];
            return new StudentPredictions(
                [.. rows.SelectMany(row => boxes[(4 * row)..(4 * row + 4)])],
                [.. rows.SelectMany(row => new[] { 1 - scores[row], scores[row] })],
                [.. rows.Select(row => scores[row])]);
        }
    }
}

/// <summary>Objects of those of a teacher's classes that the student lacks, where the teacher itself finds them.</summary>
internal static class IgnoredObjects
{
    /// <summary>
    /// The overlap (IoU) with such an object from which on an anchor is about it: below it the RPN learned to say background.
    /// </summary>
    private const double LeastOverlap = 0.3;

    /// <summary>Of detections of all classes that overlap by more (IoU), the surest says what is there.</summary>
    private const float SameObject = 0.5f;

    /// <summary>
    /// Whether each anchor [A,4] is about something else than such an object, [A] bool. What an anchor is about is the detection that it
    /// overlaps most, if by <see cref="LeastOverlap"/> or if no other anchor overlaps that one more.
    /// </summary>
    /// <param name="anchors">In shares of the image.</param>
    /// <param name="found">What the teacher finds in the image, in its own classes.</param>
    public static Tensor AwayFrom(Tensor anchors, Detections found, ClassMatch classes)
    {
        int[] objects = Nms.Keep(found.Boxes, found.Scores, SameObject);
        bool[] ignored = Array.ConvertAll(objects, i => classes.StudentOf(found.Labels[i]) < 0);
        if (!ignored.Contains(true)) return ones(anchors.shape[0], ScalarType.Bool, anchors.device);
        using var scope = NewDisposeScope();
        using Scalar least = LeastOverlap, zero = 0;
        Tensor iou = BoxOps.Iou(anchors, TensorArrays.Boxes(found.Of(objects).Boxes, anchors.device));
        (Tensor overlap, Tensor most) = iou.max(1);
        Tensor isItsOwn = iou.ge(iou.amax([0], keepdim: true)).gather(1, most.unsqueeze(1)).squeeze(1).logical_and(overlap.gt(zero));
        Tensor isAbout = overlap.ge(least).logical_or(isItsOwn);
        return tensor(ignored, device: anchors.device).index_select(0, most).logical_and(isAbout).logical_not().MoveToOuterDisposeScope();
    }
}
