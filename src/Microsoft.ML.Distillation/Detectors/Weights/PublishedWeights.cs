using Microsoft.ML.Distillation.Detectors.Weights;

namespace Microsoft.ML.Distillation;

/// <summary>
/// A file of parameters that someone publishes for a backbone: what it is, where it comes from, under which licence, and how to get it.
/// Nothing is downloaded unless <see cref="DownloadAsync"/> or <see cref="PretrainedWeights.ImageNet"/> asks for it. Files lie in the
/// cache (<see cref="CacheDirectory"/>); whoever has no network puts them there by hand, under their <see cref="FileName"/>. Each time
/// that a file is used it is held to its hash.
/// </summary>
public sealed class PublishedWeights
{
    /// <summary>Where torchvision's files are published; <c>ML_DISTILLATION_WEIGHTS_URL</c> names a mirror.</summary>
    internal const string Origin = "https://download.pytorch.org/models/";

    private const string TorchvisionLicense =
        "BSD-3-Clause (torchvision); trained on ImageNet, whose images are for non-commercial research and education";

    internal PublishedWeights(BackboneKind backbone, string fileName, string sha256, long bytes)
    {
        (Backbone, FileName, Sha256, Bytes) = (backbone, fileName, sha256, bytes);
    }

    /// <summary>All files that are known: torchvision's, trained on ImageNet.</summary>
    public static IReadOnlyList<PublishedWeights> All { get; } =
    [
        new(BackboneKind.ShuffleNetV2_x0_5, "shufflenetv2_x0.5-f707e7126e.pth",
            "f707e7126e8601ea5fa0e272e0f35c52807773d603bcb11e611fa04a0b0880fd", 5_538_128)
        { Remark = "ported from github.com/ericsun99/Shufflenet-v2-Pytorch" },
        new(BackboneKind.ShuffleNetV2_x1_0, "shufflenetv2_x1-5666bf0f80.pth",
            "5666bf0f80d1e7f8fb61f6a65742b9c27c37f3208c1f087cdcd7c1ec1aa8b848", 9_218_294)
        { Remark = "ported from github.com/ericsun99/Shufflenet-v2-Pytorch" },
        new(BackboneKind.ResNet18, "resnet18-f37072fd.pth",
            "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec", 46_830_571),
        new(BackboneKind.ResNet34, "resnet34-b627a593.pth",
            "b627a593bcbe140c234610266fe4f8ae95ea42fc881d091c9b6052e6b1d0590f", 87_319_819),
        new(BackboneKind.ResNet50, "resnet50-0676ba61.pth",
            "0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a", 102_530_333),
        new(BackboneKind.MobileNetV3Small, "mobilenet_v3_small-047dcff4.pth",
            "047dcff4addef86ea5bc2eff13c9614dc11f47ab1160d0a71a25e7db994f4e1f", 10_306_551),
        new(BackboneKind.MobileNetV3Large, "mobilenet_v3_large-8738ca79.pth",
            "8738ca797c879b547d18bbd15da5736ff2557b2036a9af72225393ca61759a04", 22_139_423),
        new(BackboneKind.AlexNet, "alexnet-owt-7be5be79.pth",
            "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02", 244_408_911),
        new(BackboneKind.Vgg16, "vgg16-397923af.pth",
            "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0", 553_433_881),
    ];

    /// <summary>
    /// The folder of the cache: <c>weights</c> in the folder that the environment variable <c>ML_DISTILLATION_CACHE</c> names, else in
    /// <c>ml-distillation</c> in the system's folder for such files (<c>XDG_CACHE_HOME</c> or <c>~/.cache</c>; on Windows the user's
    /// local application data, on macOS <c>~/Library/Caches</c>). It need not exist.
    /// </summary>
    public static string CacheDirectory => WeightsCache.Default.Folder;

    /// <summary>The network that the parameters are for.</summary>
    public BackboneKind Backbone { get; }

    /// <summary>The file's name, which ends in the first digits of its hash.</summary>
    public string FileName { get; }

    /// <summary>The SHA-256 of the file, 64 hexadecimal digits. The publisher states the first eight or ten, in the name.</summary>
    public string Sha256 { get; }

    /// <summary>About how many bytes it has.</summary>
    public long Bytes { get; }

    /// <summary>Who made the parameters, from what.</summary>
    public string Source => Remark is null ? "torchvision, ImageNet-1K (V1)" : $"torchvision, ImageNet-1K (V1), {Remark}";

    /// <summary>The terms under which they are published, and those of what they were made from.</summary>
    public string License { get; private init; } = TorchvisionLicense;

    /// <summary>
    /// Where it is downloaded from: the publisher's address, or the mirror that the environment variable
    /// <c>ML_DISTILLATION_WEIGHTS_URL</c> names, a folder under http or https that has files of the same names.
    /// </summary>
    /// <exception cref="InvalidOperationException">The variable holds no such address.</exception>
    public Uri Address => WeightsCache.Default.AddressOf(this);

    /// <summary>Where it is in the cache, or is to be put.</summary>
    public string CachePath => WeightsCache.Default.PathOf(this);

    /// <summary>Whether there is a file at <see cref="CachePath"/>; <see cref="FindCacheProblem"/> says whether it is the right
    /// one.</summary>
    public bool IsCached => File.Exists(CachePath);

    /// <summary>
    /// Looks at what lies at <see cref="CachePath"/>: its hash is computed, which takes a second for some hundred megabytes.
    /// </summary>
    /// <returns>What is wrong with it; <see langword="null"/> where it is what was published, or nothing lies there.</returns>
    public string? FindCacheProblem() => WeightsCache.Default.ProblemOf(this);

    private string? Remark { get; init; }

    /// <summary>The published parameters of a backbone; <see langword="null"/> where none are known.</summary>
    /// <param name="backbone">The backbone, of any number of stages.</param>
    public static PublishedWeights? Of(Backbone backbone)
    {
        ArgumentNullException.ThrowIfNull(backbone);
        return All.FirstOrDefault(one => one.Backbone == backbone.Kind);
    }

    /// <summary>
    /// Makes sure that the file is in the cache. What an interrupted download left is continued; the file appears whole and with the right
    /// hash, or not at all; of several processes one downloads and the others wait.
    /// </summary>
    /// <param name="progress">Is told of the bytes that have come; of none where the file is there already.</param>
    /// <param name="cancellationToken">Ends the download; what has come is kept to be continued.</param>
    /// <returns>The file's path in the cache.</returns>
    /// <exception cref="IOException">
    /// There is no network, no such file at the address, or no room; the message says where to put a file that was fetched otherwise.
    /// </exception>
    /// <exception cref="InvalidDataException">What came is not what is published.</exception>
    public Task<string> DownloadAsync(IProgress<DownloadProgress>? progress = null, CancellationToken cancellationToken = default)
        => WeightsCache.Default.GetAsync(this, progress, cancellationToken);

    /// <summary>The file's name.</summary>
    public override string ToString() => FileName;

    /// <summary>What the parameters are, as a model's file says it.</summary>
    internal WeightsOrigin ToOrigin() => new(FileName, Sha256) { Source = Source, License = License };
}

/// <summary>How far a download has come.</summary>
/// <param name="Received">The bytes that are there.</param>
/// <param name="Total">The bytes that there will be.</param>
public readonly record struct DownloadProgress(long Received, long Total);
