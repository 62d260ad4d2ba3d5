using System.CommandLine;
using Microsoft.ML.Distillation.Tool.Runs;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary>The options of training, with or without a teacher.</summary>
/// <param name="ownCheckpoints">Whether the command keeps checkpoints in a folder of its own, so that none can be named.</param>
internal sealed class TrainingOptionSet(bool ownCheckpoints = false)
{
    private readonly Option<int?> _epochs = SharedOptions
        .Count("--epochs", "How often training sees every image. [default: from the number of images]");
    private readonly Option<int?> _batchSize = SharedOptions
        .Count("--batch-size", "The number of images in a step, of each process. [default: 4]");
    private readonly Option<int?> _accumulate = SharedOptions
        .Count("--accumulate", "The number of batches whose gradients make one step: steps of more images than memory holds. [default: 1]");
    private readonly Option<string> _optimizer = SharedOptions.Choice("--optimizer", "The optimiser.", "adamw", "sgd");
    private readonly Option<string> _schedule = SharedOptions.Choice("--schedule", "How the learning rate falls.", "cosine", "step");
    private readonly Option<double?> _learningRate = SharedOptions
        .Number("--learning-rate", "The highest learning rate. [default: from the network's size]", double.Epsilon);
    private readonly Option<double?> _backboneRate = SharedOptions.Number("--backbone-rate",
        "The learning rate of the backbone, as a share of --learning-rate. "
            + "[default: 0.1 for one-stage on pre-trained weights, else 1]", double.Epsilon);
    private readonly Option<double?> _weightDecay = SharedOptions
        .Number("--weight-decay", "The weight decay. [default: from the optimiser]");
    private readonly Option<int?> _warmup = SharedOptions
        .Count("--warmup-steps", "The steps over which the learning rate rises. [default: 100]", least: 0);
    private readonly Option<double?> _ema = SharedOptions.Number("--ema",
        "The decay of a running average of the weights, for example 0.998. [default: no average]", double.Epsilon, 0.999999);
    private readonly Option<int?> _seed = SharedOptions.Count("--seed", "The seed of all that is random. [default: 1]", least: 0);
    private readonly Option<bool> _noAugmentation =
        new("--no-augmentation") { Description = "Show the images as they are: no flips, zooms or changes of colour." };
    private readonly Option<bool> _skipInvalid = SharedOptions.SkipInvalid(
        "Leave out images and boxes that cannot be used, with a warning, instead of stopping.");
    private readonly Option<string?> _checkpoints = SharedOptions
        .Path("--checkpoints", "A folder for checkpoints; training continues from the one there.", "DIR");
    private readonly Option<int?> _device = SharedOptions.Device("Where to train.");
    private readonly Option<int?> _patience = SharedOptions.Count("--patience",
        "End training after so many epochs without a better AP on the validation part; the best model is kept. [default: no end]");
    private readonly Option<double?> _hours = SharedOptions.Number("--max-hours",
        "End each training after so many hours; the best model is kept. [default: no end]", double.Epsilon);
    private readonly Option<bool> _noFlip = new("--no-flip") { Description = "Do not mirror images: where left and right are classes." };
    private readonly Option<string[]> _augment = AugmentOption.Create();
    private readonly Option<bool> _mixedPrecision =
        new("--mixed-precision") { Description = "Compute layers in bfloat16 while training; for recent GPUs." };
    private readonly Option<int?> _threads = SharedOptions
        .Count("--loader-threads", "The threads that prepare images. [default: half of the processors]");

    private readonly RankOptionSet _ranks = new();

    /// <summary>Adds these to a command's options.</summary>
    public void AddTo(IList<Option> options)
    {
        Option[] all =
        [
            _epochs, _batchSize, _accumulate, _optimizer, _schedule, _learningRate, _backboneRate, _weightDecay, _warmup, _ema, _seed,
            _noAugmentation, _noFlip, _augment, _skipInvalid, _checkpoints, _device, _mixedPrecision, _threads, _patience, _hours,
        ];
        Option[] notBeside = [_checkpoints, _patience, _hours];
        foreach (Option option in all.Where(option => !ownCheckpoints || !notBeside.Contains(option))) options.Add(option);
        if (!ownCheckpoints) _ranks.AddTo(options);
    }

    /// <summary>The seed.</summary>
    public int SeedOf(ParseResult parsed) => parsed.GetValue(_seed) ?? 1;

    /// <summary>The number of epochs that was asked for.</summary>
    public int? EpochsOf(ParseResult parsed) => parsed.GetValue(_epochs);

    /// <summary>The learning rate that was asked for.</summary>
    public double? LearningRateOf(ParseResult parsed) => parsed.GetValue(_learningRate);

