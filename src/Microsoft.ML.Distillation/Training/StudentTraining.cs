using System.Diagnostics;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Distributed;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training;

/// <summary>One student in training: its weights and optimiser, its schedule, its checkpoint, and what it reports.</summary>
internal sealed class StudentTraining
{
    private readonly Checkpoint? _checkpoint;
    private readonly RankGroup _ranks;
    private readonly IReadOnlyDictionary<string, string> _settings;
    private TrainingState? _state;
    private EpochMeter? _meter;
    private TrainingResult? _result;

    /// <param name="objective">The student and its loss, on the device of training.</param>
    /// <param name="options">How to train it; the batch size is that of all ranks together.</param>
    /// <param name="training">The images to learn from.</param>
    /// <param name="validation">The images that choose the best epoch.</param>
    /// <param name="ranks">The processes that train together; the first alone has checkpoints.</param>
    public StudentTraining(
        IObjective objective, TrainingOptions options, IDetectionDataset training, IDetectionDataset? validation, RankGroup ranks)
    {
        (Objective, Options, _ranks) = (objective, options, ranks);
        Plan = TrainingPlan.For(options, training.Count, objective.Student.parameters().Sum(parameter => parameter.numel()));
        _settings = RunSettings.Of(options, Plan, objective, training, validation);
        if (options.CheckpointDirectory is string directory && ranks.IsFirst) _checkpoint = new Checkpoint(directory, _settings, Student);
    }

    /// <summary>The student and its loss.</summary>
    public IObjective Objective { get; }

    /// <summary>The student.</summary>
    public Detector Student => Objective.Student;

    /// <summary>How it is trained.</summary>
    public TrainingOptions Options { get; }

    /// <summary>Its schedule.</summary>
    public TrainingPlan Plan { get; }

    /// <summary>The number of epochs that it has completed.</summary>
    public int Epochs => State.History.Count;

    /// <summary>What changes while it trains; between <see cref="Start"/> and <see cref="Finish"/>.</summary>
    public TrainingState State => _state ?? throw new InvalidOperationException("Training has not begun.");

    /// <summary>Begins, from the checkpoint where there is one.</summary>
    /// <exception cref="InvalidOperationException">The checkpoint is of another run.</exception>
    public void Start()
    {
        _state = new TrainingState(Objective, Options, Plan);
        foreach (nn.Module module in (nn.Module[])[Student, .. Objective.Extras]) SharedBatchNorm.Share(module, _ranks);
        _checkpoint?.Resume(_state);
    }

    /// <summary>Gives all ranks the state of the first, once it has been made sure that they train the same on the same.</summary>
    /// <exception cref="InvalidOperationException">A rank has other settings or data than the first.</exception>
    public void Share()
    {
        if (!_ranks.AreSeveral) return;
        _ranks.BeginAlone();
        IReadOnlyDictionary<string, string> first = _ranks.Broadcast(_settings);
        foreach ((string name, string value) in _settings)
        {
            if (first.GetValueOrDefault(name) != value)
            {
                throw new InvalidOperationException(
                    $"Its {name} differs from that of rank 0: {value}, and not {first.GetValueOrDefault(name)}.");
            }
        }

        _ranks.Agree();
        State.Share(_ranks);
    }

    /// <summary>Begins an epoch.</summary>
    public void Open(int epoch)
    {
        _meter = new EpochMeter(Plan, epoch, State.Begun);
        State.Begun = null;
        Student.train();
        foreach (nn.Module extra in Objective.Extras) extra.train();
    }

    /// <summary>How many of an epoch's steps it has made: more than none where an error interrupted the epoch.</summary>
    public int StepsIn(int epoch) => State.Step - (epoch - 1) * Plan.StepsPerEpoch;

    /// <summary>Writes a checkpoint of a running epoch, should there be checkpoints.</summary>
    public void SaveInterrupted()
    {
        State.Begun = _meter!.ToBegun();
        _checkpoint?.Save(State);
    }

    /// <summary>Takes in a step's losses.</summary>
    /// <param name="names">The names of the K terms.</param>
    /// <param name="losses">The K weighted terms.</param>
    /// <param name="images">The number of images in the batch.</param>
    public void Log(IReadOnlyList<string> names, double[] losses, int images) => _meter!.Add(names, losses, images);

    /// <summary>Tells of the step.</summary>
    public void Report() => Options.Progress?.Report(_meter!.Progress(State.Step));

    /// <summary>Ends an epoch: keeps the student if it is the best so far, writes the checkpoint, and tells.</summary>
    /// <param name="validation">The images to measure it on, when that is due.</param>
    /// <param name="device">Where it is.</param>
    public void Close(int epoch, IDetectionDataset? validation, Device device)
    {
        State.Align(_ranks);
        CocoMetrics? metrics = Validate(epoch, validation, device);
        double? ap = metrics is null || double.IsNaN(metrics.AveragePrecision) ? null : metrics.AveragePrecision;
        double? ap50 = ap is null ? null : metrics!.AveragePrecision50;
        if (ap is double value)
        {
            using IDisposable? averaged = State.UseAverage();
            State.KeepIfBest(value);
        }

        State.History.Add(new EpochSummary(epoch, _meter!.Means(), ap, ap50));
        _checkpoint?.Save(State);
        Options.Progress?.Report(_meter.Progress(State.Step) with
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

    /// <summary>Gives all ranks the student of the first; after <see cref="Finish"/>.</summary>
    public void ShareResult()
    {
        if (!_ranks.AreSeveral) return;
        foreach (Tensor values in Student.state_dict().Values) _ranks.Broadcast(values);
        _result = _result! with { BestAp = _ranks.Broadcast(_result.BestAp) };
    }

    /// <summary>What became of the student; after <see cref="Finish"/>.</summary>
    public TrainingResult Result(bool cancelled) => _result! with { Cancelled = cancelled };

    private CocoMetrics? Validate(int epoch, IDetectionDataset? validation, Device device)
    {
        if (validation is null || (epoch % Options.ValidationEvery != 0 && epoch != Plan.Epochs)) return null;
        using IDisposable? averaged = State.UseAverage();
        return Validator.Evaluate(Student, validation, device, Options.BatchSize / _ranks.Count, Options.LoaderThreads, _ranks,
            _ranks.OfOne(Options.CancellationToken));
    }
}

/// <summary>What an epoch came to before it was interrupted.</summary>
/// <param name="Sums">The sum of each weighted term over its steps.</param>
/// <param name="Steps">The number of its steps.</param>
internal sealed record BegunEpoch(Dictionary<string, double> Sums, int Steps);

/// <summary>Keeps the means of an epoch's losses and its speed, and makes progress reports of them.</summary>
/// <param name="begun">What the epoch came to before an interruption.</param>
internal sealed class EpochMeter(TrainingPlan plan, int epoch, BegunEpoch? begun = null)
{
    private readonly Dictionary<string, double> _sums = begun?.Sums ?? [];
    private readonly long _started = Stopwatch.GetTimestamp();
    private int _steps = begun?.Steps ?? 0;
    private int _images;

    /// <summary>Takes in a step.</summary>
    public void Add(IReadOnlyList<string> names, double[] losses, int images)
    {
        for (int i = 0; i < losses.Length; i++) _sums[names[i]] = _sums.GetValueOrDefault(names[i]) + losses[i];
        _steps++;
        _images += images;
    }

    /// <summary>What the epoch has come to, for a checkpoint.</summary>
    public BegunEpoch ToBegun() => new(_sums, _steps);

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
