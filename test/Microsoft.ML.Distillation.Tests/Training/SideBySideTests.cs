using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Training;

/// <summary>Several students under one pass of the teacher.</summary>
public class SideBySideTests
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("side-by-side").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void EachStudent_ComesOutAsIfItHadBeenAlone()
    {
        float[][] together = Train(0, 1, 2);
        for (int i = 0; i < together.Length; i++)
            Assert.That(Train(i)[0], Is.EqualTo(together[i]), $"student {i}");
        Assert.That(together[0], Is.Not.EqualTo(together[1]), "the teacher changes something");
    }

    [Test]
    public void AfterAnInterruption_ThoseThatAreBehindCatchUp()
    {
        float[][] whole = Train(0, 1, 2);
        using (var cancel = new CancellationTokenSource())
            Train([0, 1, 2], new Reports(report => { if (report is { Epoch: 2, EpochEnd: true }) cancel.Cancel(); }), cancel.Token);
        Directory.Delete(Path.Combine(_folder, "1"), recursive: true);
        Assert.That(Train([0, 1, 2], null, default), Is.EqualTo(whole));
    }

    private float[][] Train(params int[] which) => Train(which, null, default, checkpoints: false);

    /// <summary>Trains a student alone (0), distilled (1), and one of another input size distilled (2): those of them that are asked
    /// for.</summary>
    private float[][] Train(int[] which, IProgress<TrainingProgress>? progress, CancellationToken cancellation, bool checkpoints = true)
    {
        using var data = new DrawnDataset(10);
        using TwoStageTeacher teacher = TinyRun.Teacher();
        var objectives = new List<TwoStageObjective>();
        try
        {
            foreach (int i in which)
            {
                FasterRcnn student = TinyRun.Detector(inputSize: i == 2 ? 64 : 80);
                objectives.Add(new TwoStageObjective(student, 0, null, i == 0 ? null : teacher, CPU));
            }

            TrainingOptions options = TinyRun.Options() with { CancellationToken = cancellation, Progress = progress };
            var students = objectives.Zip(which, (objective, i) =>
                ((IObjective)objective, options with { CheckpointDirectory = checkpoints ? Path.Combine(_folder, $"{i}") : null }))
                    .ToArray();
            IReadOnlyList<TrainingResult> results = new TrainingLoop(students, teacher, data, data, CPU).Run();
            return [.. results.Select(result => TrainingLoopTests.Values(result.Detector))];
        }
        finally
        {
            foreach (TwoStageObjective objective in objectives)
            {
                objective.Student.Dispose();
                objective.Dispose();
            }
        }
    }
}
