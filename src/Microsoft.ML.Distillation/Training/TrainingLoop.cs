using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Distributed;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training;

/// <summary>
/// The training of students, with or without a teacher. Several learn from one pass of the teacher over the same batches; each comes
/// out as if it had been alone. Several processes learn each from its part of every batch, as one would from all of it. Everything random
/// follows from the seed and the number of the step, so a run that was interrupted
/// and continues from a checkpoint ends where the uninterrupted run ends.
/// </summary>
internal sealed class TrainingLoop
{
    private readonly IReadOnlyList<StudentTraining> _students;
    private readonly ITeacher? _teacher;
    private readonly IDetectionDataset? _validation;
    private readonly TrainingOptions _options;
    private readonly Device _device;
    private readonly BatchLoader _loader;
    private readonly RankGroup _ranks;

    /// <param name="students">
    /// The students' losses, each with its options; they agree in what makes the batches: seed, epochs, batch size, augmentation. The batch
    /// size is that of all processes together.
    /// </param>
    /// <param name="teacher">The teacher, whose views the losses ask.</param>
    /// <param name="training">The images to learn from.</param>
    /// <param name="validation">The images that choose the best epoch; <see langword="null"/> returns the last.</param>
    /// <param name="device">Where the students and their losses' extras are.</param>
    /// <param name="ranks">The processes that train together; <see langword="null"/>: this one alone.</param>
    /// <exception cref="InvalidDataException">The images do not fill one batch of several processes.</exception>
    /// <exception cref="ArgumentException">Images are to be mixed, and the teacher's answers are of single images.</exception>
    public TrainingLoop(
        IReadOnlyList<(IObjective Objective, TrainingOptions Options)> students, ITeacher? teacher,
        IDetectionDataset training, IDetectionDataset? validation, Device device, RankGroup? ranks = null)
    {
        _ranks = ranks ?? RankGroup.Alone;
        foreach ((_, TrainingOptions options) in students) options.Validate();
        int? seed = students[0].Options.Seed ?? Checkpoint.SeedIn(students[0].Options.CheckpointDirectory);
        _options = students[0].Options with { Seed = seed ?? Random.Shared.Next() };
        if (_ranks.AreSeveral && training.Count < _options.BatchSize)
        {
            throw new InvalidDataException(
                $"{_ranks.Count} processes with {Counted.Of(_options.BatchSize / _ranks.Count, "image")} each do not fill one step from "
                + $"{Counted.Of(training.Count, "image")}: lower {nameof(TrainingOptions.BatchSize)}, or start fewer processes.");
        }

        if (teacher is { Abilities.LooksAtBatches: false } && _options.Augmentation.MixesImages)
        {
            throw new ArgumentException(
                $"The options {nameof(AugmentationOptions.MosaicShare)} and {nameof(AugmentationOptions.MixupShare)} show several images "
                + $"in one, and a teacher with a {nameof(OnnxTeacherOptions.CacheDirectory)} has answers for single images: leave out the "
                + "one or the other.");
        }

        (_teacher, _validation, _device) = (teacher, validation, device);
        _students = [.. students.Select(student => new StudentTraining(
            student.Objective, student.Options with { Seed = _options.Seed }, training, validation, _ranks))];
        IEnumerable<ImageSize> sizes = _students.Select(student => student.Student.InputSize);
        ImageSize[] views = [.. (teacher is { Abilities.LooksAtBatches: true } ? sizes.Append(teacher.InputSize) : sizes).Distinct()];
        _loader = new BatchLoader(training, views, _options.BatchSize / _ranks.Count, _options.Augmentation,
            workers: _options.LoaderThreads, wholeBatches: true, rank: _ranks.Rank, ranks: _ranks.Count);
    }

    /// <summary>Trains until the last epoch or until cancelled.</summary>
    /// <returns>What became of each student, in their order.</returns>
    /// <exception cref="TrainingDivergedException">A term of the loss or the gradient is not finite.</exception>
    /// <exception cref="InvalidOperationException">The checkpoint in the folder is of another run.</exception>
    /// <exception cref="InsufficientMemoryException">Memory ran out in a step; the message says what took it.</exception>
    /// <exception cref="InvalidDataException">
    /// An image turned out to be none when it was due. The steps before it are in the checkpoint.
    /// </exception>
    public IReadOnlyList<TrainingResult> Run()
    {
        if (_device.type == DeviceType.CPU) NativeHeap.KeepFreedMemory();
        bool cancelled = false;
        try
        {
            foreach (StudentTraining student in _students) student.Start();
            _ranks.Agree();
            foreach (StudentTraining student in _students) student.Share();
            for (int epoch = _students.Min(student => student.Epochs) + 1; epoch <= _students[0].Plan.Epochs; epoch++)
            {
                // After an interruption some may have written their checkpoint of this epoch, and others not.
                StudentTraining[] active = [.. _students.Where(student => student.Epochs < epoch)];
                try
                {
                    TrainEpoch(active, epoch);
                    foreach (StudentTraining student in active) student.Close(epoch, _validation, _device);
                }
                catch (InvalidDataException exception)
                {
                    // Found in the middle of an epoch that may take hours: nothing of it is lost.
                    if (_options.CheckpointDirectory is null || !_ranks.IsFirst) throw;
                    foreach (StudentTraining student in active.Where(student => student.Epochs < epoch)) student.SaveInterrupted();
                    throw new InvalidDataException(
                        $"{exception.Message} Training then goes on from its checkpoint in '{_options.CheckpointDirectory}'.", exception);
                }
            }
        }
        catch (OperationCanceledException) when (_ranks.AreSeveral || _options.CancellationToken.IsCancellationRequested)
        {
            cancelled = true;
        }
        finally
        {
            foreach (StudentTraining student in _students) student.Finish();
        }

        foreach (StudentTraining student in _students) student.ShareResult();
        return [.. _students.Select(student => student.Result(cancelled))];
    }

