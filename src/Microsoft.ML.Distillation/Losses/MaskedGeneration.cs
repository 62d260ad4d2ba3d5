using Microsoft.ML.Distillation.Distributed;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.Distillation;

// L_MGD = mean (G(M · A(S)) − T̂)²,     G = 3×3 convolution, ReLU, 3×3 convolution;     M is 0 at a share λ of the positions, drawn anew
//
// Yang et al., Masked Generative Distillation (ECCV 2022): from what is left of its map the student must make the teacher's whole one.
// The paper sums the squares and divides by N, with weights from 2e-5 to 5e-7; here they are averaged and the teacher's map is
// standardised channel by channel as in HintLoss, so that one weight serves every size of map and scale of teacher.

/// <summary>MGD (Yang et al., ECCV 2022): the student makes the teacher's whole map from what is left of its own.</summary>
public sealed record MaskedGeneration : FeatureMapLoss
{
    /// <summary>0.5, in the unit of <see cref="Hint"/>.</summary>
    public override double UsualWeight => 0.5;

    /// <summary>λ: the share of its map's positions that the student loses, at least 0 and below 1.</summary>
    public double MaskedShare { get; init; } = 0.65;

    internal override string LogName => "mgd";

    internal override Module<Tensor, Tensor, Tensor> Create(int studentChannels, int teacherChannels, RankGroup ranks)
        => new MaskedGenerationLoss(studentChannels, teacherChannels, MaskedShare, ranks);

    internal override void Validate()
    {
        base.Validate();
        Check(MaskedShare is >= 0 and < 1, nameof(MaskedShare), MaskedShare, "at least 0 and below 1");
    }
}

/// <summary>The masked generation loss of feature maps; its formula stands at the top of the file.</summary>
internal sealed class MaskedGenerationLoss : Module<Tensor, Tensor, Tensor>
{
    private readonly MapPair maps;
    private readonly Conv2d first;
    private readonly Conv2d second;
    private readonly double _masked;
    private readonly RankGroup _ranks;

    /// <param name="masked">λ, the share of positions that the student's map loses.</param>
    /// <param name="ranks">The processes whose images are one batch.</param>
    public MaskedGenerationLoss(int studentChannels, int teacherChannels, double masked, RankGroup? ranks = null)
        : base(nameof(MaskedGenerationLoss))
    {
        maps = new MapPair(studentChannels, teacherChannels);
        first = Conv2d(teacherChannels, teacherChannels, kernel_size: 3, padding: 1);
        second = Conv2d(teacherChannels, teacherChannels, kernel_size: 3, padding: 1);
        _masked = masked;
        _ranks = ranks ?? RankGroup.Alone;
        RegisterComponents();
    }

    /// <summary>The loss of the student's map [N,C_s,h,w] against the teacher's [N,C_t,h',w'].</summary>
    public override Tensor forward(Tensor student, Tensor teacher)
    {
        using var scope = NewDisposeScope();
        using Scalar share = _masked;
        (Tensor own, Tensor hint) = maps.Meet(student, teacher);
        long[] shape = own.shape;
        // Drawn for the images of all ranks, so that it does not matter which has which.
        Tensor drawn = rand([shape[0] * _ranks.Count, 1, shape[2], shape[3]], own.dtype, own.device);
        Tensor kept = drawn.narrow(0, shape[0] * _ranks.Rank, shape[0]).ge(share).to_type(own.dtype);
        Tensor made = Run(second, Run(first, own.mul(kept)).relu());
        return functional.mse_loss(made, HintLoss.Standardise(hint, _ranks)).MoveToOuterDisposeScope();
    }

    /// <summary>A convolution in the order in memory that libtorch computes rightly.</summary>
    private static Tensor Run(Conv2d layer, Tensor map)
        => functional.conv2d(map.stride(1) == 1 ? map : ChannelsLast.Of(map), layer.weight!, layer.bias, [1, 1], [1, 1]);
}
