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

/// <summary>The hint loss with its adaptation layer; its formula stands at the top of the file.</summary>
internal sealed class HintLoss : Module<Tensor, Tensor, Tensor>
{
    /// <summary>The smallest standard deviation of a channel, as a share of the channels' mean one.</summary>
    private const double Floor = 0.1;

    private readonly Conv2d _adaptation;

    /// <summary>Makes the adaptation layer.</summary>
    /// <param name="studentChannels">The channels of the guided map.</param>
    /// <param name="teacherChannels">The channels of the hint.</param>
    public HintLoss(int studentChannels, int teacherChannels)
        : base(nameof(HintLoss))
    {
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
        Tensor target = Standardise(AverageTo(hint, size));
        Tensor adapted = Pointwise.Run(AverageTo(guided, size), _adaptation.weight!, _adaptation.bias);
        return functional.mse_loss(adapted, target).MoveToOuterDisposeScope();
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

    private static Tensor AverageTo(Tensor map, long[] size) =>
        map.shape[2] == size[0] && map.shape[3] == size[1] ? map : functional.adaptive_avg_pool2d(map, size);
}