    private void TrainEpoch(StudentTraining[] students, int epoch)
    {
        foreach (StudentTraining student in students) student.Open(epoch);
        int step = students.Min(student => student.StepsIn(epoch));
        CancellationToken cancellation = _ranks.OfOne(_options.CancellationToken);
        int each = _options.AccumulatedBatches, left = (students[0].Plan.StepsPerEpoch - step) * each;
        IEnumerable<DetectionBatch> batches = _loader.Epoch(_options.Seed!.Value, epoch, shuffle: true, step * each, cancellation);
        foreach (DetectionBatch[] together in batches.Take(left).Chunk(each))
        {
            StudentTraining[] active = [.. students.Where(student => student.StepsIn(epoch) <= step)];
            step++;
            try
            {
                Learn(active, together);
            }
            catch (Exception exception) when (TrainingMemory.RanOut(exception))
            {
                throw TrainingMemory.Error(together[0], active[0].State.Step + 1, _device, exception);
            }
            finally
            {
                foreach (DetectionBatch batch in together) batch.Dispose();
            }

            foreach (StudentTraining student in active) student.Report();
            // All or none: whoever goes on alone waits for the others forever.
            if (_ranks.Any(_options.CancellationToken.IsCancellationRequested))
                throw new OperationCanceledException(_options.CancellationToken);
        }
    }

    /// <summary>A step of the students: forward and backward for each of its batches, then clip, step, log.</summary>
    private void Learn(StudentTraining[] students, IReadOnlyList<DetectionBatch> batches)
    {
        using var scope = NewDisposeScope();
        LossSum[][] losses = [.. students.Select(_ => new LossSum[batches.Count])];
        foreach (StudentTraining student in students)
        {
            student.State.Parameters.Gradients.zero_();
            student.Objective.Progress = (double)student.State.Step / student.Plan.Steps;
        }

        ITeacher? teacher = students.Any(student => student.Objective.AsksTeacher) ? _teacher : null;
        for (int i = 0; i < batches.Count; i++)
        {
            DetectionBatch batch = batches[i];
            using ITeacherView? view = teacher?.View(_options.MixedPrecision ? batch with { Precision = ScalarType.BFloat16 } : batch);
            for (int k = 0; k < students.Length; k++) losses[k][i] = Differentiate(students[k], batch, i, view);
        }

        for (int k = 0; k < students.Length; k++) Step(students[k], losses[k], batches.Sum(batch => batch.Count));
    }

    /// <summary>The named losses of one of a step's batches, whose gradients are added to those of the batches before it.</summary>
    private LossSum Differentiate(StudentTraining student, DetectionBatch batch, int number, ITeacherView? view)
    {
        using var scope = NewDisposeScope();
        int step = student.State.Step;
        manual_seed(RunSettings.StepSeed(student.Plan.Seed, step * student.Options.AccumulatedBatches + number + 1));
        Tensor images = batch.ImagesOf(student.Student.InputSize).to(_device);
        if (student.Options.MixedPrecision) images = images.As(ScalarType.BFloat16);

        LossSum loss = LossSum.Of(student.Objective.Compute(batch.Annotations, images, view));
        loss.Total.backward();
        return loss.Detached();
    }

    private void Step(StudentTraining student, IReadOnlyList<LossSum> batches, int images)
    {
        LossSum loss = LossSum.Mean(batches);
        TrainingState state = student.State;
        int step = state.Step + 1;
        using Scalar parts = batches.Count;
        if (batches.Count > 1) state.Parameters.Gradients.div_(parts);
        _ranks.Average(state.Parameters.Gradients);
        // The losses are read with the gradient's norm: one wait for the device, before anything is changed.
        (double[] losses, double norm) = loss.ReadFinite(state.Parameters.Gradients, step, _ranks);
        state.Parameters.Clip(norm, student.Options.GradientClip);
        state.Optimizer.Step(student.Plan.LearningRateAt(step), step);
        state.Average?.Update(step);
        state.Step = step;
        student.Log(loss.Names, losses, images * _ranks.Count);
    }
}
