using System.Diagnostics;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training;

/// <summary>
/// The training of students, with or without a teacher. Several learn from one pass of the teacher over the same batches; each comes
/// out as if it had been alone. Everything random follows from the seed and the number of the step, so a run that was interrupted
/// and continues from a checkpoint ends where the uninterrupted run ends.
/// </summary>
internal sealed class TrainingLoop
{
    private readonly IReadOnlyList<StudentTraining> _students;
    private readonly ITeacher? _teacher;
    private readonly IDetectionDataset _training;
    private readonly IDetectionDataset? _validation;
    private readonly TrainingOptions _options;
    private readonly Device _device;
    private readonly IReadOnlyList<ImageSize> _views;
    private readonly BatchLoader _loader;

    /// <param name="objective">The student and its loss; already on <paramref name="device"/>.</param>
    /// <param name="teacher">The teacher, whose views the objective asks.</param>
    /// <param name="training">The images to learn from.</param>
    /// <param name="validation">The images that choose the best epoch; <see langword="null"/> returns the last.</param>
    /// <param name="options">How to train.</param>
    /// <param name="device">Where the student and the objective's extras are.</param>
    public TrainingLoop(
        IObjective objective, ITeacher? teacher, IDetectionDataset training, IDetectionDataset? validation, TrainingOptions options, Device device)
        : this([(objective, options)], teacher, training, validation, device)
    {
    }

    /// <param name="students">The students' losses, each with its options; they agree in what makes the batches: seed, epochs, batch size, augmentation.</param>
    /// <inheritdoc cref="TrainingLoop(IObjective, ITeacher?, IDetectionDataset, IDetectionDataset?, TrainingOptions, Device)"/>
    public TrainingLoop(
        IReadOnlyList<(IObjective Objective, TrainingOptions Options)> students, ITeacher? teacher,
        IDetectionDataset training, IDetectionDataset? validation, Device device)
    {
        foreach ((_, TrainingOptions options) in students) options.Validate();
        int? seed = students[0].Options.Seed ?? Checkpoint.SeedIn(students[0].Options.CheckpointDirectory);
        _options = students[0].Options with { Seed = seed ?? Random.Shared.Next() };
        (_teacher, _training, _validation, _device) = (teacher, training, validation, device);
        _students = [.. students.Select(student => new StudentTraining(student.Objective, student.Options with { Seed = _options.Seed }, training, validation))];
        IEnumerable<ImageSize> sizes = _students.Select(student => student.Student.InputSize);
        _views = [.. (teacher is null ? sizes : sizes.Append(teacher.InputSize)).Distinct()];
        _loader = new BatchLoader(training, _views, _options.BatchSize, _options.Augmentation, workers: _options.LoaderThreads, wholeBatches: true);
    }

    /// <summary>Trains until the last epoch or until cancelled.</summary>
    /// <returns>What became of each student, in their order.</returns>
    /// <exception cref="TrainingDivergedException">A term of the loss or the gradient is not finite.</exception>
    /// <exception cref="InvalidOperationException">The checkpoint in the folder is of another run.</exception>
    public IReadOnlyList<TrainingResult> Run()
    {
        if (_device.type == DeviceType.CPU) NativeHeap.KeepFreedMemory();
        bool cancelled = false;
        try
        {
            foreach (StudentTraining student in _students) student.Start();
            for (int epoch = _students.Min(student => student.Epochs) + 1; epoch <= _students[0].Plan.Epochs; epoch++)
            {
                // After an interruption some may have written their checkpoint of this epoch, and others not.
                StudentTraining[] active = [.. _students.Where(student => student.Epochs < epoch)];
                TrainEpoch(active, epoch);
                foreach (StudentTraining student in active) student.Close(epoch, Validate(student, epoch));
            }
        }
        catch (OperationCanceledException) when (_options.CancellationToken.IsCancellationRequested)
        {
            cancelled = true;
        }
        finally
        {
            foreach (StudentTraining student in _students) student.Finish();
        }

        return [.. _students.Select(student => student.Result(cancelled))];
    }

