using Microsoft.ML.Distillation.Detectors.Boxes;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Teachers;

/// <summary>Finds for each of a student's anchors the teacher's anchor that is most like it.</summary>
/// <param name="Rows">For each of the student's A anchors the index of the teacher's [A]; <see langword="null"/> where both have the same.</param>
/// <param name="Known">Whether the two overlap enough for the teacher's answer to mean anything [A].</param>
internal sealed record AnchorMap(Tensor? Rows, Tensor Known) : IDisposable
{
    /// <summary>The overlap (IoU) from which on two anchors ask about the same thing.</summary>
    private const double LeastOverlap = 0.5;

    private const long ChunkElements = 4 << 20;

    /// <summary>Matches the anchors, both in shares of the image.</summary>
    public static AnchorMap Between(Tensor student, Tensor teacher)
    {
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        if (student.shape[0] == teacher.shape[0] && student.allclose(teacher, rtol: 0, atol: 1e-5))
            return new AnchorMap(null, ones(student.shape[0], ScalarType.Bool, student.device).DetachFromDisposeScope());

        var rows = new List<Tensor>();
        var overlaps = new List<Tensor>();
        foreach (Tensor chunk in student.split(Math.Max(1, ChunkElements / teacher.shape[0])))
        {
            using var inner = NewDisposeScope();
            (Tensor best, Tensor index) = BoxOps.Iou(chunk, teacher).max(1);
            overlaps.Add(best.MoveToOuterDisposeScope());
            rows.Add(index.MoveToOuterDisposeScope());
        }

        using Scalar least = LeastOverlap;
        return new AnchorMap(cat(rows).DetachFromDisposeScope(), cat(overlaps).ge(least).DetachFromDisposeScope());
    }

    /// <summary>From answers for the teacher's anchors [N,A_t,...] those for the student's [N,A,...].</summary>
    public Tensor Select(Tensor teacher) => Rows is null ? teacher.alias() : teacher.index_select(1, Rows);

    /// <inheritdoc/>
    public void Dispose()
    {
        Rows?.Dispose();
        Known.Dispose();
    }
}
