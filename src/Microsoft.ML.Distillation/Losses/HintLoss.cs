using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.Distillation.Losses;

// L_hint = mean (A(V) − Ẑ)²,     Ẑ = (Z − mean_c) / max(std_c, 0.1 · mean std)
//
// Chen et al., Learning Efficient Object Detection Models with Knowledge Distillation (NIPS 2017), equation 6, after
// FitNets (Romero et al., ICLR 2015): V is the student's guided map, Z the teacher's hint, and A the adaptation layer, a 1×1
// convolution that is used even where the channels agree and is dropped after training.
// Two things make the weight γ mean the same for any pair of networks. The hint is standardised channel by channel over the
// batch, so that predicting nothing costs 1 whatever the teacher's scale (the floor keeps dead channels from blowing up their
// noise); and the square is averaged over all elements, so that the map's size and depth do not count.
// Maps of unequal sizes are averaged down to the smaller height and the smaller width of the two.
//
// Without an adaptation layer nothing could turn a map behind a ReLU into a standardised one, so the raw maps are compared, the
// difference in units of the hint's own spread: mean (V − Z)² / σ², σ² the mean over the channels of Z's variance. Predicting each
// channel's mean costs 1. The wider of two maps with unequal channels is averaged in groups of neighbouring channels.
// The L1 form takes |·| in the place of (·)², and σ in the place of σ².

/// <summary>The hint loss with its adaptation layer, if it has one; its formula stands at the top of the file.</summary>
internal sealed class HintLoss : Module<Tensor, Tensor, Tensor>
{
    /// <summary>The smallest standard deviation of a channel, as a share of the channels' mean one.</summary>
    private const double Floor = 0.1;

    private readonly Conv2d? _adaptation;
    private readonly bool _absolute;

    /// <summary>Makes the adaptation layer.</summary>
    /// <param name="studentChannels">The channels of the guided map.</param>
    /// <param name="teacherChannels">The channels of the hint.</param>
    /// <param name="adapts">Whether there is an adaptation layer.</param>
    /// <param name="absolute">Whether to take the absolute difference, not its square.</param>
    public HintLoss(int studentChannels, int teacherChannels, bool adapts = true, bool absolute = false)
        : base(nameof(HintLoss))
    {
        _absolute = absolute;
        if (!adapts) return;
        _adaptation = Conv2d(studentChannels, teacherChannels, kernel_size: 1);
        register_module("adaptation", _adaptation);
    }

    /// <summary>The loss.</summary>
    /// <param name="guided">The student's map [N,C_s,h,w].</param>
    /// <param name="hint">The teacher's map [N,C_t,h',w'], without gradient.</param>
    public override Tensor forward(Tensor guided, Tensor hint)
    {
        using var scope = NewDisposeScope();
        long[] size = [Math.Min(guided.shape[2], hint.shape[2]), Math.Min(guided.shape[3], hint.shape[3])];
        Tensor own = AverageTo(guided.Single(), size), target = AverageTo(hint.detach().Single(), size);
        if (_adaptation is not null)
            return Distance(Pointwise.Run(own, _adaptation.weight!, _adaptation.bias), Standardise(target)).MoveToOuterDisposeScope();

        long channels = Math.Min(own.shape[1], target.shape[1]);
        (own, target) = (InGroups(own, channels), InGroups(target, channels));
        using Scalar one = 1, tiny = 1e-12;
        Tensor centred = target - target.mean([0, 2, 3], keepdim: true);
        Tensor variance = centred.mul(centred).mean().add(tiny, one);
        return Distance(own, target).div(_absolute ? variance.sqrt() : variance).MoveToOuterDisposeScope();
    }

    /// <summary>A map [N,C,h,w] whose channels have mean 0 and, but for nearly constant ones, standard deviation 1 over the batch.</summary>
    public static Tensor Standardise(Tensor map)
    {
        using var scope = NewDisposeScope();
        using IDisposable frozen = no_grad();
        using Scalar floor = Floor, tiny = 1e-12, one = 1;
        Tensor centred = map - map.mean([0, 2, 3], keepdim: true);
        Tensor deviation = centred.mul(centred).mean([0, 2, 3], keepdim: true).sqrt();
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

    private static Tensor AverageTo(Tensor map, long[] size) =>
        map.shape[2] == size[0] && map.shape[3] == size[1] ? map : functional.adaptive_avg_pool2d(map, size);
}
