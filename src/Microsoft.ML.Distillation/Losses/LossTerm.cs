using Microsoft.ML.Distillation.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.Distillation.Losses;

/// <summary>One named term of a training loss. The total is the sum of weight times value over the terms.</summary>
/// <param name="Name">What the term is called in logs: the part, the question, and the kind, as in <c>rcn.class.soft</c>.</param>
/// <param name="Value">The unweighted loss, a scalar with a gradient.</param>
/// <param name="Weight">The factor with which it enters the total.</param>
internal readonly record struct LossTerm(string Name, Tensor Value, double Weight);

/// <summary>
/// Brings a student's and a teacher's feature map together for a loss that compares them channel by channel: both in single precision,
/// averaged down to the smaller height and the smaller width of the two, and, where their channels differ in number, the student's through
/// an adaptation layer, a 1×1 convolution that is dropped after training.
/// </summary>
internal sealed class MapPair : Module
{
    private readonly Conv2d? adaptation;

    public MapPair(int studentChannels, int teacherChannels)
        : base(nameof(MapPair))
    {
        if (studentChannels != teacherChannels) adaptation = Conv2d(studentChannels, teacherChannels, kernel_size: 1);
        RegisterComponents();
    }

    /// <summary>The maps [N,C,h,w], of one shape; the teacher's without gradient.</summary>
    public (Tensor Student, Tensor Teacher) Meet(Tensor student, Tensor teacher)
    {
        using var scope = NewDisposeScope();
        long[] size = [Math.Min(student.shape[2], teacher.shape[2]), Math.Min(student.shape[3], teacher.shape[3])];
        Tensor own = AverageTo(student.Single(), size), hint = AverageTo(teacher.detach().Single(), size);
        if (adaptation is not null) own = Pointwise.Run(own, adaptation.weight!, adaptation.bias);
        return (own.alias().MoveToOuterDisposeScope(), hint.alias().MoveToOuterDisposeScope());
    }

    private static Tensor AverageTo(Tensor map, long[] size) =>
        map.shape[2] == size[0] && map.shape[3] == size[1] ? map : functional.adaptive_avg_pool2d(map, size);
}
