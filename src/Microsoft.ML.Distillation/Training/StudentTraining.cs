using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Tensors;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training;

/// <summary>One student in training: its weights and optimiser, its schedule, its checkpoint, and what it reports.</summary>
internal sealed class StudentTraining
{
    private readonly IObjective _objective;
    private readonly TrainingOptions _options;
    private readonly Checkpoint? _checkpoint;
    private TrainingState? _state;
    private EpochMeter? _meter;
    private TrainingResult? _result;

    /// <param name="objective">The student and its loss, on the device of training.</param>
    /// <param name="options">How to train it.</param>
    /// <param name="training">The images to learn from.</param>
    /// <param name="validation">The images that choose the best epoch.</param>
    public StudentTraining(IObjective objective, TrainingOptions options, IDetectionDataset training, IDetectionDataset? validation)
    {
        (_objective, _options) = (objective, options);
        Plan = TrainingPlan.For(options, training.Count, objective.Student.parameters().Sum(parameter => parameter.numel()));
        if (options.CheckpointDirectory is string directory)
            _checkpoint = new Checkpoint(directory, RunSettings.Of(options, Plan, objective, training, validation));
    }

    /// <summary>The student.</summary>
    public Detector Student => _objective.Student;

    /// <summary>Its schedule.</summary>
    public TrainingPlan Plan { get; }

    /// <summary>The number of epochs that it has completed.</summary>
    public int Epochs => State.History.Count;

    private TrainingState State => _state ?? throw new InvalidOperationException("Training has not begun.");

    /// <summary>Begins, from the checkpoint where there is one.</summary>
    /// <exception cref="InvalidOperationException">The checkpoint is of another run.</exception>
    public void Start()
    {
        _state = new TrainingState(_objective, _options, Plan);
        _checkpoint?.Resume(_state);
    }

    /// <summary>Begins an epoch.</summary>
    public void Open(int epoch)
    {
        _meter = new EpochMeter(Plan, epoch);
        Student.train();
        foreach (nn.Module extra in _objective.Extras) extra.train();
    }

    /// <summary>Makes a step.</summary>
    /// <param name="annotations">The objects of the images, in shares.</param>
    /// <param name="images">Float [N,3,H,W] of the student's input size, on its device.</param>
    /// <param name="count">N.</param>
    /// <param name="view">What the teacher knows of the same images.</param>
    public void Learn(IReadOnlyList<Annotation> annotations, Tensor images, int count, ITeacherView? view)
    {
        using var scope = NewDisposeScope();
        int step = State.Step + 1;
        manual_seed(RunSettings.StepSeed(Plan.Seed, step));
        if (_options.MixedPrecision) images = images.As(ScalarType.BFloat16);
        LossSum loss = LossSum.Of(_objective.Compute(annotations, images, view));
        State.Parameters.Gradients.zero_();
        loss.Total.backward();

        (double[] losses, double norm) = loss.Read(State.Parameters.Gradients, step);
        State.Parameters.Clip(norm, _options.GradientClip);
        State.Optimizer.Step(Plan.LearningRateAt(step), step);
        State.Average?.Update(step);
        State.Step = step;
        _meter!.Add(loss.Names, losses, count);
    }

    /// <summary>Tells of the step.</summary>
    public void Report() => _options.Progress?.Report(_meter!.Progress(State.Step));

    /// <summary>Puts the averaged weights, where there are such, into the student until the result is disposed.</summary>
    public IDisposable? UseAverage() => State.UseAverage();

    /// <summary>Ends an epoch: keeps the student if it is the best so far, writes the checkpoint, and tells.</summary>
    /// <param name="metrics">The student's figures on the validation set, where it was measured.</param>
    public void Close(int epoch, CocoMetrics? metrics)
    {
        double? ap = metrics is null || double.IsNaN(metrics.AveragePrecision) ? null : metrics.AveragePrecision;
        double? ap50 = ap is null ? null : metrics!.AveragePrecision50;
        if (ap is double value)
        {
            using IDisposable? averaged = State.UseAverage();
            State.KeepIfBest(value);
        }

        State.History.Add(new EpochSummary(epoch, _meter!.Means(), ap, ap50));
        _checkpoint?.Save(State);
        _options.Progress?.Report(_meter.Progress(State.Step) with
        {
            EpochEnd = true,
            ValidationAveragePrecision = ap,
            ValidationAveragePrecision50 = ap50,
        });
    }

    /// <summary>Gives the student the weights that training returns and frees all else.</summary>
    public void Finish()
    {
        if (_state is null) return;
        _state.Finish();
        Student.eval();
        _result = new TrainingResult(Student, _state.History, _state.BestAp, Cancelled: false);
        _state.Dispose();
        _state = null;
    }

    /// <summary>What became of the student; after <see cref="Finish"/>.</summary>
    public TrainingResult Result(bool cancelled) => _result! with { Cancelled = cancelled };
}
