using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Distributed;
using Microsoft.ML.Distillation.Losses;
using Microsoft.ML.Distillation.Teachers;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training;

/// <summary>
/// A student's maps in its teacher's head, for CrossKD: for each map of the teacher the student's that is nearest to it in size, taken
/// before the last layer of its head and brought to the teacher's size, channels and scale.
/// </summary>
internal sealed class CrossedMaps : IDisposable
{
    private readonly OneStageDetector _student;
    private readonly OneStageDetector _teacher;
    private readonly int[] _levels;
    private readonly MapPair[] _pairs;
    private readonly RankGroup _ranks;

    /// <param name="student">The student, on <paramref name="device"/>.</param>
    /// <param name="teacher">The teacher, whose head is frozen.</param>
    /// <param name="ranks">The processes whose images are one batch.</param>
    public CrossedMaps(OneStageDetector student, OneStageDetector teacher, Device device, RankGroup ranks)
    {
        (_student, _teacher, _ranks) = (student, teacher, ranks);
        PointLevel[] own = [.. student.Grid.Levels];
        _levels = [.. teacher.Grid.Levels.Select(level
            => Enumerable.Range(0, own.Length).MinBy(i => Math.Abs(Math.Log((double)Cells(own[i]) / Cells(level)))))];
        _pairs = [.. _levels.Select(_ => new MapPair(student.Config.Channels, teacher.Config.Channels).to(device))];
    }

    /// <summary>What is trained beside the student: layers between maps of different numbers of channels.</summary>
    public IReadOnlyList<nn.Module> Extras => [.. _pairs.Where(pair => pair.parameters().Any())];

    /// <summary>What the teacher's head says of the student's maps, and of the teacher's own.</summary>
    /// <param name="features">The student's maps by name.</param>
    /// <param name="positives">The number of the student's locations that have an object.</param>
    public CrossedHeads Run(IReadOnlyDictionary<string, Tensor> features, ITeacherView teacher, double positives)
    {
        OneStageHead head = _teacher.Head;
        int begun = head.Layers - 1;
        IReadOnlyList<Tensor> own = _student.Head.Begin(_student.Levels(features), _student.Head.Layers - 1, activates: false);
        IReadOnlyList<Tensor> theirs;
        using (no_grad()) theirs = head.Begin([.. _teacher.LevelMaps.Select(teacher.Feature)], begun, activates: false);
        Tensor[] maps = [.. theirs.Select((map, level) => Meet(_pairs[level], own[_levels[level]], map))];
        if (begun > 0) maps = [.. maps.Select(map => map.relu())];
        DenseOutput crossed = head.Finish(maps, begun), answer = teacher.HeadAnswer;
        return new CrossedHeads(crossed.Logits.flatten(0, 1), crossed.Edges.flatten(0, 1), answer.Logits.flatten(0, 1),
            answer.Edges.flatten(0, 1), _ranks.Normaliser(positives), _ranks);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (MapPair pair in _pairs) pair.Dispose();
    }

    private Tensor Meet(MapPair pair, Tensor student, Tensor teacher)
    {
        (Tensor own, Tensor wanted) = pair.Meet(student, teacher);
        return CrossHeadLoss.AlignScale(own, wanted, _ranks);
    }

    private static int Cells(PointLevel level) => level.Columns * level.Rows;
}
