namespace Microsoft.ML.Distillation;

/// <summary>How an optimiser turns gradients into steps.</summary>
public enum OptimizerKind
{
    /// <summary>Adam with decoupled weight decay (Loshchilov and Hutter, 2019): the robust choice for training from scratch.</summary>
    AdamW,

    /// <summary>Stochastic gradient descent with momentum: what the papers used.</summary>
    Sgd,
}

/// <summary>How the learning rate falls after the warm-up.</summary>
public enum LearningRateSchedule
{
    /// <summary>Along half a cosine, to 0 at the last step.</summary>
    Cosine,

    /// <summary>By a tenth after two thirds of the steps and again after eight ninths.</summary>
    Step,
}

/// <summary>
/// How a detector is trained, with or without a teacher. The defaults adapt to the data and to the network: what is
/// <see langword="null"/> is chosen when training begins.
/// </summary>
public record TrainingOptions
{
    /// <summary>
    /// How often training sees every image. <see langword="null"/>: √(800,000 / images), between 12 and 200: 200 for 20 images,
    /// 63 for 200, 28 for 1,000, 12 from 5,600 on. A student gains the more from its teacher the longer it trains.
    /// </summary>
    public int? Epochs { get; init; }

    /// <summary>
    /// The number of images in a step, of each process where several train together (<see cref="Distributed"/>): learning rates that are
    /// not given follow from the images of all. What does not fill a batch waits for the next epoch, which has another order.
    /// </summary>
    public int BatchSize { get; init; } = 4;

    /// <summary>
    /// The number of batches whose gradients make one step together, above 0: steps of more images than memory holds at once. Learning
    /// rates that are not given follow from the images of a step. Nearly as good as the larger batch, but not the same: batch normalisation
    /// and the losses' normalisers see one batch at a time.
    /// </summary>
    public int AccumulatedBatches { get; init; } = 1;

    /// <summary>The optimiser.</summary>
    public OptimizerKind Optimizer { get; init; } = OptimizerKind.AdamW;

    /// <summary>
    /// The highest learning rate, reached at the end of the warm-up. <see langword="null"/>: for AdamW 0.002 for networks of up to a
    /// million parameters and less for larger ones (0.0008 at 4 million, 0.0002 at 30 million), times √(images of a step / 4);
    /// for SGD 0.00125 for each image of a step. A fresh one-stage detector has eight times as much under AdamW, of which a pre-trained
    /// backbone has a tenth (<see cref="BackboneRate"/>).
    /// </summary>
    public double? LearningRate { get; init; }

    /// <summary>
    /// The learning rate of the backbone, as a share of <see cref="LearningRate"/>, above 0. <see langword="null"/>: 0.1 for that of a
    /// one-stage detector under AdamW that starts from pre-trained weights, since what it knows is to be kept while the layers on top of it
    /// are learned from nothing; else 1.
    /// </summary>
    public double? BackboneRate { get; init; }

    /// <summary>How the learning rate falls.</summary>
    public LearningRateSchedule Schedule { get; init; } = LearningRateSchedule.Cosine;

    /// <summary>The number of steps over which the learning rate rises linearly; never more than a tenth of all steps.</summary>
    public int WarmupSteps { get; init; } = 100;

    /// <summary>
    /// The weight decay. Biases and the weights of normalisation layers do not decay. <see langword="null"/>: 0.05 for AdamW, 0.0005 for
    /// SGD.
    /// </summary>
    public double? WeightDecay { get; init; }

    /// <summary>SGD's momentum; AdamW does not use it.</summary>
    public double Momentum { get; init; } = 0.9;

    /// <summary>The largest norm of a step's gradient; larger ones are scaled down to it. 0: no limit.</summary>
    public double GradientClip { get; init; } = 10;

    /// <summary>
    /// The decay of a running average of the weights, which is validated and returned in their place; 0.998 is a usual value.
    /// <see langword="null"/>: no average.
    /// </summary>
    public double? EmaDecay { get; init; }

    /// <summary>
    /// The weight of a squared loss of box deltas to the ground truth, beside the smooth L1 loss. It is the teacher-bounded loss
    /// without its teacher: what a distilled student has to beat, to show that its gain is the teacher's. For a one-stage student, whose
    /// bounded
    /// loss is of GIoU, it is that of GIoU. 0: none.
    /// </summary>
    public double SquaredRegressionWeight { get; init; }

    /// <summary>How images are varied.</summary>
    public AugmentationOptions Augmentation { get; init; } = new();

    /// <summary>
    /// The seed of all that is random: initial weights, order of images, augmentation, sampling. On one machine's CPU the same seed
    /// gives the same model. <see langword="null"/>: the seed of the <c>MLContext</c>, or one drawn by chance.
    /// </summary>
    public int? Seed { get; init; }

    /// <summary>
    /// A folder for a checkpoint, written after each epoch. Training that was interrupted continues from it exactly, on the same data
    /// with the same options; with others it is an error. <see langword="null"/>: none.
    /// </summary>
    public string? CheckpointDirectory { get; init; }

