using Microsoft.ML.Distillation.Compression;
using Microsoft.ML.Distillation.Detectors.Backbones;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Detectors;

/// <summary>Makes detectors with layers in parts: of a trained one, or fresh.</summary>
internal static class DetectorCompressor
{
    /// <summary>A detector of the same kind that computes nearly the same with fewer multiplications.</summary>
    /// <param name="whole">A detector with no layer in parts; it stays as it is.</param>
    /// <exception cref="ArgumentException">The options do not fit the detector; the message names what does not.</exception>
    public static T Compress<T>(T whole, CompressionOptions options) where T : Detector, ICompressible<T>
        => InParts(whole, options, trained: true);

    /// <summary>
    /// The student of a plan, its layers in parts where its backbone asks for that: of pre-trained weights, or else fresh ones.
    /// </summary>
    /// <param name="whole">The whole detector, which this method takes over.</param>
    /// <exception cref="ArgumentException">The options do not fit the detector; the message names what does not.</exception>
    public static T Planned<T>(T whole, Backbone backbone) where T : Detector, ICompressible<T>
    {
        if (backbone.Compression is not { } compression) return whole;
        using (whole) return InParts(whole, compression, trained: whole.Weights is not null);
    }

    private static T InParts<T>(T whole, CompressionOptions options, bool trained) where T : Detector, ICompressible<T>
    {
        options.Validate();
        if (whole.Ranks.Count > 0) throw new ArgumentException("The detector has layers in parts already.", nameof(whole));
        var layers = CompressibleLayers.Of(whole);
        if (layers.Head.Count == 0 && options.HeadFlopsShare is not null)
            throw new ArgumentException($"{nameof(CompressionOptions)}.{nameof(CompressionOptions.HeadFlopsShare)} is for fully connected "
                + $"layers, and the detector's head has none.");
        Dictionary<string, IReadOnlyList<int>> ranks =
            Choose(layers, options, trained && options.FlopsShare is not null ? Spectra(whole.Backbone) : null);
        T parts = whole.InParts(ranks);
        parts.Weights = whole.Weights;
        Dictionary<string, double> errors = trained ? Fill(parts, whole, ranks) : [];
        options.Report?.Invoke(Report(parts, layers, ranks, errors));
        return parts;
    }

    private static Dictionary<string, IReadOnlyList<int>> Choose(
        CompressibleLayers layers, CompressionOptions options, IReadOnlyDictionary<string, Spectrum[]>? spectra)
    {
        foreach ((string name, IReadOnlyList<int> ranks) in options.Ranks) Require(layers, name, ranks);
        var chosen = new Dictionary<string, IReadOnlyList<int>>(options.Ranks);
        if (options.FlopsShare is double share) Add(RankSearch.Choose(layers.Backbone, share, options.Ranks, spectra));

        // The head's layers are wide and few: nothing is gained by dividing unequally between them.
        if (layers.Head.Count > 0 && (options.HeadFlopsShare ?? options.FlopsShare) is double headShare)
            Add(RankSearch.Choose(layers.Head, headShare, options.Ranks, spectra: null));
        return chosen;

        void Add(Dictionary<string, IReadOnlyList<int>> more)
        {
            foreach ((string name, IReadOnlyList<int> ranks) in more) chosen[name] = ranks;
        }
    }

    private static void Require(CompressibleLayers layers, string name, IReadOnlyList<int> ranks)
    {
        LayerShape[] known = [.. layers.All.Where(l => l.Groups == 1)];
        LayerShape layer = known.FirstOrDefault(l => l.Name == name) ?? throw new ArgumentException(
            $"{nameof(CompressionOptions)}.{nameof(CompressionOptions.Ranks)}: the detector has no layer '{name}' to take apart, but: "
                + $"{string.Join(", ", known.Select(l => l.Name))}.");
        int[] most = layer.FullRanks;
        if (ranks.Count != most.Length || ranks.Zip(most).Any(r => r.First > r.Second))
        {
            throw new ArgumentException(
                $"{nameof(CompressionOptions)}.{nameof(CompressionOptions.Ranks)}: {name} takes {most.Length} ranks of at most "
                    + $"[{string.Join(", ", most)}], not [{string.Join(", ", ranks)}].");
        }
    }

    private static Dictionary<string, Spectrum[]> Spectra(BackboneNetwork network)
    {
        using DisposeScope scope = NewDisposeScope();
        var spectra = new Dictionary<string, Spectrum[]>();
        foreach ((string name, ConvLayer layer) in network.Convolutions)
        {
            if (layer.Groups > 1) continue;
            Tensor made = layer.Weight.reshape(layer.To, -1);
            Tensor seen = layer.Weight.transpose(0, 1).reshape(layer.From, -1);
            spectra[CompressibleLayers.BackbonePrefix + name] = layer.Kernel > 1 ? [Spectrum.Of(seen), Spectrum.Of(made)]
                : [Spectrum.Of(layer.To <= layer.From ? made : seen)];
        }

        return spectra;
    }

    /// <summary>Copies what both have and fills the parts; the errors by layer.</summary>
    private static Dictionary<string, double> Fill(Detector parts, Detector whole, IReadOnlyDictionary<string, IReadOnlyList<int>> ranks)
    {
        using IDisposable noGradients = no_grad();
        Dictionary<string, Tensor> from = whole.state_dict(), to = parts.state_dict();
        foreach ((string name, Tensor value) in to)
        {
            if (from.TryGetValue(name, out Tensor? old)) value.copy_(old);
        }

        var errors = new Dictionary<string, double>();
        foreach ((string name, IReadOnlyList<int> layerRanks) in ranks)
        {
            using DisposeScope scope = NewDisposeScope();
            LayerFactors factors = LayerFactors.Of(from[$"{name}.weight"], layerRanks);
            to[$"{name}.reduce.weight"].copy_(factors.Reduce);
            if (factors.Core is not null) to[$"{name}.core.weight"].copy_(factors.Core);
            to[$"{name}.expand.weight"].copy_(factors.Expand);
            if (from.TryGetValue($"{name}.bias", out Tensor? bias)) to[$"{name}.expand.bias"].copy_(bias);
            errors[name] = factors.Error;
        }

        return errors;
    }

