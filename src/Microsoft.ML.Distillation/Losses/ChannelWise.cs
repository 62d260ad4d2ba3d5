using Microsoft.ML.Distillation.Distributed;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.Distillation;

// L_CWD = τ²/(N C) Σ_n Σ_c KL(φ(T_nc) ‖ φ(S_nc)),     φ the softmax over the positions of a channel divided by τ
//
// Shu et al., Channel-wise Knowledge Distillation for Dense Prediction (ICCV 2021). Each channel is where the network looks for
// something: the student learns to look at the same places, most where the teacher looks most.

/// <summary>
/// CWD, channel-wise distillation (Shu et al., ICCV 2021): where each channel of the teacher's maps looks, the student's is to look.
/// </summary>
public sealed record ChannelWise : FeatureMapLoss
{
    /// <summary>
    /// 10, its authors' weight. Its term is then most of the total, and of all that was measured helps small students most.
    /// </summary>
    public override double UsualWeight => 10;

    /// <summary>The temperature τ, above 0.</summary>
    public double Temperature { get; init; } = 1;

    internal override string LogName => "cwd";

    internal override Module<Tensor, Tensor, Tensor> Create(int studentChannels, int teacherChannels, RankGroup ranks)
        => new ChannelWiseLoss(studentChannels, teacherChannels, Temperature);

    internal override void Validate()
    {
        base.Validate();
        Check(Temperature is > 0 and < double.PositiveInfinity, nameof(Temperature), Temperature, "above 0");
    }
}

/// <summary>The channel-wise loss of feature maps; its formula stands at the top of the file.</summary>
internal sealed class ChannelWiseLoss : Module<Tensor, Tensor, Tensor>
{
    private readonly MapPair maps;
    private readonly double _temperature;

    /// <param name="temperature">τ.</param>
    public ChannelWiseLoss(int studentChannels, int teacherChannels, double temperature = 1)
        : base(nameof(ChannelWiseLoss))
    {
        maps = new MapPair(studentChannels, teacherChannels);
        _temperature = temperature;
        RegisterComponents();
    }

    /// <summary>The loss of the student's map [N,C_s,h,w] against the teacher's [N,C_t,h',w'].</summary>
    public override Tensor forward(Tensor student, Tensor teacher)
    {
        using var scope = NewDisposeScope();
        (Tensor own, Tensor hint) = maps.Meet(student, teacher);
        using Scalar factor = _temperature * _temperature / (hint.shape[0] * hint.shape[1]);
        Tensor wanted = Logarithms(hint), given = Logarithms(own);
        return wanted.exp().mul(wanted - given).sum().mul(factor).MoveToOuterDisposeScope();
    }

    private Tensor Logarithms(Tensor map)
    {
        using Scalar temperature = _temperature;
        return functional.log_softmax(map.flatten(2).div(temperature), 2);
    }
}
