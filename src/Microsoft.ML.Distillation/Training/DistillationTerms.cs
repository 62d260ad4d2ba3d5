using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Distributed;
using Microsoft.ML.Distillation.Losses;
using Microsoft.ML.Distillation.Teachers;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training;

/// <summary>The terms of a loss that come from the teacher, whatever the student's family. A term of weight 0 is not computed.</summary>
internal sealed class DistillationTerms : IDisposable
{
    private readonly IReadOnlyList<DistillationLoss> _losses = [];
    private readonly IReadOnlyList<HintPair> _pairs = [];
    private readonly List<(FeatureMapLoss Loss, nn.Module<Tensor, Tensor, Tensor>[] OfPairs)> _onMaps = [];
    private readonly double _labelWeight;

    /// <param name="selection">What is learned from the teacher; <see langword="null"/>: what is by default.</param>
    /// <param name="student">The student, on <paramref name="device"/>.</param>
    /// <param name="teacher">The teacher of all batches to come; <see langword="null"/>: there are no terms.</param>
    /// <param name="device">Where training runs.</param>
    /// <param name="guided">The student's maps that learn where the selection names none; <see langword="null"/>: its last.</param>
    /// <param name="ranks">The processes that train together; <see langword="null"/>: this one alone.</param>
    /// <exception cref="ArgumentException">A loss does not fit student and teacher, or a hint names a map that is not there.</exception>
    public DistillationTerms(
        LossSelection? selection, Detector student, ITeacher? teacher, Device device, IReadOnlyList<string>? guided = null,
        RankGroup? ranks = null)
    {
        if (teacher is null) return;
        selection ??= new LossSelection();
        _losses = selection.For(student, teacher);
        _labelWeight = Soft?.LabelWeight ?? LossSelection.DefaultLabelWeight(student is OneStageDetector);
        Summary = _losses.Count > 0 ? selection.Describe(_losses) : Summary;
        Description = $"{selection.Describe(_losses)}; {string.Join("; ", _losses.Select(RunSettings.Text))}";
        FeatureMapLoss[] onMaps = [.. _losses.OfType<FeatureMapLoss>().Where(loss => loss.EffectiveWeight > 0)];
        if (selection.Hints is { Count: 0 })
            throw new ArgumentException($"The option {nameof(DistillDetectorOptions.Hints)} names no pair of maps: leave it out.");
        if (onMaps.Length == 0 && selection.Hints is not null)
            throw new ArgumentException($"The option {nameof(DistillDetectorOptions.Hints)} pairs maps, and there is no loss on maps.");
        if (onMaps.Length == 0) return;
        _pairs = HintPairs.Resolve(selection.Hints, student, teacher, device, guided);
        Summary += $"; maps {string.Join(", ", _pairs.Select(pair => $"{pair.Student} from the teacher's {pair.Teacher}"))}";
        Description += $"; hints {string.Join(", ", _pairs)}";
        foreach (FeatureMapLoss loss in onMaps)
            _onMaps.Add((loss, [.. _pairs.Select(pair => HintPairs
                .LossFor(pair, student, teacher, (own, theirs) => loss.Create(own, theirs, ranks ?? RankGroup.Alone)).to(device))]));
    }

    /// <summary>A line for the log: the losses with their weights, and the maps that learn.</summary>
    public string Summary { get; } = "the labels alone";

    /// <summary>A line that tells selections apart, and quotes them.</summary>
    public string Description { get; } = "the labels alone";

    /// <inheritdoc cref="IObjective.Progress"/>
    public double Progress { get; set; }

    /// <summary>Whether the teacher is asked at all: not where all that asked it has faded.</summary>
    public bool AsksTeacher => _losses.Any(loss => loss.EffectiveWeight > 0 && loss is not FeatureMapLoss)
        || _onMaps.Any(loss => loss.Loss.RemainingAt(Progress) > 0);

    /// <summary>On which boxes with an object the teacher has an opinion.</summary>
    public KnownShares Known { get; } = new();

    /// <summary>What is trained beside the student.</summary>
    public IReadOnlyList<nn.Module> Extras => [.. _onMaps.SelectMany(loss => loss.OfPairs)];

    private SoftClasses? Soft => _losses.OfType<SoftClasses>().FirstOrDefault();

    /// <summary>μ of a part: the weight of its classification loss to the labels.</summary>
    public double LabelWeightOf(LossParts part) => Soft is { } soft && soft.Parts.HasFlag(part) ? _labelWeight : 1;

    /// <summary>Whether there are terms of a part.</summary>
    public bool Ask(LossParts part) => In(part).Any();

    /// <summary>Adds the terms of a part of the detector, in the order of the losses.</summary>
    /// <param name="prefix">What the names of the part's terms begin with.</param>
    /// <param name="termOf">A loss's term.</param>
    public void AddTo(List<LossTerm> terms, LossParts part, string prefix, Func<DistillationLoss, Tensor> termOf)
    {
        foreach (DistillationLoss loss in In(part)) terms.Add(new LossTerm(prefix + loss.LogName, termOf(loss), WeightOf(loss, part)));
    }

    /// <summary>Adds the terms of the teacher's head on the student's maps.</summary>
    public void AddTo(List<LossTerm> terms, CrossedHeads heads)
    {
        foreach (DistillationLoss loss in In(LossParts.Heads))
        {
            terms.AddRange(loss.OfCrossedHeads(heads)
                .Select(term => new LossTerm(term.Name, term.Value, WeightOf(loss, LossParts.Heads) * term.Factor)));
        }
    }

    /// <summary>Adds the terms between feature maps.</summary>
    /// <param name="features">The student's maps by name.</param>
    public void AddTo(List<LossTerm> terms, IReadOnlyDictionary<string, Tensor> features, ITeacherView? teacher)
    {
        foreach ((FeatureMapLoss loss, nn.Module<Tensor, Tensor, Tensor>[] ofPairs) in _onMaps)
        {
            double weight = loss.EffectiveWeight * loss.RemainingAt(Progress);
            for (int i = 0; i < ofPairs.Length; i++)
            {
                // What has faded stays in the log, with nothing.
                Tensor own = features[_pairs[i].Student];
                Tensor value = weight > 0 ? ofPairs[i].call(own, teacher!.Feature(_pairs[i].Teacher)) : zeros([], device: own.device);
                string name = ofPairs.Length == 1 ? loss.LogName : $"{loss.LogName}.{_pairs[i].Student}";
                terms.Add(new LossTerm(name, value, weight / ofPairs.Length));
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (nn.Module extra in Extras) extra.Dispose();
    }

    private IEnumerable<DistillationLoss> In(LossParts part) => _losses.Where(loss => loss.EffectiveWeight > 0 && loss.Parts.HasFlag(part));

    private static double WeightOf(DistillationLoss loss, LossParts part) => loss.EffectiveWeight * loss.FactorOf(part);
}
