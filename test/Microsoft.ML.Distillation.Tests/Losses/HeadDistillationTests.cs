using Microsoft.ML.Distillation.Distributed;
using Microsoft.ML.Distillation.Losses;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Losses;

/// <summary>DIST, LD and CrossKD, the losses between heads.</summary>
public class HeadDistillationTests
{
    [Test]
    public void Dist_ComparesRelations_OfClassesAndOfBoxes()
    {
        using var scope = NewDisposeScope();
        Tensor student = tensor(new[] { 0.2, 0.3, 0.5, 0.6, 0.25, 0.15 }, [2, 3]);
        Assert.That(RelationLoss.Loss(student, student).ToDouble(), Is.Zero.Within(1e-9));
        Assert.That(RelationLoss.Loss(student, student * 0.1 + 0.4).ToDouble(), Is.Zero.Within(1e-9), "only relations count");

        // Exchanged rows: between the boxes each class correlates with −1; between the classes ρ.
        Tensor teacher = student.index_select(0, tensor(new[] { 1L, 0 }));
        double[] a = [0.2 - 1.0 / 3, 0.3 - 1.0 / 3, 0.5 - 1.0 / 3], b = [0.6 - 1.0 / 3, 0.25 - 1.0 / 3, 0.15 - 1.0 / 3];
        double rho = a.Zip(b, (x, y) => x * y).Sum() / Math.Sqrt(a.Sum(x => x * x) * b.Sum(y => y * y));
        Assert.That(RelationLoss.Loss(student, teacher).ToDouble(), Is.EqualTo(1 - rho + 2).Within(1e-6));
    }

    [Test]
    public void Dist_OfOneClassOrConstantOrNoRows_IsFinite()
    {
        using var scope = NewDisposeScope();
        Tensor one = tensor(new[] { 0.1, 0.5, 0.3 }, [3, 1]);
        Assert.That(RelationLoss.Loss(one, 1 - one).ToDouble(), Is.EqualTo(2).Within(1e-6), "between the boxes alone");
        Tensor constant = full([3, 4], 0.25).requires_grad_();
        Tensor loss = RelationLoss.Loss(constant, rand(3, 4));
        loss.backward();
        Assert.That(loss.ToSingle(), Is.EqualTo(2).Within(1e-5), "a constant correlates with nothing");
        Assert.That(constant.grad!.isfinite().all().ToBoolean());
        Assert.That(RelationLoss.Loss(zeros(0, 4), zeros(0, 4)).ToSingle(), Is.Zero);
        Assert.That(RelationLoss.Loss(ones(1, 4), ones(1, 4)).ToSingle(), Is.Zero);
    }

    /// <summary>0.1 in half precision; near constants, whose differences are rounding, correlate with nothing either.</summary>
    [Test]
    public void Dist_OfConstantsInHalfPrecision_IsNoNaN(
        [Values(ScalarType.Float16, ScalarType.BFloat16, ScalarType.Float32)] ScalarType type)
    {
        using var scope = NewDisposeScope();
        manual_seed(6);
        Tensor constant = full([5, 4], 0.1f, dtype: type), varied = rand(5, 4).softmax(1).to_type(type);
        foreach ((Tensor own, Tensor theirs) in new[] { (constant, varied), (varied, constant), (constant, constant) })
        {
            Tensor student = own.clone().requires_grad_();
            Tensor loss = RelationLoss.Loss(student, theirs);
            loss.backward();
            Assert.That(loss.to(float32).ToSingle(), Is.EqualTo(2).Within(1e-3), "a constant correlates with nothing");
            Assert.That(student.grad!.to(float32).isfinite().all().ToBoolean());
        }

        Assert.That(RelationLoss.Loss(varied, varied).to(float32).ToSingle(), Is.Zero.Within(1e-3));
        Tensor rounded = full([5, 4], 0.25f).add(rand(5, 4).sub(rand(5, 4)).mul(type == ScalarType.BFloat16 ? 1e-3f : 1e-4f)).to_type(type);
        if (type != ScalarType.Float32) Assert
            .That(RelationLoss.Loss(rounded, rounded).to(float32).ToSingle(), Is.GreaterThan(1), "rounding is no relation");
    }

