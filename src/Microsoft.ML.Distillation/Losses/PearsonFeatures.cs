using Microsoft.ML.Distillation.Distributed;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.Distillation;

// L_PKD = ½ mean (Ŝ − T̂)²,     X̂ = (X − mean_c) / std_c over batch and positions;     = 1 − the mean correlation of the channels
//
// Cao et al., PKD: General Distillation Framework for Object Detectors via Pearson Correlation Coefficient (NeurIPS 2022). What a
// channel's values are in size and sign does not matter, only where it is high and where low, so teachers of another family teach too.
// The standard deviation is √(variance + ε²) with ε a thousandth of the channels' mean standard deviation: a constant channel becomes 0,
// with a finite gradient.

/// <summary>
/// PKD (Cao et al., NeurIPS 2022): the correlation of the maps' channels, whatever their scale and shift. It suits teachers of another
/// family best; where channels do not correspond, prefer <see cref="Hint"/>.
/// </summary>
public sealed record PearsonFeatures : FeatureMapLoss
{
    /// <summary>6, as usual for two-stage students; 10 is usual for one-stage ones.</summary>
    public override double UsualWeight => 6;

    internal override string LogName => "pkd";

    internal override Module<Tensor, Tensor, Tensor> Create(int studentChannels, int teacherChannels, RankGroup ranks)
        => new PearsonFeatureLoss(studentChannels, teacherChannels, ranks);
}

/// <summary>The Pearson correlation loss of feature maps; its formula stands at the top of the file.</summary>
internal sealed class PearsonFeatureLoss : Module<Tensor, Tensor, Tensor>
{
    private const double Floor = 1e-3;
    private const double Tiny = 1e-8;

    private readonly MapPair maps;
    private readonly RankGroup _ranks;

    /// <param name="ranks">The processes whose images are one batch.</param>
    public PearsonFeatureLoss(int studentChannels, int teacherChannels, RankGroup? ranks = null)
        : base(nameof(PearsonFeatureLoss))
    {
        maps = new MapPair(studentChannels, teacherChannels);
        _ranks = ranks ?? RankGroup.Alone;
        RegisterComponents();
    }

    /// <summary>The loss of the student's map [N,C_s,h,w] against the teacher's [N,C_t,h',w'].</summary>
    public override Tensor forward(Tensor student, Tensor teacher)
    {
        using var scope = NewDisposeScope();
        using Scalar half = 0.5;
        (Tensor own, Tensor hint) = maps.Meet(student, teacher);
        return functional.mse_loss(Standardise(own), Standardise(hint)).mul(half).MoveToOuterDisposeScope();
    }

    private Tensor Standardise(Tensor map)
    {
        using Scalar floor = Floor * Floor, tiny = Tiny, one = 1;
        Tensor centred = map - _ranks.Mean(map.mean([0, 2, 3], keepdim: true));
        Tensor variance = _ranks.Mean(centred.mul(centred).mean([0, 2, 3], keepdim: true));
        Tensor typical = variance.detach().sqrt().mean();
        Tensor least = typical.mul(typical).mul(floor).add(tiny, one);
        return centred / variance.add(least, one).sqrt();
    }
}