    private void TrainEpoch(StudentTraining[] students, int epoch)
    {
        foreach (StudentTraining student in students) student.Open(epoch);
        foreach (DetectionBatch batch in _loader.Epoch(_options.Seed!.Value, epoch, shuffle: true, _options.CancellationToken))
        {
            using (batch) TrainStep(students, batch);
            foreach (StudentTraining student in students) student.Report();
            _options.CancellationToken.ThrowIfCancellationRequested();
        }
    }

    private void TrainStep(StudentTraining[] students, DetectionBatch batch)
    {
        using var scope = NewDisposeScope();
        using ITeacherView? view = _teacher?.View(SeenBy(_teacher, batch), [.. batch.Indices.Select(_training.SizeOf)]);
        foreach (StudentTraining student in students)
            student.Learn(batch.Annotations, ViewOf(batch, student.Student.InputSize).to(_device), batch.Count, view);
    }

    private Tensor SeenBy(ITeacher teacher, DetectionBatch batch)
    {
        Tensor images = ViewOf(batch, teacher.InputSize);
        return _options.MixedPrecision && teacher.ComputesInBFloat16 ? images.As(ScalarType.BFloat16) : images;
    }

    /// <summary>The batch at a size.</summary>
    private Tensor ViewOf(DetectionBatch batch, ImageSize size)
    {
        int index = 0;
        while (_views[index] != size) index++;
        return batch.Views[index];
    }

    private CocoMetrics? Validate(StudentTraining student, int epoch)
    {
        if (_validation is null || (epoch % _options.ValidationEvery != 0 && epoch != student.Plan.Epochs)) return null;
        using IDisposable? averaged = student.UseAverage();
        return Validator.Evaluate(
            student.Student, _validation, _device, _options.BatchSize, _options.LoaderThreads, _options.CancellationToken);
    }
}

/// <summary>Keeps the means of an epoch's losses and its speed, and makes progress reports of them.</summary>
internal sealed class EpochMeter(TrainingPlan plan, int epoch)
{
    private readonly Dictionary<string, double> _sums = [];
    private readonly long _started = Stopwatch.GetTimestamp();
    private int _steps;
    private int _images;

    /// <summary>Takes in a step.</summary>
    public void Add(IReadOnlyList<string> names, double[] losses, int images)
    {
        for (int i = 0; i < losses.Length; i++) _sums[names[i]] = _sums.GetValueOrDefault(names[i]) + losses[i];
        _steps++;
        _images += images;
    }

    /// <summary>The mean of each weighted term over the epoch so far.</summary>
    public Dictionary<string, double> Means() => _sums.ToDictionary(sum => sum.Key, sum => sum.Value / _steps);

    /// <summary>The report after a step.</summary>
    public TrainingProgress Progress(int step) => new()
    {
        Epoch = epoch,
        Epochs = plan.Epochs,
        Step = step,
        Steps = plan.Steps,
        LearningRate = plan.LearningRateAt(Math.Max(1, step)),
        Losses = Means(),
        ImagesPerSecond = _images / Stopwatch.GetElapsedTime(_started).TotalSeconds,
    };
}

/// <summary>What an epoch came to.</summary>
/// <param name="Epoch">The number of the epoch, from 1.</param>
/// <param name="Losses">The weighted terms of the loss by name, means over the epoch's steps.</param>
/// <param name="ValidationAp">AP on the validation set, 0 to 1, where the epoch was validated.</param>
/// <param name="ValidationAp50">AP at IoU 0.50, likewise.</param>
internal sealed record EpochSummary(
    int Epoch, IReadOnlyDictionary<string, double> Losses, double? ValidationAp, double? ValidationAp50)
{
    /// <summary>The total loss.</summary>
    public double Loss => Losses.Values.Sum();
}

/// <summary>A finished training.</summary>
/// <param name="Detector">The trained detector, in evaluation mode: the best on the validation set, or without one the last.</param>
/// <param name="History">The epochs that were completed.</param>
/// <param name="BestAp">The detector's AP on the validation set, where there is one.</param>
/// <param name="Cancelled">Whether training was ended before its time.</param>
internal sealed record TrainingResult(Detector Detector, IReadOnlyList<EpochSummary> History, double? BestAp, bool Cancelled);
