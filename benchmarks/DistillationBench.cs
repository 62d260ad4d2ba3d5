using System.Globalization;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Tensors;
using Microsoft.ML.Distillation.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Benchmarks;

/// <summary>What distillation adds to a step beyond the teacher's own pass, and the same on a GPU where there is one.</summary>
internal static class DistillationBench
{
    private const int Batch = 4;
    private const int TeacherSize = 256;
    private const int SampledBoxes = 64;
    private const int Rounds = 15;

    /// <summary>Prints the times of a supervised step, of the teacher's pass and of a distillation step, and the last's share of the sum of
    /// the others.</summary>
    /// <param name="name">What to call the student.</param>
    /// <param name="studentSize">The student's input, in pixels.</param>
    public static void Run(string name, DetectorPlan plan, int studentSize, Device device, bool mixedPrecision = false)
    {
        if (device.type == DeviceType.CPU) NativeHeap.KeepFreedMemory();
        DataStatistics statistics = Scenes.Statistics(classes: 3);
        using var scope = NewDisposeScope();
        using var network = (FasterRcnn)DetectorPlan.FasterRcnn(Backbone.ResNet18 with { Stages = 3 }, TeacherSize, TeacherSize)
            .Build(statistics);
        using var teacher = new TwoStageTeacher(network, statistics.ClassNames, device);
        ScalarType type = mixedPrecision ? ScalarType.BFloat16 : ScalarType.Float32;
        Tensor large = rand(Batch, 3, TeacherSize, TeacherSize, device: device).As(type),
        small = rand(Batch, 3, studentSize, studentSize, device: device).As(type);
        Annotation[] annotations = [.. Enumerable.Range(0, Batch).Select(i => Scenes.Objects(i, classes: 3))];
        Tensor[] boxes = [.. Enumerable.Repeat(rand(SampledBoxes, 2, device: device).mul((float)TeacherSize / 2).repeat(1, 2), Batch)];
        foreach (Tensor one in boxes.Distinct()) one.narrow(1, 2, 2).add_((float)TeacherSize / 2);
        using Step alone = new(plan, statistics, null, device), taught = new(plan, statistics, teacher, device);

        // In turns, so that what else the machine does falls on all three alike.
        double[] medians = Report.MedianSeconds(
            Rounds,
            () => alone.Run(annotations, small, null),
            () => Pass(network, large, boxes),
            () => taught.Run(annotations, small, () => teacher.View(DetectionBatch.Of(large))));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {name,-40} supervised {1e3 * medians[0],6:0.0} ms + teacher {1e3 * medians[1],6:0.0} ms; distillation "
                + $"{1e3 * medians[2],6:0.0} ms: "
            + $"{medians[2] / (medians[0] + medians[1]):0.00} of the sum, {Batch / medians[2]:0.0} images/s"));
    }

    /// <summary>The teacher's bare pass: features, RPN, and the head on as many boxes as the student samples. A value that is read waits
    /// for a GPU, as a step's losses do.</summary>
    private static void Pass(FasterRcnn network, Tensor images, IReadOnlyList<Tensor> boxes)
    {
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        IReadOnlyDictionary<string, Tensor> features = network.Features(images);
        network.Rpn(features);
        network.Head(features, boxes).ClassLogits.sum().ToDouble();
    }

    internal sealed class Step : IDisposable
    {
        private readonly TrainingState _state;
        private int _count;

        public Step(DetectorPlan plan, DataStatistics statistics, ITeacher? teacher, Device device)
        {
            manual_seed(1);
            Detector student = plan.Build(statistics).to(device);
            student.train();
            LossSelection? losses = teacher is null ? null : new LossSelection();
            Objective = student is FasterRcnn twoStage
                ? new TwoStageObjective(twoStage, 0, losses, teacher, device)
                : new OneStageObjective((OneStageDetector)student, 0, losses, teacher, device);
            var training = new TrainingOptions { Epochs = 1, Seed = 1, BatchSize = Batch };
            _state = new TrainingState(Objective, training, TrainingPlan.For(training, 100, student.parameters().Sum(p => p.numel())));
        }

        public IObjective Objective { get; }

        public void Run(IReadOnlyList<Annotation> annotations, Tensor images, Func<ITeacherView>? look)
        {
            using var scope = NewDisposeScope();
            manual_seed(1);
            using ITeacherView? view = look?.Invoke();
            LossSum loss = LossSum.Of(Objective.Compute(annotations, images, view));
            _state.Parameters.Gradients.zero_();
            loss.Total.backward();
            loss.ReadFinite(_state.Parameters.Gradients, ++_count);
            _state.Optimizer.Step(1e-5, _count);
        }

        public void Dispose()
        {
            _state.Dispose();
            Objective.Student.Dispose();
            Objective.Dispose();
        }
    }
}