    [Test]
    public void Localization_InHalfPrecision_CostsWhatItCostsInSingle([Values(ScalarType.Float16, ScalarType.BFloat16)] ScalarType half)
    {
        using var scope = NewDisposeScope();
        manual_seed(7);
        Tensor logits = randn(3, 4, 6).mul(20).to_type(half), teacher = randn(3, 4, 6).mul(20).softmax(2).to_type(half);
        Assert.That(LocalizationLoss.Loss(logits, teacher, 10).ToSingle(),
            Is.EqualTo(LocalizationLoss.Loss(logits.to(float32), teacher.to(float32), 10).ToSingle()).Within(1e-4).Percent);
    }

    [Test]
    public void Rebin_KeepsProbabilityAndMean_AndLeavesTheSameGridAlone()
    {
        using var scope = NewDisposeScope();
        Tensor shares = rand(2, 4, 5, float64).softmax(2), same = arange(5, float64).expand(2, 4, 5);
        Assert.That((LocalizationLoss.Rebin(shares, same, 5) - shares).abs().max().ToDouble(), Is.LessThan(1e-12));

        // Bins half as wide, moved by a quarter: still within 0 … 7.
        Tensor places = same * 0.5 + 0.25, moved = LocalizationLoss.Rebin(shares, places, 8);
        Assert.That((moved.sum(2) - 1).abs().max().ToDouble(), Is.LessThan(1e-12));
        Assert.That(((moved * arange(8, float64)).sum(2) - (shares * places).sum(2)).abs().max().ToDouble(), Is.LessThan(1e-12));

        Tensor beyond = LocalizationLoss.Rebin(tensor(new[] { 0.25, 0.75 }, [1, 1, 2]), tensor(new[] { -3.0, 11 }, [1, 1, 2]), 4);
        Assert.That(beyond.data<double>().ToArray(), Is.EqualTo(new[] { 0.25, 0, 0, 0.75 }).AsCollection.Within(1e-12));
    }

    [Test]
    public void Localization_IsTheDivergence_AtATemperature()
    {
        using var scope = NewDisposeScope();
        Tensor student = tensor(new[] { 0.0, 0, 0 }, [1, 1, 3]).expand(1, 4, 3),
        teacher = tensor(new[] { 0.2, 0.3, 0.5 }, [1, 1, 3]).expand(1, 4, 3);
        double[] soft = [.. new[] { 0.2, 0.3, 0.5 }.Select(Math.Sqrt)];
        double sum = soft.Sum(), expected = 4 * soft.Sum(q => q / sum * Math.Log(q / sum * 3));
        Assert.That(LocalizationLoss.Loss(student, teacher, 2).ToDouble(), Is.EqualTo(expected).Within(1e-9));
        Assert.That(LocalizationLoss.Loss((teacher + 1e-300).log(), teacher, 10).ToDouble(), Is.Zero.Within(1e-9));
        Assert.That(LocalizationLoss.Loss(zeros(0, 4, 3), zeros(0, 4, 3), 10).ToSingle(), Is.Zero);
    }

    /// <summary>As in the authors' code: a mean over the bins, and each box by the student's score.</summary>
    [Test]
    public void Distributions_AreAMeanOverTheBins_WeighedByTheStudentsScore()
    {
        using var scope = NewDisposeScope();
        Tensor logits = randn(2, 4, 5), theirs = randn(2, 4, 5).softmax(2), places = arange(5, float32).expand(2, 4, 5);
        Tensor weights = tensor(new[] { .9f, .3f });
        double Of(int box) => LocalizationLoss.Loss(logits[box].unsqueeze(0), theirs[box].unsqueeze(0), 10).ToDouble() / 5;
        var loss = new BoxDistributions().OfLocations(new LocationAnswers(
            logits, logits, null, logits, logits, 1, RankGroup.Alone, () => throw new InvalidOperationException(),
            () => new EdgeAnswers(logits, theirs, places, weights, weights.sum())));
        Assert.That(loss.ToDouble(), Is.EqualTo((.9 * Of(0) + .3 * Of(1)) / 1.2).Within(1e-5));
    }

