using Microsoft.ML.Distillation.Distributed;
using Microsoft.ML.Distillation.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.Distillation;

/// <summary>
/// A loss that holds feature maps of the student to maps of the teacher: the pairs of <see cref="DistillDetectorOptions.Hints"/>. With
/// several pairs its weight is shared among them. It needs a teacher that has maps.
/// </summary>
public abstract record FeatureMapLoss : DistillationLoss
{
    private protected FeatureMapLoss()
    {
    }

    /// <summary>
    /// The share of the training, 0 to 1, from which the loss fades: its weight falls from there by half a cosine to 0 at
    /// <see cref="FadeUntil"/>. 1: it stays. What shows a fresh student where to look stands in the way of a trained one, which has fewer
    /// channels than its teacher to look with.
    /// </summary>
    public double FadeFrom { get; init; } = 1;

    /// <summary>
    /// The share of the training, from <see cref="FadeFrom"/> to 1, at which a loss that fades has the weight 0. From there on it is not
    /// computed, and where nothing else asks the teacher, its pass neither.
    /// </summary>
    public double FadeUntil { get; init; } = 1;

    /// <summary>What is left of the weight, 0 to 1, when a share of the training is over.</summary>
    internal double RemainingAt(double progress)
        => progress <= FadeFrom ? 1 : progress >= FadeUntil ? 0
            : 0.5 * (1 + Math.Cos(Math.PI * (progress - FadeFrom) / (FadeUntil - FadeFrom)));

    internal override void Validate()
    {
        base.Validate();
        Check(FadeFrom is >= 0 and <= 1, nameof(FadeFrom), FadeFrom, "from 0 to 1");
        Check(FadeUntil >= FadeFrom && FadeUntil <= 1, nameof(FadeUntil), FadeUntil, $"from {nameof(FadeFrom)} to 1");
    }

    internal sealed override LossNeeds Needs => LossNeeds.Maps;

    internal sealed override LossParts Parts => LossParts.Maps;

    /// <summary>The loss of a pair of maps, [N,C_s,h,w] and [N,C_t,h',w'], with what is trained beside the student.</summary>
    /// <param name="ranks">The processes whose images are one batch.</param>
    internal abstract Module<Tensor, Tensor, Tensor> Create(int studentChannels, int teacherChannels, RankGroup ranks);
}

/// <summary>A pair of feature maps: the student's learns to resemble the teacher's.</summary>
/// <param name="Student">The name of the student's guided map.</param>
/// <param name="Teacher">The name of the teacher's map, the hint.</param>
public sealed record HintPair(string Student, string Teacher);

/// <summary>
/// Brings a student's and a teacher's feature map together for a loss that compares them channel by channel: both in single precision, the
/// student's at the teacher's height and width, and through an adaptation layer, a 1×1 convolution that is dropped after training, where
/// their channels differ in number or the loss always wants one. A coarser student is enlarged, so that nothing of what the teacher sees
/// is blurred away; of a finer one the means are compared, and its detail is its own.
/// </summary>
internal sealed class MapPair : Module
{
    private readonly Conv2d? adaptation;

    /// <param name="adapts">Whether there is an adaptation layer; <see langword="null"/>: where the channels differ in number.</param>
    public MapPair(int studentChannels, int teacherChannels, bool? adapts = null)
        : base(nameof(MapPair))
    {
        if (adapts ?? studentChannels != teacherChannels) adaptation = Conv2d(studentChannels, teacherChannels, kernel_size: 1);
        RegisterComponents();
    }

    /// <summary>
    /// The maps [N,C,h,w], of one height and width, and with an adaptation layer of one shape; the teacher's without gradient.
    /// </summary>
    public (Tensor Student, Tensor Teacher) Meet(Tensor student, Tensor teacher)
    {
        using var scope = NewDisposeScope();
        long[] size = teacher.shape[2..];
        Tensor own = AverageTo(student.Single(), [Math.Min(student.shape[2], size[0]), Math.Min(student.shape[3], size[1])]);
        // Where the map is smallest: means and enlargement of what a 1×1 convolution gives are the same before and behind it.
        if (adaptation is not null) own = Pointwise.Run(own, adaptation.weight!, adaptation.bias);
        return (EnlargeTo(own, size).alias().MoveToOuterDisposeScope(), teacher.detach().Single().alias().MoveToOuterDisposeScope());
    }

    private static Tensor AverageTo(Tensor map, long[] size) => Is(map, size) ? map : functional.adaptive_avg_pool2d(map, size);

    private static Tensor EnlargeTo(Tensor map, long[] size)
        => Is(map, size) ? map : functional.interpolate(map, size, mode: InterpolationMode.Bilinear, align_corners: false);

    private static bool Is(Tensor map, long[] size) => map.shape[2] == size[0] && map.shape[3] == size[1];
}