    private static CompressionReport Report(
        Detector detector, CompressibleLayers layers, IReadOnlyDictionary<string, IReadOnlyList<int>> ranks,
        IReadOnlyDictionary<string, double> errors)
    {
        LayerShape[] parts = [.. layers.All.Where(l => ranks.ContainsKey(l.Name))];
        long parameters = detector.parameters().Sum(p => p.NumberOfElements);
        return new CompressionReport(
            [.. parts.Select(l => new LayerCompression(l.Name, ranks[l.Name], l.FlopsAt(ranks[l.Name]) / l.Flops,
                errors.TryGetValue(l.Name, out double e) ? e : null))],
            Remaining(layers.Backbone),
            Remaining(layers.Head),
            parameters,
            parameters + parts.Sum(l => l.Weights - l.WeightsAt(ranks[l.Name])));

        double Remaining(IReadOnlyList<LayerShape> shapes) => shapes.Count == 0 ? 1
            : shapes.Sum(l => ranks.TryGetValue(l.Name, out IReadOnlyList<int>? r) ? l.FlopsAt(r) : l.Flops) / shapes.Sum(l => l.Flops);
    }
}

/// <summary>The layers of a detector that can be taken apart, with their costs for one image and one region.</summary>
/// <param name="Backbone">The backbone's convolutions.</param>
/// <param name="Head">The head's fully connected layers.</param>
/// <param name="Further">Convolutions elsewhere: in the pyramid or neck, the RPN, the head of a one-stage detector.</param>
internal sealed record CompressibleLayers(IReadOnlyList<LayerShape> Backbone, IReadOnlyList<LayerShape> Head,
    IReadOnlyList<LayerShape> Further)
{
    /// <summary>What names of a backbone's layers start with.</summary>
    public const string BackbonePrefix = "backbone.";

    /// <summary>All of them.</summary>
    public IEnumerable<LayerShape> All => Backbone.Concat(Head).Concat(Further);

    /// <summary>The layers of a detector.</summary>
    public static CompressibleLayers Of<T>(T detector) where T : Detector, ICompressible<T>
    {
        ILookup<bool, LayerShape> convolutions = Convolutions(detector)
            .ToLookup(l => l.Name.StartsWith(BackbonePrefix, StringComparison.Ordinal));
        return new CompressibleLayers([.. convolutions[true]], detector.FullyConnected, [.. convolutions[false]]);
    }

    /// <summary>Of the ranks of a network's layers those of one of its parts, by the names in the part's own state dict.</summary>
    /// <param name="prefix">What the names of the part's layers start with.</param>
    public static IReadOnlyDictionary<string, IReadOnlyList<int>> RanksUnder(string prefix,
        IReadOnlyDictionary<string, IReadOnlyList<int>> ranks) => ranks
        .Where(r => r.Key.StartsWith(prefix, StringComparison.Ordinal))
        .ToDictionary(r => r.Key[prefix.Length..], r => r.Value);

    /// <summary>The convolutions of a detector, seen at work on an empty image.</summary>
    private static IEnumerable<LayerShape> Convolutions<T>(T detector) where T : Detector, ICompressible<T>
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        var shapes = new Dictionary<string, LayerShape>();
        var hooks = new List<Action>();
        foreach ((string name, ConvLayer layer) in ConvLayer.AllIn(detector))
        {
            var hook = layer.register_forward_hook((_, seen, made) =>
            {
                // A layer that works on several maps is seen several times.
                LayerShape shape = shapes.GetValueOrDefault(name)
                    ?? new LayerShape(name, layer.From, layer.To, layer.Kernel, layer.Groups, 0, 0);
                shapes[name] = shape with
                {
                    InPositions = shape.InPositions + Cells(seen),
                    OutPositions = shape.OutPositions
                    + Cells(made)
                };
                return made;
            });
            hooks.Add(hook.remove);
        }

        bool training = detector.training;
        detector.eval();
        detector.RunConvolutions(zeros(1, 3, detector.InputSize.Height, detector.InputSize.Width, device: detector.Device));
        detector.train(training);
        foreach (Action remove in hooks) remove();
        return shapes.Values;
    }

    private static long Cells(Tensor map) => map.shape[2] * map.shape[3];
}

/// <summary>A detector whose layers can be taken apart.</summary>
/// <typeparam name="T">Its kind.</typeparam>
internal interface ICompressible<T> where T : Detector
{
    /// <summary>The network of whose convolutions a share of the multiplications can be asked for.</summary>
    BackboneNetwork Backbone { get; }

    /// <summary>The fully connected layers of the head that can be, with their cost for one region.</summary>
    IReadOnlyList<LayerShape> FullyConnected { get; }

    /// <summary>
    /// The layers that are in parts, by their names in the state dict, with the channels in the middle (see
    /// <see cref="CompressionOptions.Ranks"/>).
    /// </summary>
    IReadOnlyDictionary<string, IReadOnlyList<int>> Ranks { get; }

    /// <summary>Sends images [N,3,H,W] through all convolutions that can be.</summary>
    void RunConvolutions(Tensor images);

    /// <summary>A fresh network of the same architecture with layers in parts.</summary>
    T InParts(IReadOnlyDictionary<string, IReadOnlyList<int>> ranks);
}
