namespace Microsoft.ML.Distillation;

/// <summary>
/// Where the parameters of a backbone come from that is built to be trained: <c>Backbone.ResNet18 with { Weights =
/// PretrainedWeights.ImageNet }</c>. On few images it matters more than anything else; pre-trained ones know edges, textures and parts.
/// They count for a fresh detector alone, not for one that starts from a trained detector
/// (<see cref="DetectorEstimatorOptions.InitialStudent"/>) or continues from a checkpoint.
/// </summary>
public sealed record PretrainedWeights
{
    private PretrainedWeights(WeightsChoice choice) => Choice = choice;

    /// <summary>
    /// The default: those of <see cref="ImageNet"/> where they are in this machine's cache, random ones otherwise. Nothing is downloaded.
    /// The log says which, and a model's file and its report name the file with its hash.
    /// </summary>
    public static PretrainedWeights Auto { get; } = new(WeightsChoice.Auto);

    /// <summary>Random parameters, whatever is in the cache.</summary>
    public static PretrainedWeights None { get; } = new(WeightsChoice.None);

    /// <summary>
    /// Those that torchvision publishes for the backbone, trained on ImageNet: see <see cref="PublishedWeights"/>, which says under which
    /// licence. They are downloaded when training begins, unless they are in the cache.
    /// </summary>
    public static PretrainedWeights ImageNet { get; } = new(WeightsChoice.ImageNet);

    /// <summary>The file of <see cref="FromFile"/>; <see langword="null"/> for the other choices.</summary>
    public string? Path { get; private init; }

    /// <summary>What <see cref="FromFile"/> was told of the file's names.</summary>
    internal Func<string, string?>? Rename { get; private init; }

    /// <summary>Which of the four it is.</summary>
    internal WeightsChoice Choice { get; }

    /// <summary>
    /// Those of a file: a PyTorch checkpoint (.pth, .pt) or a .safetensors file, by torchvision's names. The classifier and stages that the
    /// backbone leaves out are passed over. The file is read when a detector is built to be trained.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="rename">
    /// Turns a name in the file into torchvision's; <see langword="null"/> for a name drops the parameter. Checkpoints of the ShuffleNetV2
    /// authors' own code need none.
    /// </param>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    public static PretrainedWeights FromFile(string path, Func<string, string?>? rename = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new(WeightsChoice.File) { Path = path, Rename = rename };
    }

    /// <summary>Those of a file, as <see cref="FromFile"/> has them: <c>Weights = "resnet18.pth"</c>.</summary>
    /// <param name="path">The file.</param>
    public static implicit operator PretrainedWeights(string path) => FromFile(path);

    /// <summary>The choice, as messages name it.</summary>
    public override string ToString() => Path ?? $"{Choice}";
}

/// <summary>The four answers to the question where parameters come from.</summary>
internal enum WeightsChoice
{
    Auto,
    None,
    ImageNet,
    File,
}
