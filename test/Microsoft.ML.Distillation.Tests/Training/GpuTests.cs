using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Losses;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Teachers.Dense;
using Microsoft.ML.Distillation.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Training;

/// <summary>What a GPU computes, held against the CPU. Skipped on machines without one.</summary>
[Category("Gpu")]
public class GpuTests
{
    private static readonly LossSelection Everything = TinyRun.Losses(
        new SoftClasses(), new BoundedBoxes(), new ClassRelations(), new Hint(), new PearsonFeatures { Weight = 1 },
        new ChannelWise { Weight = 1 });

    [SetUp]
    public void RequireGpu()
    {
        if (!cuda.is_available()) Assert.Ignore("There is no GPU that TorchSharp can use (see docs/gpu.md).");
    }

    [Test]
    public void TwoStageLosses_AreThoseOfTheCpu([Values] bool distilled) => AssertEqual(device =>
    {
        FasterRcnn student = TinyRun.Detector().to(device);
        TwoStageTeacher? teacher = distilled ? new TwoStageTeacher(TinyRun.Detector(seed: 9, inputSize: 112), ["square", "disc"], device)
            : null;
        return (new TwoStageObjective(student, 0.5, distilled ? Everything : null, teacher, device), teacher);
    });

    [Test]
    public void OneStageLosses_AreThoseOfTheCpu([Values] bool distilled) => AssertEqual(device =>
    {
        OneStageDetector student = OneStageRun.Detector().to(device);
        OneStageTeacher? teacher = distilled
            ? new OneStageTeacher(OneStageRun.Detector(seed: 9, inputSize: 112), ["square", "disc"], device) : null;
        return (new OneStageObjective(student, 0.5, distilled ? Everything : null, teacher, device), teacher);
    });

    [Test]
    public void Training_FollowsTheCpusLossCurve([Values] bool mixed)
    {
        double[] onCpu = Train(CPU, mixed: false), onGpu = Train(CUDA, mixed);
        Assert.That(onGpu.Zip(onCpu, (gpu, cpu) => Math.Abs(gpu - cpu) / cpu), Is.All.LessThan(0.05),
            $"{string.Join(' ', onCpu)} and {string.Join(' ', onGpu)}");
    }

    private static double[] Train(Device device, bool mixed)
    {
        using var data = new DrawnDataset(24);
        using FasterRcnn student = TinyRun.Detector().to(device);
        using var objective = new TwoStageObjective(student, 0, null, null, device);
        TrainingOptions options = TinyRun.Options(epochs: 5) with { LearningRate = 0.001, MixedPrecision = mixed };
        return [.. new TrainingLoop([(objective, options)], null, data, null, device).Run()[0].History.Select(epoch => epoch.Loss)];
    }

    /// <summary>Holds each term, and the length of the gradient, of the same weights and images to the CPU's.</summary>
    private static void AssertEqual(Func<Device, (IObjective Objective, ITeacher? Teacher)> make)
    {
        Dictionary<string, double> expected = Terms(CPU), actual = Terms(CUDA);
        Assert.That(actual.Keys, Is.EquivalentTo(expected.Keys));
        foreach ((string name, double value) in expected) Assert.That(actual[name], Is.EqualTo(value).Within(0.5).Percent, name);

        Dictionary<string, double> Terms(Device device)
        {
            using var scope = NewDisposeScope();
            using var data = new DrawnDataset(2);
            (IObjective objective, ITeacher? teacher) = make(device);
            using (objective)
            using (objective.Student)
            using (teacher)
            {
                ImageSize[] views = teacher is null ? [objective.Student.InputSize] : [objective.Student.InputSize, teacher.InputSize];
                using DetectionBatch batch = BatchLoader.Load(data, [0, 1], views);
                using ITeacherView? view = teacher?.View(batch.Views[1]);
                objective.Student.train();
                manual_seed(4);
                IReadOnlyList<LossTerm> terms = objective.Compute(batch.Annotations, batch.Views[0].to(device), view);
                Dictionary<string, double> values = terms.ToDictionary(term => term.Name, term => term.Value.ToDouble());
                LossSum.Of(terms).Total.backward();
                values["gradient"] = Math.Sqrt(objective.Student.parameters()
                    .Sum(p => p.grad is null ? 0 : Math.Pow(p.grad.norm().ToDouble(), 2)));
                return values;
            }
        }
    }
}