    /// <summary>Whether what cannot be used is left out.</summary>
    public bool SkipsInvalid(ParseResult parsed) => parsed.GetValue(_skipInvalid);

    /// <summary>Checks before any data is read that the options go together.</summary>
    /// <exception cref="UsageException">They do not.</exception>
    public void Check(ParseResult parsed) => _ = AugmentationOf(parsed, new AugmentationOptions());

    /// <summary>Checks that there is what <c>--patience</c> looks at.</summary>
    /// <param name="isValidated">Whether there are images to choose the best model by.</param>
    /// <exception cref="UsageException">There is not.</exception>
    public void CheckPatience(ParseResult parsed, bool isValidated)
    {
        if (parsed.GetValue(_patience) is not null && !isValidated) throw new UsageException(
            "--patience looks at the AP on the validation part, and there is none: --val-share 0.15 holds one back.");
    }

    /// <summary>What ends trainings that begin now before their last epoch.</summary>
    public StopRule StopIn(ParseResult parsed)
    {
        // Of several processes the first looks at the clock: each would see another time, and none but the first says why it ended.
        return RankOptionSet.Writes(parsed) ? new StopRule(parsed.GetValue(_patience), parsed.GetValue(_hours)) : new StopRule(null, null);
    }

    /// <summary>The folder of checkpoints.</summary>
    /// <param name="run">As in <see cref="Apply"/>.</param>
    /// <param name="folder">The run's folder, which has one.</param>
    public string? CheckpointsOf(ParseResult parsed, string? run, RunFolder? folder)
    {
        string? checkpoints = ownCheckpoints ? null : parsed.GetValue(_checkpoints) ?? folder?.Checkpoints;
        return checkpoints is null || run is null ? checkpoints : Path.Combine(checkpoints, run);
    }

    /// <summary>Puts what was given on the command line into a copy of the options.</summary>
    /// <param name="run">The name of the run, where the command makes several: each has its own folder of checkpoints.</param>
    /// <param name="folder">The run's folder.</param>
    public T Apply<T>(T options, ParseResult parsed, string? run, CancellationToken cancellation, RunFolder? folder = null)
        where T : TrainingOptions
    {
        TrainingOptions basis = options;
        return (T)(basis with
        {
            Epochs = parsed.GetValue(_epochs) ?? basis.Epochs,
            BatchSize = parsed.GetValue(_batchSize) ?? basis.BatchSize,
            AccumulatedBatches = parsed.GetValue(_accumulate) ?? basis.AccumulatedBatches,
            Optimizer = !IsGiven(_optimizer) ? basis.Optimizer : parsed.GetValue(_optimizer) == "sgd" ? OptimizerKind.Sgd
                : OptimizerKind.AdamW,
            Schedule = !IsGiven(_schedule) ? basis.Schedule : parsed.GetValue(_schedule) == "step" ? LearningRateSchedule.Step
                : LearningRateSchedule.Cosine,
            LearningRate = parsed.GetValue(_learningRate) ?? basis.LearningRate,
            BackboneRate = parsed.GetValue(_backboneRate) ?? basis.BackboneRate,
            WeightDecay = parsed.GetValue(_weightDecay) ?? basis.WeightDecay,
            WarmupSteps = parsed.GetValue(_warmup) ?? basis.WarmupSteps,
            EmaDecay = parsed.GetValue(_ema) ?? basis.EmaDecay,
            Seed = SeedOf(parsed),
            Augmentation = AugmentationOf(parsed, basis.Augmentation),
            OnInvalidSample = SkipsInvalid(parsed) ? InvalidSampleHandling.Skip : InvalidSampleHandling.Error,
            CheckpointDirectory = CheckpointsOf(parsed, run, folder),
            GpuDeviceId = parsed.GetValue(_device),
            MixedPrecision = parsed.GetValue(_mixedPrecision),
            LoaderThreads = parsed.GetValue(_threads) ?? basis.LoaderThreads,
            CancellationToken = cancellation,
            Distributed = ownCheckpoints ? null : _ranks.Read(parsed),
        });

        bool IsGiven(Option option) => parsed.GetResult(option) is { Implicit: false };
    }

    private AugmentationOptions AugmentationOf(ParseResult parsed, AugmentationOptions usual)
    {
        bool none = parsed.GetValue(_noAugmentation), noFlip = parsed.GetValue(_noFlip);
        string[] asked = parsed.GetValue(_augment) ?? [];
        if (none && (noFlip || asked.Length > 0)) throw new UsageException("--no-augmentation leaves nothing for --no-flip and --augment.");
        AugmentationOptions options = AugmentOption.Apply(none ? AugmentationOptions.None : usual, asked);
        return noFlip ? options with { HorizontalFlip = false } : options;
    }
}
