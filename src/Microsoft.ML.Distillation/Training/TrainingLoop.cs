using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Evaluation;
using Microsoft.ML.Distillation.Losses;
using Microsoft.ML.Distillation.Teachers;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training;

/// <summary>
/// The training of a student, with or without a teacher. Everything random follows from the seed and the number of the epoch, so
/// a run that was interrupted and continues from a checkpoint ends where the uninterrupted run ends.
/// </summary>
internal sealed class TrainingLoop
{
    private readonly IObjective _objective;
    private readonly ITeacher? _teacher;
    private readonly IDetectionDataset _training;
    private readonly IDetectionDataset? _validation;
    private readonly TrainingOptions _options;
    private readonly TrainingPlan _plan;
    private readonly Device _device;
    private readonly BatchLoader _loader;
    private readonly Checkpoint? _checkpoint;

    /// <param name="objective">The student and its loss; already on <paramref name="device"/>.</param>
    /// <param name="teacher">The teacher, whose views the objective asks.</param>
    /// <param name="training">The images to learn from.</param>
    /// <param name="validation">The images that choose the best epoch; <see langword="null"/> returns the last.</param>
    /// <param name="options">How to train.</param>
    /// <param name="device">Where the student and the objective's extras are.</param>
    public TrainingLoop(
        IObjective objective, ITeacher? teacher, IDetectionDataset training, IDetectionDataset? validation, TrainingOptions options, Device device)
    {
        options.Validate();
        (_objective, _teacher, _training, _validation, _device) = (objective, teacher, training, validation, device);
        _options = options with { Seed = options.Seed ?? Checkpoint.SeedIn(options.CheckpointDirectory) };
        _plan = TrainingPlan.For(_options, training.Count, objective.Student.parameters().Sum(parameter => parameter.numel()));
        ImageSize size = objective.Student.InputSize;
        ImageSize[] views = teacher is null || teacher.InputSize == size ? [size] : [size, teacher.InputSize];
        _loader = new BatchLoader(training, views, options.BatchSize, options.Augmentation, workers: options.LoaderThreads, wholeBatches: true);
        if (options.CheckpointDirectory is string directory)
            _checkpoint = new Checkpoint(directory, RunSettings.Of(_options, _plan, objective, training, validation));
    }

    /// <summary>Trains until the last epoch or until cancelled.</summary>
    /// <exception cref="TrainingDivergedException">A term of the loss or the gradient is not finite.</exception>
    /// <exception cref="InvalidOperationException">The checkpoint in the folder is of another run.</exception>
    public TrainingResult Run()
    {
        if (_device.type == DeviceType.CPU) NativeHeap.KeepFreedMemory();
        using var state = new TrainingState(_objective, _options, _plan);
        _checkpoint?.Resume(state);
        bool cancelled = false;
        try
        {
            for (int epoch = state.History.Count + 1; epoch <= _plan.Epochs; epoch++)
            {
                EpochMeter meter = TrainEpoch(state, epoch);
                CocoMetrics? metrics = Validate(state, epoch);
                state.History.Add(new EpochSummary(epoch, meter.Means(), metrics?.AveragePrecision, metrics?.AveragePrecision50));
                _checkpoint?.Save(state);
                _options.Progress?.Report(meter.Progress(state.Step) with
                {
                    EpochEnd = true,
                    ValidationAveragePrecision = metrics?.AveragePrecision,
                    ValidationAveragePrecision50 = metrics?.AveragePrecision50,
                });
            }
        }
        catch (OperationCanceledException) when (_options.CancellationToken.IsCancellationRequested)
        {
            cancelled = true;
        }

        state.Finish();
        _objective.Student.eval();
        return new TrainingResult(_objective.Student, state.History, state.BestAp, cancelled);
    }

    private EpochMeter TrainEpoch(TrainingState state, int epoch)
    {
        var meter = new EpochMeter(_plan, epoch);
        manual_seed(RunSettings.EpochSeed(_plan.Seed, epoch));
        _objective.Student.train();
        foreach (nn.Module extra in _objective.Extras) extra.train();

        foreach (DetectionBatch batch in _loader.Epoch(_plan.Seed, epoch, shuffle: true, _options.CancellationToken))
        {
            using (batch) TrainStep(state, batch, meter);
            _options.Progress?.Report(meter.Progress(state.Step));
            _options.CancellationToken.ThrowIfCancellationRequested();
        }

        return meter;
    }

    private void TrainStep(TrainingState state, DetectionBatch batch, EpochMeter meter)
    {
        using var scope = NewDisposeScope();
        int step = state.Step + 1;
        Tensor images = batch.Views[0].to(_device);
        using ITeacherView? view = _teacher?.View(
            batch.Views.Count == 1 ? images : batch.Views[1], [.. batch.Indices.Select(_training.SizeOf)]);

        IReadOnlyList<LossTerm> terms = _objective.Compute(batch.Annotations, images, view);
        LossSum loss = LossSum.Of(terms);
        state.Parameters.Gradients.zero_();
        loss.Total.backward();

        (double[] losses, double norm) = loss.Read(state.Parameters.Gradients, step);
        state.Parameters.Clip(norm, _options.GradientClip);
        state.Optimizer.Step(_plan.LearningRateAt(step), step);
        state.Average?.Update(step);
        state.Step = step;
        meter.Add(loss.Names, losses, batch.Count);
    }

    private CocoMetrics? Validate(TrainingState state, int epoch)
    {
        if (_validation is null || (epoch % _options.ValidationEvery != 0 && epoch != _plan.Epochs)) return null;
        using IDisposable? averaged = state.UseAverage();
        CocoMetrics metrics = Validator.Evaluate(
            _objective.Student, _validation, _device, _options.BatchSize, _options.LoaderThreads, _options.CancellationToken);
        if (double.IsNaN(metrics.AveragePrecision)) return null;
        state.KeepIfBest(metrics.AveragePrecision);
        return metrics;
    }
}
