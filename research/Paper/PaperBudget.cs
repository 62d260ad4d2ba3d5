using Microsoft.ML.Distillation.Tool;

namespace Microsoft.ML.Distillation.Research;

/// <summary>What the paper's four networks are, and how long they are trained. All budgets go the same way with other figures.</summary>
internal sealed record PaperBudget
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>The backbones in the places of AlexNet, VGG-M and VGG16.</summary>
    public required (Backbone AlexNet, Backbone VggM, Backbone Vgg16) Backbones { get; init; }

    /// <summary>The longer side of the input in pixels: for most tables, and for both sides of Table 2.</summary>
    public required (int Usual, int High, int Low) InputSizes { get; init; }

    /// <summary>What all detectors have in common beside.</summary>
    public FasterRcnnOptions Detector { get; init; } = new();

    /// <summary>The share of the head's multiplications that remains for a share of the backbone's.</summary>
    public required Func<double, double> HeadShare { get; init; }

    /// <summary>Training from scratch; how many epochs, <see cref="Epochs"/> says.</summary>
    public required TrainingOptions Training { get; init; }

    /// <summary>The epochs of training from scratch, for a number of images.</summary>
    public required Func<int, int> Epochs { get; init; }

    /// <summary>The highest learning rate of a network that starts from the parts of a trained one.</summary>
    public required double FineTuningRate { get; init; }

    /// <summary>
    /// For 2 CPU cores: plain networks of growing width, small inputs, short training.
    /// </summary>
    public static PaperBudget Small { get; } = new()
    {
        Name = "small",
        Backbones = (Backbone.Plain(8, 16, 24, 32), Backbone.Plain(12, 24, 36, 48), Backbone.Plain(24, 48, 72, 96)),
        InputSizes = (128, 160, 80),
        HeadShare = share => share,
        Training = new TrainingOptions { ValidationEvery = 4 },
        Epochs = _ => 24,
        FineTuningRate = 0.001,
    };

    /// <summary>
    /// The paper's networks at 600 pixels on the shorter side of 4:3 images, py-faster-rcnn's anchors, boxes by class, 128
    /// regions of which a quarter have an object, and schedule: 70,000
    /// images of VOC's 5,011 and 490,000 of COCO's 82,783, which are 14 epochs and 6, and other numbers of images by the power law through
    /// these two; momentum 0.9, weight decay 0.0005, a learning rate of 0.001 an image. Table 2 is at 688 and 344 pixels. A GPU's work.
    /// </summary>
    public static PaperBudget Full { get; } = new()
    {
        Name = "paper",
        // Those of a folder that is named, or random ones: never what the machine's cache happens to have.
        Backbones = (Backbone.AlexNet with { Weights = PretrainedWeights.None }, Backbone.VggM,
            Backbone.Vgg16 with { Weights = PretrainedWeights.None }),
        InputSizes = (800, 917, 459),
        Detector = new FasterRcnnOptions
        {
            AnchorSizes = [128, 256, 512],
            AnchorRatios = [.5f, 1, 2],
            RoiPooling = RoiPoolingKind.Max,
            ClassAgnosticBoxes = false,
            RoiBatchSize = 128,
            RoiPositiveShare = 0.25f,
        },
        HeadShare = share => share * 0.17 / 0.375,
        Training = new TrainingOptions
        {
            BatchSize = 2,
            Optimizer = OptimizerKind.Sgd,
            Schedule = LearningRateSchedule.Step,
            LearningRate = 0.002,
            ValidationEvery = 7,
        },
        Epochs = images => Math.Max(1, (int)Math.Round(14 * Math.Pow(5_011.0 / Math.Max(1, images), 0.3))),
        FineTuningRate = 0.002,
    };

    /// <summary>The files of pre-trained weights, by their names; empty where there are none.</summary>
    public string WeightFiles => string
        .Join(", ", new[] { Backbones.AlexNet, Backbones.VggM, Backbones.Vgg16 }.Select(backbone => backbone.Weights.Path).OfType<string>()
        .Select(Path.GetFileName));

    /// <summary>A network of this budget.</summary>
    public DetectorPlan Network(Backbone backbone, int inputSize) => DetectorPlan.FasterRcnn(backbone, inputSize, Detector);

    /// <summary>Puts the budget's way of training into options.</summary>
    /// <param name="images">The number of images to train on.</param>
    public DetectorEstimatorOptions Apply(DetectorEstimatorOptions options, int images) => options with
    {
        Epochs = Epochs(images),
        BatchSize = Training.BatchSize,
        Optimizer = Training.Optimizer,
        Schedule = Training.Schedule,
        LearningRate = Training.LearningRate,
        ValidationEvery = Training.ValidationEvery,
    };

    /// <summary>The same with other inputs, in the same proportions.</summary>
    public PaperBudget At(int? inputSize) => inputSize is not int usual ? this : this with
    {
        InputSizes = (usual, Scaled(InputSizes.High, usual), Scaled(InputSizes.Low, usual)),
        Detector = Detector with { AnchorSizes = Detector.AnchorSizes?.Select(size => size * usual / InputSizes.Usual).ToArray() },
    };

    /// <summary>The same with backbones that start from pre-trained weights: alexnet, vgg-m and vgg16 as .pth, .pt or .safetensors, those
    /// that the folder has.</summary>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException">It has none of them.</exception>
    /// <exception cref="UsageException">The budget's networks are none that weights are published for.</exception>
    public PaperBudget WithWeights(string? folder)
    {
        if (folder is null) return this;
        if (Backbones.AlexNet.Kind == BackboneKind.Plain) throw new UsageException(
            $"--weights are for --budget paper: the networks of the budget {Name} are too small for published ones.");
        if (!Directory.Exists(folder)) throw new DirectoryNotFoundException($"There is no folder '{folder}' with pre-trained weights.");
        PaperBudget with = this with
        {
            Backbones =
            (From(Backbones.AlexNet, "alexnet"), From(Backbones.VggM, "vgg-m"), From(Backbones.Vgg16, "vgg16"))
        };
        if (with.Backbones == Backbones) throw new FileNotFoundException(
            $"'{folder}' has no weights: name them alexnet, vgg-m and vgg16, with .pth, .pt or .safetensors.");
        return with;

        Backbone From(Backbone backbone, string name)
            => new[] { ".pth", ".pt", ".safetensors" }.Select(extension => Path.Combine(folder, name + extension))
                .FirstOrDefault(File.Exists) is { } file
                ? backbone with { Weights = file }
                : backbone;
    }

    private int Scaled(int size, int usual) => Math.Max(32, (int)Math.Round((double)size * usual / InputSizes.Usual));
}
