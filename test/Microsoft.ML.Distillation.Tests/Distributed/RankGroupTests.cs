using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Distributed;
using Microsoft.ML.Distillation.Tests.Detectors;
using Microsoft.ML.Distillation.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Distributed;

public class RankGroupTests
{
    [Test]
    public void Normalisers_AreMeansOfTheRanksNumbers_ButNeverOfASumBelowOne()
    {
        double[][] found = ThreadRanks.Run(3, ranks => ranks.Normalisers(ranks.Rank, 0.1));
        foreach (double[] own in found) Assert.That(own, Is.EqualTo(new[] { 1, 1.0 / 3 }).Within(1e-12));
        Assert.That(RankGroup.Alone.Normalisers(0.2, 5), Is.EqualTo(new[] { 1.0, 5 }));
    }

    [Test]
    public void Broadcast_AndGather_KeepTheOrderOfRanks()
    {
        var found = ThreadRanks.Run(3, ranks => (ranks.Broadcast(10 + ranks.Rank), ranks.Gather(new byte[ranks.Rank])));
        foreach ((int of0, IReadOnlyList<byte[]> of) in found)
        {
            Assert.That(of0, Is.EqualTo(10));
            Assert.That(of.Select(bytes => bytes.Length), Is.EqualTo(new[] { 0, 1, 2 }));
        }
    }

    [Test]
    public void WhatGoesWrongInOneRank_IsSaidByAll_WithItsName()
    {
        string[] said = ThreadRanks.Run(3, ranks =>
        {
            ranks.BeginAlone();
            if (ranks.Rank == 2) return ranks.Fail(new InvalidDataException("no such file"), isShared: false).Message;
            return Assert.Throws<InvalidOperationException>(ranks.Agree)!.Message;
        });
        Assert.That(said, Is.EqualTo(new[] { "rank 2 of 3: no such file", "rank 2 of 3: no such file", "no such file" }));
    }

    [Test]
    public void WhoIsCancelledAlone_CancelsAll()
    {
        Exception[] ends = ThreadRanks.Run(3, ranks =>
        {
            ranks.BeginAlone();
            if (ranks.Rank == 1) return ranks.Fail(new OperationCanceledException("no more"), isShared: true);
            return Assert.Throws<OperationCanceledException>(ranks.Agree)!;
        });
        Assert.That(ends.Select(end => end.Message), Is.EqualTo(new[] { "rank 1 of 3: no more", "no more", "rank 1 of 3: no more" }));
    }

    [Test]
    public void WhatAllComeUpon_IsNoRanksOwnError([Values] bool isShared)
    {
        var error = new OperationCanceledException("no more");
        Exception[] ends = ThreadRanks.Run(2, ranks =>
        {
            ranks.BeginAlone();
            ranks.Agree();
            return ranks.Fail(error, isShared);
        });
        Assert.That(ends, isShared ? Is.All.SameAs(error) : Is.All.TypeOf<InvalidOperationException>());
    }

    [Test]
    public void TheGradientOfAMean_IsThatOfAllRanks()
    {
        // L = 1/R Σ_r r · m²,  m the mean of x_r = 1 + r:  R ∂L/∂x_r = 2 m · mean r.
        float[] gradients = ThreadRanks.Run(2, ranks =>
        {
            using var scope = NewDisposeScope();
            Tensor x = tensor([1f + ranks.Rank], requires_grad: true), m = ranks.Mean(x);
            (m * m * ranks.Rank).sum().backward();
            return x.grad!.ToSingle();
        });
        Assert.That(gradients, Is.EqualTo(new[] { 1.5f, 1.5f }).Within(1e-6));
    }

