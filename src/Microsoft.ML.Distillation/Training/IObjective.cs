using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Losses;
using Microsoft.ML.Distillation.Teachers;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Training;

/// <summary>What training makes small: knows the student's family, the terms of its loss, and their weights.</summary>
internal interface IObjective : IDisposable
{
    /// <summary>The detector that is trained.</summary>
    Detector Student { get; }

    /// <summary>What is trained beside the student and dropped afterwards, such as adaptation layers.</summary>
    IReadOnlyList<nn.Module> Extras { get; }

    /// <summary>The learning rate of a module that is trained, as a share of the student's.</summary>
    double RateShareOf(nn.Module module) => 1;

    /// <summary>A line that tells objectives apart: a checkpoint of another objective does not fit.</summary>
    string Description { get; }

    /// <summary>The terms of a batch's loss, on the student's device, with gradients.</summary>
    /// <param name="annotations">The objects of the N images, in shares.</param>
    /// <param name="images">[N,3,H,W] of the student's input size, on its device; float, or bfloat16 for mixed precision.</param>
    /// <param name="teacher">What the teacher knows of the same images; <see langword="null"/> where there is no teacher.</param>
    IReadOnlyList<LossTerm> Compute(IReadOnlyList<Annotation> annotations, Tensor images, ITeacherView? teacher);
}