    /// <summary>With a validation set: after how many epochs it is evaluated (and after the last). The best model is returned.</summary>
    public int ValidationEvery { get; init; } = 1;

    /// <summary>Is told of every step and of every epoch's validation.</summary>
    public IProgress<TrainingProgress>? Progress { get; init; }

    /// <summary>Ends training after the current step; the best model so far is returned.</summary>
    public CancellationToken CancellationToken { get; init; }

    /// <summary>The CUDA device to train on. <see langword="null"/>: that of the <c>MLContext</c>, or the CPU.</summary>
    public int? GpuDeviceId { get; init; }

    /// <summary>
    /// Whether to train on the CPU where the CUDA device is not available. <see langword="null"/>: as the <c>MLContext</c> says.
    /// </summary>
    public bool? FallbackToCpu { get; init; }

    /// <summary>
    /// Whether the layers of student and teacher compute in bfloat16 while training; weights, losses, validation and the fitted model
    /// stay in
    /// single precision. For GPUs that have bfloat16, NVIDIA's from Ampere on; ONNX teachers compute as their graph says. Not for
    /// students of low precision.
    /// </summary>
    public bool MixedPrecision { get; init; }

    /// <summary>What to do with images and boxes that cannot be used.</summary>
    public InvalidSampleHandling OnInvalidSample { get; init; } = InvalidSampleHandling.Error;

    /// <summary>
    /// The memory in bytes for decoded images, of all data sets of a training together. Images of the data's files that do not fit are
    /// decoded anew whenever they are due: those that <c>LoadUprightImages</c> read, and those of other origin whose <c>ImagePath</c>
    /// column names a file of the very same pixels. It does not change what comes out. See <see cref="TemporaryFolder"/> for the others.
    /// </summary>
    public long CacheBytes { get; init; } = 1L << 30;

    /// <summary>
    /// The folder for a temporary file of decoded images, three bytes a pixel: those that do not fit into <see cref="CacheBytes"/> and lie
    /// in no file that the data name. It takes half of what is free there at most; more is an error. It disappears with the training, or
    /// with the process. <see langword="null"/>: the system's folder for temporary files, which may be memory.
    /// </summary>
    public string? TemporaryFolder { get; init; }

    /// <summary>The number of threads that prepare images. 0: half of the processors.</summary>
    public int LoaderThreads { get; init; }

    /// <summary>
    /// Training by all processes that a cluster's launcher started (<c>mpirun</c>, <c>srun</c>), each on its part of every batch.
    /// <see langword="null"/>: by this process alone.
    /// </summary>
    public DistributedOptions? Distributed { get; init; }

    /// <summary>How often training sees every image where <see cref="Epochs"/> is <see langword="null"/>.</summary>
    /// <param name="images">The number of images.</param>
    public static int DefaultEpochs(int images) => (int)Math.Clamp(Math.Round(Math.Sqrt(800_000.0 / Math.Max(1, images))), 12, 200);

    /// <summary>The images of a step.</summary>
    internal long StepSize => (long)BatchSize * AccumulatedBatches;

    /// <summary>Checks the options.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range; the message names it.</exception>
    internal virtual void Validate()
    {
        Check(Epochs is null or > 0, nameof(Epochs), Epochs, "above 0");
        Check(BatchSize > 0, nameof(BatchSize), BatchSize, "above 0");
        Check(AccumulatedBatches > 0, nameof(AccumulatedBatches), AccumulatedBatches, "above 0");
        Check(LearningRate is null or > 0 and < double.PositiveInfinity, nameof(LearningRate), LearningRate, "above 0");
        Check(BackboneRate is null or > 0 and < double.PositiveInfinity, nameof(BackboneRate), BackboneRate, "above 0");
        Check(WarmupSteps >= 0, nameof(WarmupSteps), WarmupSteps, "0 or more");
        Check(WeightDecay is null or >= 0 and < double.PositiveInfinity, nameof(WeightDecay), WeightDecay, "0 or more");
        Check(Momentum is >= 0 and < 1, nameof(Momentum), Momentum, "from 0 to below 1");
        Check(GradientClip >= 0, nameof(GradientClip), GradientClip, "0 or more");
        Check(EmaDecay is null or > 0 and < 1, nameof(EmaDecay), EmaDecay, "between 0 and 1");
        Check(SquaredRegressionWeight >= 0, nameof(SquaredRegressionWeight), SquaredRegressionWeight, "0 or more");
        Check(ValidationEvery > 0, nameof(ValidationEvery), ValidationEvery, "above 0");
        Check(GpuDeviceId is null or >= 0, nameof(GpuDeviceId), GpuDeviceId, "0 or more");
        Check(CacheBytes >= 0, nameof(CacheBytes), CacheBytes, "0 or more");
        Check(LoaderThreads >= 0, nameof(LoaderThreads), LoaderThreads, "0 or more");
        Augmentation.Validate();
        Distributed?.Validate();
    }

    private protected static void Check(bool valid, string option, object? value, string range)
    {
        if (!valid) throw new ArgumentOutOfRangeException(option, value, $"The option {option} must be {range}.");
    }
}