    [Test]
    public void BatchNorm_OverRanks_IsThatOfAllImages([Values] bool shifted)
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        // A mean far from 0: variances are no difference of large numbers.
        Tensor images = randn(6, 4, 3, 5) + (shifted ? 300 : 0), target = randn(6, 4, 3, 5);
        float[][] one = Step(RankGroup.Alone, images, target);
        float[][][] ranks = ThreadRanks.Run(2, group =>
            Step(group, images.narrow(0, 3 * group.Rank, 3), target.narrow(0, 3 * group.Rank, 3)));
        double tolerance = shifted ? 2e-3 : 2e-6;
        // Mean, variance; weight, bias: averaged, as gradients are.
        for (int i = 0; i < 2; i++) Assert.That(ranks[0][i], Is.EqualTo(one[i]).Within(tolerance * (1 + one[i].Max(MathF.Abs))));
        for (int i = 2; i < 4; i++)
            Assert.That(ranks[0][i].Zip(ranks[1][i], (a, b) => (a + b) / 2), Is.EqualTo(one[i]).Within(tolerance));
        Assert.That(ranks[0][4].Concat(ranks[1][4]).Select(gradient => gradient / 2), Is.EqualTo(one[4]).Within(tolerance));

        static float[][] Step(RankGroup group, Tensor images, Tensor target)
        {
            using var norm = nn.BatchNorm2d(4);
            using Tensor map = images.contiguous().clone().requires_grad_();
            using var own = NewDisposeScope();
            nn.functional.mse_loss(SharedBatchNorm.Run(map, norm, 0.1, group), target).backward();
            return [.. new[] { norm.running_mean!, norm.running_var!, norm.weight!.grad!, norm.bias!.grad!, map.grad! }
                .Select(values => values.contiguous().data<float>().ToArray())];
        }
    }

    [Test]
    public void Relations_OfRanksWithUnequalNumbers_AreThoseOfAllRows()
    {
        using var scope = NewDisposeScope();
        manual_seed(5);
        Tensor student = rand(7, 3), teacher = rand(7, 3);
        double one = RelationLoss.Loss(student, teacher).ToDouble();
        double[] ranks = ThreadRanks.Run(3, group =>
        {
            // 0, 2 and 5 rows.
            (int start, int count) = group.Rank switch { 0 => (0, 0), 1 => (0, 2), _ => (2, 5) };
            using var own = NewDisposeScope();
            return RelationLoss.Loss(student.narrow(0, start, count), teacher.narrow(0, start, count), group).ToDouble();
        });
        Assert.That(ranks.Average(), Is.EqualTo(one).Within(1e-5));
    }

    [TestCase(8, 8, 2, 4)]
    [TestCase(8, 2, 4, 2, Description = "bound to two already")]
    [TestCase(2, 2, 8, 1)]
    public void Threads_AreShared(int all, int own, int processes, int share)
        => Assert.That(ThreadShare.Share(all, own, processes), Is.EqualTo(share));

    [Test]
    public void ThreadsAreThoseThatAStepKeepsAtWork()
    {
        using IObjective objective = Objective();
        using Detector student = objective.Student;
        int few = ThreadShare.Worth(objective.WorkOf(4)), many = ThreadShare.Worth(objective.WorkOf(4000));
        Assert.That(few, Is.EqualTo(1), "a second thread would only wait");
        Assert.That(many, Is.GreaterThan(4));
        Assert.That(ThreadShare.Worth(objective.WorkOf(8000)), Is.EqualTo(2 * many).Within(1));
    }

    [Test]
    public void ASmallTraining_LeavesTheProcesssThreadsAsTheyWere()
    {
        int before = get_num_threads();
        using IObjective objective = Objective();
        using Detector student = objective.Student;
        try
        {
            set_num_threads(2);
            using (ThreadShare? share = ThreadShare.For(objective.WorkOf(1)))
            {
                bool isSaid = Environment.GetEnvironmentVariable("OMP_NUM_THREADS") is { Length: > 0 };
                Assert.That(get_num_threads(), Is.EqualTo(isSaid ? 2 : 1));
            }

            Assert.That(get_num_threads(), Is.EqualTo(2));
        }
        finally
        {
            set_num_threads(before);
        }
    }

    private static OneStageObjective Objective()
    {
        Detector student = DetectorPlan.OneStage(Backbone.Plain(8, 16, 24, 32), 96).Build(TestDetectors.Statistics);
        return new OneStageObjective((OneStageDetector)student, 0, null, null, CPU);
    }
}
