using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Teachers;

/// <summary>
/// Brings a teacher's answers into the student's order of classes. Classes are the same where their names are; what a teacher
/// knows beyond the student's classes counts as background.
/// </summary>
internal sealed class ClassMap : IDisposable
{
    private readonly Tensor? _columns;
    private readonly int[] _studentOf;

    /// <exception cref="ArgumentException">The teacher lacks a class of the student; the message names it.</exception>
    public ClassMap(IReadOnlyList<string> teacherClasses, IReadOnlyList<string> studentClasses, Device device)
    {
        string[] missing = [.. studentClasses.Except(teacherClasses)];
        if (missing.Length > 0)
        {
            throw new ArgumentException(
                $"The teacher does not know the class {string.Join(", ", missing.Select(name => $"'{name}'"))}; it knows "
                + $"{string.Join(", ", teacherClasses.Select(name => $"'{name}'"))}. Classes are matched by name.");
        }

        _studentOf = [.. teacherClasses.Select(name => studentClasses.ToList().IndexOf(name))];
        long[] columns = [.. studentClasses.Select(name => (long)teacherClasses.ToList().IndexOf(name))];
        bool same = teacherClasses.Count == columns.Length && columns.Select((column, c) => column == c).All(equal => equal);
        _columns = same ? null : tensor(columns, device: device).DetachFromDisposeScope();
    }

    /// <summary>Probabilities [R,C_t+1], background first, as [R,C_s+1].</summary>
    public Tensor Probabilities(Tensor teacher)
    {
        if (_columns is null) return teacher.alias();
        using var scope = NewDisposeScope();
        using Scalar one = 1;
        Tensor objects = teacher.index_select(1, _columns.add(one, one));
        Tensor background = objects.sum(1, keepdim: true).Complement().relu_();
        return cat([background, objects], 1).MoveToOuterDisposeScope();
    }

    /// <summary>Boxes [R,C_t,4] as [R,C_s,4]; [R,1,4] stays as it is.</summary>
    public Tensor Boxes(Tensor teacher) => _columns is null || teacher.shape[1] == 1 ? teacher.alias() : teacher.index_select(1, _columns);

    /// <summary>Detections in the student's classes, without those of other classes.</summary>
    public Detections Detections(Detections teacher)
    {
        int[] known = [.. Enumerable.Range(0, teacher.Count).Where(i => _studentOf[teacher.Labels[i]] >= 0)];
        return new Detections(
            [.. known.SelectMany(i => teacher.Boxes[(4 * i)..(4 * i + 4)])],
            [.. known.Select(i => teacher.Scores[i])],
            [.. known.Select(i => _studentOf[teacher.Labels[i]])]);
    }

    /// <inheritdoc/>
    public void Dispose() => _columns?.Dispose();
}