    [Test]
    public void CrossHead_IsLinearInTheDistanceOfScores_AndDividesByTheObjects()
    {
        using var scope = NewDisposeScope();
        // σ_X = .8 and .5, σ_T = .5 and .5.
        Tensor crossed = tensor(new[] { Math.Log(4), 0 }, [1, 2]), own = zeros(1, 2, float64);
        double entropy = -.5 * Math.Log(.8) - .5 * Math.Log(.2);
        Assert.That(CrossHeadLoss.Classes(crossed, own, 3).ToDouble(), Is.EqualTo(.3 * entropy / 3).Within(1e-9));
        Assert.That(new CrossHead().OfCrossedHeads(new CrossedHeads(crossed, zeros(1, 4, 3), own, zeros(1, 4, 3), 3, RankGroup.Alone))
            .Select(term => (term.Name, term.Factor)), Is.EqualTo(new[] { ("crosshead.class", 1.0), ("crosshead.box", 4.0) }));
    }

    [Test]
    public void AlignScale_GivesTheTeachersMeanAndDeviation_ToEachChannel()
    {
        using var scope = NewDisposeScope();
        Tensor student = randn(2, 3, 4, 5, float64) * 7 - 2;
        Tensor teacher = randn(2, 3, 4, 5, float64) * tensor(new[] { 1.0, 2, 3 }).view(1, 3, 1, 1);
        Tensor aligned = CrossHeadLoss.AlignScale(student, teacher);
        Func<Tensor, Tensor>[] statistics = [map => map.mean([0, 2, 3]), map => map.std([0, 2, 3], false, false)];
        foreach (Func<Tensor, Tensor> statistic in statistics)
            Assert.That((statistic(aligned) - statistic(teacher)).abs().max().ToDouble(), Is.LessThan(1e-5));
        Assert.That((CrossHeadLoss.AlignScale(teacher * 0.1 + 4, teacher) - teacher).abs().max().ToDouble(), Is.LessThan(1e-4));
        Assert.That(CrossHeadLoss.AlignScale(full([1, 2, 3, 3], 5f), rand(1, 2, 3, 3)).isfinite().all().ToBoolean(), "a constant map");
        NumericalGradient.Check(map => CrossHeadLoss.AlignScale(map, teacher).mul(teacher).mean(), student);
    }

    [Test]
    public void CrossHead_OfTheSameMaps_CostsNothing_AndWeighsByTheTeachersScore()
    {
        using var scope = NewDisposeScope();
        Tensor classes = tensor(new[] { Math.Log(4), -50, -50, -50 }, [2, 2]), edges = randn(2, 4, 3, float64);
        Assert.That(CrossHeadLoss.Classes(classes, classes, 1).ToDouble(), Is.Zero.Within(1e-9));
        Assert.That(CrossHeadLoss.Boxes(edges, edges, classes).ToDouble(), Is.Zero.Within(1e-3), "but for the least probability of a bin");
        Tensor other = edges.clone();
        other[1] = other[1] * -3;
        Assert.That(CrossHeadLoss.Boxes(other, edges, classes).ToDouble(), Is.Zero.Within(1e-3), "the second location holds nothing");
        other[0] = other[0] * -3;
        Assert.That(CrossHeadLoss.Boxes(other, edges, classes).ToDouble(), Is.GreaterThan(0.1));
    }

    [Test]
    public void Gradients_AgreeWithDifferences()
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        Tensor teacher = randn(4, 3, float64).softmax(1), bins = randn(2, 4, 5, float64).softmax(2), own = randn(2, 4, 5, float64),
        classes = randn(2, 3, float64);
        NumericalGradient.Check(logits => RelationLoss.Loss(logits.sigmoid(), teacher), randn(4, 3, float64));
        NumericalGradient.Check(logits => LocalizationLoss.Loss(logits, bins, 4), randn(2, 4, 5, float64));
        NumericalGradient.Check(logits => CrossHeadLoss.Classes(logits, classes, 3), randn(2, 3, float64));
        NumericalGradient.Check(logits => CrossHeadLoss.Boxes(logits, own, classes), randn(2, 4, 5, float64));
    }
}
