using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Distributed;
using Microsoft.ML.Distillation.Losses;
using Microsoft.ML.Distillation.Rows;
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

    /// <summary>What a step takes, roughly: its pixels times the parameters that are trained.</summary>
    /// <param name="images">The images of the step.</param>
    double WorkOf(int images) => (double)images * Student.InputSize.Width * Student.InputSize.Height
        * Extras.Prepend(Student).SelectMany(module => module.parameters()).Sum(parameter => parameter.numel());

    /// <summary>How much of the training is over, 0 to 1; losses that fade depend on it.</summary>
    double Progress { set; }

    /// <summary>Whether the teacher's view is needed at this point of the training.</summary>
    bool AsksTeacher { get; }

    /// <summary>A line for people: what is learned from the teacher.</summary>
    string Summary { get; }

    /// <summary>Names whom to tell what the teacher turns out to know, once some batches have been computed.</summary>
    void Tell(Action<string> say);

    /// <summary>A line that tells objectives apart: a checkpoint of another objective does not fit.</summary>
    string Description { get; }

    /// <summary>The terms of a batch's loss, on the student's device, with gradients.</summary>
    /// <param name="annotations">The objects of the N images, in shares.</param>
    /// <param name="images">[N,3,H,W] of the student's input size, on its device; float, or bfloat16 for mixed precision.</param>
    /// <param name="teacher">
    /// What the teacher knows of the same images; <see langword="null"/> where there is no teacher, or it is not asked.
    /// </param>
    IReadOnlyList<LossTerm> Compute(IReadOnlyList<Annotation> annotations, Tensor images, ITeacherView? teacher);
}

/// <summary>The weighted sum of a step's loss terms: what is differentiated, checked and logged.</summary>
/// <param name="Names">The names of the K terms.</param>
/// <param name="Weighted">The weighted terms [K].</param>
/// <param name="Total">Their sum.</param>
internal sealed record LossSum(IReadOnlyList<string> Names, Tensor Weighted, Tensor Total)
{
    /// <summary>Sums the terms.</summary>
    public static LossSum Of(IReadOnlyList<LossTerm> terms)
    {
        using var scope = NewDisposeScope();
        Tensor values = stack(terms.Select(term => term.Value));
        Tensor weights = tensor([.. terms.Select(term => (float)term.Weight)], device: values.device);
        Tensor weighted = values.mul(weights);
        return new LossSum([.. terms.Select(term => term.Name)], weighted.MoveToOuterDisposeScope(),
            weighted.sum().MoveToOuterDisposeScope());
    }

    /// <summary>The mean of the losses of a step's batches.</summary>
    public static LossSum Mean(IReadOnlyList<LossSum> batches)
    {
        if (batches.Count == 1) return batches[0];
        using var scope = NewDisposeScope();
        return new LossSum(batches[0].Names, stack(batches.Select(batch => batch.Weighted)).mean([0L]).MoveToOuterDisposeScope(),
            stack(batches.Select(batch => batch.Total)).mean().MoveToOuterDisposeScope());
    }

    /// <summary>The figures without what led to them, in the scope outside the present one.</summary>
    public LossSum Detached()
        => this with { Weighted = Weighted.detach().MoveToOuterDisposeScope(), Total = Total.detach().MoveToOuterDisposeScope() };

    /// <summary>
    /// The weighted terms and the gradient's norm as numbers. This is the step's one wait for the device.
    /// </summary>
    /// <param name="gradients">The gradients, of all ranks.</param>
    /// <param name="step">The number of the step, from 1.</param>
    /// <param name="ranks">The processes whose images are one batch; <see langword="null"/>: this one alone.</param>
    /// <exception cref="TrainingDivergedException">One of them is not finite.</exception>
    public (double[] Terms, double GradientNorm) ReadFinite(Tensor gradients, int step, RankGroup? ranks = null)
    {
        using var scope = NewDisposeScope();
        Tensor read = cat([Weighted.detach(), gradients.norm().view(1)]).cpu();
        ranks?.Average(read);
        float[] figures = read.data<float>().ToArray();
        for (int i = 0; i < figures.Length; i++)
        {
            if (!float.IsFinite(figures[i]))
                throw new TrainingDivergedException(step, i < Names.Count ? Names[i] : "gradient", figures[i]);
        }

        return ([.. figures[..^1].Select(figure => (double)figure)], figures[^1]);
    }
}
