using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Losses;
using Microsoft.ML.Distillation.Teachers;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training;

/// <summary>The terms of a loss that hold the student's feature maps to the teacher's, whatever the student's family.</summary>
internal sealed class FeatureTerms : IDisposable
{
    /// <summary>CWD's weight where the options give none.</summary>
    public const double DefaultCwdWeight = 10;

    private readonly IReadOnlyList<HintPair> _pairs = [];
    private readonly List<(string Name, double Weight, nn.Module<Tensor, Tensor, Tensor>[] Losses)> _kinds = [];

    /// <param name="guided">The student's maps that learn where the options name none; <see langword="null"/>: its last.</param>
    /// <exception cref="ArgumentException">A hint names a feature map that is not there, or a loss on maps is asked for and the teacher has none.</exception>
    public FeatureTerms(DistillationOptions options, Detector student, ITeacher? teacher, Device device, IReadOnlyList<string>? guided = null)
    {
        double hint = options.Hint ? options.HintWeight : 0, cwd = options.CwdWeight ?? DefaultCwdWeight;
        if (teacher is null || hint + options.PkdWeight + cwd + options.MgdWeight <= 0) return;
        _pairs = HintPairs.Resolve(options.Hints, student, teacher, device, guided);
        if (_pairs.Count == 0)
        {
            Require(options);
            return;
        }

        Add("hint", hint, (from, to) => new HintLoss(from, to, options.HintAdaptation == HintAdaptation.Learnt, absolute: options.HintNorm == HintNorm.L1));
        Add("pkd", options.PkdWeight, (from, to) => new PearsonFeatureLoss(from, to));
        Add("cwd", cwd, (from, to) => new ChannelWiseLoss(from, to, options.CwdTemperature));
        Add("mgd", options.MgdWeight, (from, to) => new MaskedGenerationLoss(from, to, options.MgdMaskedShare));

        void Add(string name, double weight, Func<int, int, nn.Module<Tensor, Tensor, Tensor>> lossFor)
        {
            if (weight > 0) _kinds.Add((name, weight, [.. _pairs.Select(pair => HintPairs.LossFor(pair, student, teacher, lossFor).to(device))]));
        }
    }

    /// <summary>The hint and CWD, which are on by default, are left out under a teacher without maps. What somebody asked for is not.</summary>
    private static void Require(DistillationOptions options)
    {
        (string Option, string Name, double Weight)[] asked =
        [
            (nameof(options.PkdWeight), "pkd", options.PkdWeight), (nameof(options.CwdWeight), "cwd", options.CwdWeight ?? 0),
            (nameof(options.MgdWeight), "mgd", options.MgdWeight),
        ];
        if (asked.FirstOrDefault(loss => loss.Weight > 0) is not { Option: { } option } first) return;
        throw new ArgumentException(
            $"The option {nameof(DistillationOptions)}.{option} (--feature-loss {first.Name}) does not apply: the teacher has no feature maps. Of an ONNX teacher "
            + $"name tensors of its graph in {nameof(OnnxTeacherOptions)}.{nameof(OnnxTeacherOptions.Hints)} (--hint STUDENT=TENSOR; 'ml-distill inspect-teacher --tensors' "
            + $"lists them) and leave out {nameof(OnnxTeacherOptions.CacheDirectory)} (--teacher-cache), which keeps none.");
    }

    /// <summary>What is trained beside the student.</summary>
    public IReadOnlyList<nn.Module> Extras => [.. _kinds.SelectMany(kind => kind.Losses)];

    /// <summary>Whether CWD is among the terms.</summary>
    public bool HasCwd => _kinds.Any(kind => kind.Name == "cwd");

    /// <summary>The terms of a batch.</summary>
    /// <param name="features">The student's maps by name.</param>
    public void AddTo(List<LossTerm> terms, IReadOnlyDictionary<string, Tensor> features, ITeacherView? teacher)
    {
        foreach ((string name, double weight, nn.Module<Tensor, Tensor, Tensor>[] losses) in _kinds)
        {
            for (int i = 0; i < losses.Length; i++)
            {
                Tensor loss = losses[i].call(features[_pairs[i].Student], teacher!.Feature(_pairs[i].Teacher));
                terms.Add(new LossTerm(losses.Length == 1 ? name : $"{name}.{_pairs[i].Student}", loss, weight / losses.Length));
            }
        }
    }

    /// <inheritdoc/>
    public override string ToString() => $"hints {string.Join(", ", _pairs)}";

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (nn.Module extra in Extras) extra.Dispose();
    }
}
