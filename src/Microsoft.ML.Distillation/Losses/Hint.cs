using Microsoft.ML.Distillation.Distributed;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.Distillation;

// L_hint = mean (A(V) − Ẑ)²,     Ẑ = (Z − mean_c) / max(std_c, 0.1 · mean std)
//
// Chen et al., Learning Efficient Object Detection Models with Knowledge Distillation (NIPS 2017), equation 6, after
// FitNets (Romero et al., ICLR 2015): V is the student's guided map, Z the teacher's hint, and A the adaptation layer, a 1×1
// convolution that is used even where the channels agree and is dropped after training.
// Two things make the weight γ mean the same for any pair of networks. The hint is standardised channel by channel over the
// batch, so that predicting nothing costs 1 whatever the teacher's scale (the floor keeps dead channels from blowing up their
// noise); and the square is averaged over all elements, so that the map's size and depth do not count.
// Maps of unequal sizes meet at the size of the hint.
//
// Without an adaptation layer nothing could turn a map behind a ReLU into a standardised one, so the raw maps are compared, the
// difference in units of the hint's own spread: mean (V − Z)² / σ², σ² the mean over the channels of Z's variance. Predicting each
// channel's mean costs 1. The wider of two maps with unequal channels is averaged in groups of neighbouring channels.
// The L1 form takes |·| in the place of (·)², and σ in the place of σ².

/// <summary>
/// The hint of Chen et al. (NIPS 2017), after FitNets: the student's map learns to resemble the teacher's, in a unit in which the weight γ
/// means the same at any size of map.
/// </summary>
public sealed record Hint : FeatureMapLoss
{
    /// <summary>γ: 0.5.</summary>
    public override double UsualWeight => 0.5;

    /// <summary>What stands between the student's map and the hint.</summary>
    public HintAdaptation Adaptation { get; init; } = HintAdaptation.Learnt;

    /// <summary>How the student's distance from the hint is measured.</summary>
    public HintNorm Norm { get; init; } = HintNorm.L2;

    internal override string LogName => "hint";

    internal override Module<Tensor, Tensor, Tensor> Create(int studentChannels, int teacherChannels, RankGroup ranks)
        => new HintLoss(studentChannels, teacherChannels, Adaptation == HintAdaptation.Learnt, absolute: Norm == HintNorm.L1, ranks);

    internal override void Validate()
    {
        base.Validate();
        CheckKind(Adaptation, nameof(Adaptation));
        CheckKind(Norm, nameof(Norm));
    }
}

/// <summary>What stands between the student's guided map and the teacher's hint.</summary>
public enum HintAdaptation
{
    /// <summary>A 1×1 convolution that is learnt beside the student and dropped after training, also where the channels agree.</summary>
    Learnt,

    /// <summary>
    /// Nothing: the maps are compared as they are. Where their channels do not agree, neighbouring channels of the wider one are
    /// averaged in equal groups, which is fixed and not learnt.
    /// </summary>
    None,
}

/// <summary>How the distance between the student's map and the hint is measured.</summary>
public enum HintNorm
{
    /// <summary>The mean squared difference.</summary>
    L2,

    /// <summary>The mean absolute difference.</summary>
    L1,
}

/// <summary>The hint loss with its adaptation layer, if it has one; its formula stands at the top of the file.</summary>
internal sealed class HintLoss : Module<Tensor, Tensor, Tensor>
{
    /// <summary>The smallest standard deviation of a channel, as a share of the channels' mean one.</summary>
    private const double Floor = 0.1;

    private readonly MapPair maps;
    private readonly bool _adapts;
    private readonly bool _absolute;
    private readonly RankGroup _ranks;

    /// <summary>Makes the adaptation layer.</summary>
    /// <param name="studentChannels">The channels of the guided map.</param>
    /// <param name="teacherChannels">The channels of the hint.</param>
    /// <param name="adapts">Whether there is an adaptation layer.</param>
    /// <param name="absolute">Whether to take the absolute difference, not its square.</param>
    /// <param name="ranks">The processes whose images are one batch.</param>
    public HintLoss(int studentChannels, int teacherChannels, bool adapts = true, bool absolute = false, RankGroup? ranks = null)
        : base(nameof(HintLoss))
    {
        (_adapts, _absolute, _ranks) = (adapts, absolute, ranks ?? RankGroup.Alone);
        maps = new MapPair(studentChannels, teacherChannels, adapts);
        RegisterComponents();
    }

    /// <summary>The loss.</summary>
    /// <param name="guided">The student's map [N,C_s,h,w].</param>
    /// <param name="hint">The teacher's map [N,C_t,h',w'], without gradient.</param>
    public override Tensor forward(Tensor guided, Tensor hint)
    {
        using var scope = NewDisposeScope();
        (Tensor own, Tensor target) = maps.Meet(guided, hint);
        if (_adapts) return Distance(own, Standardise(target, _ranks)).MoveToOuterDisposeScope();

        long channels = Math.Min(own.shape[1], target.shape[1]);
        (own, target) = (InGroups(own, channels), InGroups(target, channels));
        using Scalar one = 1, tiny = 1e-12;
        Tensor centred = target - _ranks.Mean(target.mean([0, 2, 3], keepdim: true));
        Tensor variance = _ranks.Mean(centred.mul(centred).mean()).add(tiny, one);
        return Distance(own, target).div(_absolute ? variance.sqrt() : variance).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// A map [N,C,h,w] whose channels have mean 0 and, but for nearly constant ones, standard deviation 1 over the batch.
    /// </summary>
    /// <param name="ranks">The processes whose images are one batch; <see langword="null"/>: this one alone.</param>
    public static Tensor Standardise(Tensor map, RankGroup? ranks = null)
    {
        ranks ??= RankGroup.Alone;
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        using Scalar floor = Floor, tiny = 1e-12, one = 1;
        Tensor centred = map - ranks.Mean(map.mean([0, 2, 3], keepdim: true));
        Tensor deviation = ranks.Mean(centred.mul(centred).mean([0, 2, 3], keepdim: true)).sqrt();
        Tensor smallest = deviation.mean().mul(floor).add(tiny, one);
        return centred.div(deviation.maximum(smallest)).MoveToOuterDisposeScope();
    }

    private Tensor Distance(Tensor own, Tensor target) =>
        _absolute ? functional.l1_loss(own, target) : functional.mse_loss(own, target);

    /// <summary>A map [N,C,h,w] with its channels averaged in groups of neighbours: [N,channels,h,w].</summary>
    private static Tensor InGroups(Tensor map, long channels)
    {
        long all = map.shape[1];
        if (all == channels) return map;
        using var scope = NewDisposeScope();
        float[] weights = new float[channels * all];
        for (long i = 0; i < channels; i++)
        {
            long start = i * all / channels, end = ((i + 1) * all + channels - 1) / channels;
            for (long j = start; j < end; j++) weights[i * all + j] = 1f / (end - start);
        }

        Tensor groups = tensor(weights, [channels, all, 1, 1], device: map.device).to(map.dtype);
        return Pointwise.Run(map, groups, null).MoveToOuterDisposeScope();
    }
}
