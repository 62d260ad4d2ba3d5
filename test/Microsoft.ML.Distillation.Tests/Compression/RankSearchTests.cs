using Microsoft.ML.Distillation.Compression;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Compression;

public class RankSearchTests
{
    private static readonly Dictionary<string, IReadOnlyList<int>> None = [];

    private static readonly LayerShape[] Layers =
    [
        new("stem", 3, 64, 7, 1, 4096, 1024),
        new("depthwise", 64, 64, 3, 64, 1024, 1024),
        new("wide", 64, 128, 3, 1, 1024, 256),
        new("narrow", 128, 128, 1, 1, 256, 256),
    ];

    [TestCase(0.2)]
    [TestCase(0.375)]
    [TestCase(0.6)]
    public void Ranks_KeepTheBudget_AndUseIt(double share)
    {
        Dictionary<string, IReadOnlyList<int>> ranks = RankSearch.Choose(Layers, share, None, null);
        Assert.That(Share(ranks), Is.InRange(share - 0.03, share));
        Assert.That(ranks, Does.Not.ContainKey("depthwise"));
    }

    [Test]
    public void WholeBudget_TakesNothingApart() => Assert.That(RankSearch.Choose(Layers, 1, None, null), Is.Empty);

    [Test]
    public void GivenRanks_Stay()
    {
        var given = new Dictionary<string, IReadOnlyList<int>> { ["wide"] = [40, 60] };
        Dictionary<string, IReadOnlyList<int>> ranks = RankSearch.Choose(Layers, 0.5, given, null);
        Assert.That(ranks["wide"], Is.EqualTo(new[] { 40, 60 }));
        Assert.That(Share(ranks), Is.InRange(0.47, 0.5));
    }

    [Test]
    public void Spectra_GiveMoreToTheLayerThatNeedsMore()
    {
        using DisposeScope scope = NewDisposeScope();
        LayerShape[] layers = [new("simple", 40, 40), new("rich", 40, 40)];
        var spectra = new Dictionary<string, Spectrum[]>
        {
            ["simple"] = [Spectrum.Of(DeterministicValues.Values(1, 40, 2).mm(DeterministicValues.Values(2, 2, 40)))],
            ["rich"] = [Spectrum.Of(DeterministicValues.Values(3, 40, 40))],
        };
        Dictionary<string, IReadOnlyList<int>> ranks = RankSearch.Choose(layers, 0.4, None, spectra);
        Assert.That(ranks["simple"][0], Is.LessThanOrEqualTo(2));
        Assert.That(ranks["rich"][0], Is.GreaterThan(8));
    }

    [Test]
    public void ShareBelowTheSmallestRanks_IsAnError()
        => Assert.That(() => RankSearch.Choose(Layers, 0.001, None, null),
            Throws.ArgumentException.With.Message.Contains("even at rank 1"));

    private static double Share(IReadOnlyDictionary<string, IReadOnlyList<int>> ranks)
        => Layers.Sum(l => ranks.TryGetValue(l.Name, out IReadOnlyList<int>? r) ? l.FlopsAt(r) : l.Flops) / Layers.Sum(l => l.Flops);
}
