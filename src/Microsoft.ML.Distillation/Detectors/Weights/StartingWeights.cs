using System.Globalization;

namespace Microsoft.ML.Distillation.Detectors.Weights;

/// <summary>The file that a backbone's parameters start from, at hand and known by its hash.</summary>
/// <param name="Path">The file.</param>
/// <param name="Rename">What turns its names into torchvision's.</param>
/// <param name="Origin">What it is.</param>
internal sealed record StartingWeights(string Path, Func<string, string?>? Rename, WeightsOrigin Origin)
{
    private const double Megabyte = 1e6;

    /// <summary>The file that a backbone asks for, downloaded if that is asked for; null for random parameters.</summary>
    /// <param name="cache">The cache; null: this machine's.</param>
    /// <exception cref="ArgumentException">Nothing is published for the backbone.</exception>
    /// <exception cref="IOException">The file is not to be had.</exception>
    /// <exception cref="InvalidDataException">A file in the cache is not what was published.</exception>
    public static StartingWeights? Of(
        Backbone backbone, WeightsCache? cache = null, IProgress<DownloadProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        PretrainedWeights weights = backbone.Weights;
        cache ??= WeightsCache.Default;
        switch (weights.Choice)
        {
            case WeightsChoice.File:
                string hash = WeightsCache.HashOf(weights.Path!);
                // A published file under another name is still what it is.
                WeightsOrigin? known = cache.Published.FirstOrDefault(one => one.Sha256 == hash)?.ToOrigin();
                string name = System.IO.Path.GetFileName(weights.Path!);
                return new(weights.Path!, weights.Rename, known is null ? new WeightsOrigin(name, hash) : known with { File = name });
            case WeightsChoice.ImageNet:
                PublishedWeights published = cache.Of(backbone) ?? throw NotPublished(backbone);
                string path = cache.GetAsync(published, progress, cancellationToken).GetAwaiter().GetResult();
                return new(path, null, published.ToOrigin());
            case WeightsChoice.Auto when cache.Of(backbone) is { } usual && cache.Find(usual) is { } at:
                return new(at, null, usual.ToOrigin());
            default: return null;
        }
    }

    /// <summary>What is wrong with asking for the published parameters of a backbone that has none.</summary>
    public static ArgumentException NotPublished(Backbone backbone) => new(
        $"{nameof(Backbone)}.{nameof(Backbone.Weights)}: no weights of ImageNet are published for {backbone.Kind}, but for "
            + $"{string.Join(", ", PublishedWeights.All.Select(one => one.Backbone))}.");

    /// <summary>
    /// What is to be said of random parameters where nobody chose them, and there are better ones to be had; null elsewhere.
    /// </summary>
    public static string? Advice(Backbone backbone)
    {
        if (backbone.Weights.Choice != WeightsChoice.Auto || PublishedWeights.Of(backbone) is not { } published)
            return null;
        string size = (published.Bytes / Megabyte).ToString("0", CultureInfo.InvariantCulture);
        return $"The backbone starts from random parameters, since {published.FileName} is not in the cache. On a few hundred images that "
            + $"cost about 15 points of AP where it was measured. {nameof(Backbone)}.{nameof(Backbone.Weights)} = "
            + $"{nameof(PretrainedWeights)}.{nameof(PretrainedWeights.ImageNet)} downloads those trained on ImageNet once ({size} MB; "
            + $"{published.License}); {nameof(PretrainedWeights)}.{nameof(PretrainedWeights.None)} keeps random ones without this word.";
    }
}
