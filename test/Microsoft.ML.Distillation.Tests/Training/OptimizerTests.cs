using Microsoft.ML.Distillation.Training.Optimizers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Training;

public class OptimizerTests
{
    [Test]
    public void AdamW_TakesTheSteps_OfTorchSharps() => Compare(
        OptimizerKind.AdamW, 0.1, (decaying, other) => optim.AdamW(
            [new TorchSharp.Modules.AdamW.ParamGroup(decaying, lr: 0.01, weight_decay: 0.1),
                new TorchSharp.Modules.AdamW.ParamGroup(other, lr: 0.01, weight_decay: 0)], lr: 0.01));

    [Test]
    public void Sgd_TakesTheSteps_OfTorchSharps() => Compare(
        OptimizerKind.Sgd, 0.1, (decaying, other) => optim.SGD(
            [new SGD.ParamGroup(decaying, lr: 0.01, weight_decay: 0.1, momentum: 0.9),
                new SGD.ParamGroup(other, lr: 0.01, weight_decay: 0, momentum: 0.9)], 0.01, momentum: 0.9));

    [Test]
    public void Clip_LimitsTheNorm()
    {
        using var scope = NewDisposeScope();
        using nn.Module net = Network();
        using var flat = new FlatParameters([net]);
        flat.Gradients.fill_(2);
        double norm = flat.Gradients.norm().ToDouble();
        flat.Clip(norm, norm + 1);
        Assert.That(flat.Gradients.norm().ToDouble(), Is.EqualTo(norm));
        flat.Clip(norm, 0.5);
        Assert.That(flat.Gradients.norm().ToDouble(), Is.EqualTo(0.5).Within(1e-6));
    }

    [Test]
    public void FrozenParameters_StayOut()
    {
        using var scope = NewDisposeScope();
        using nn.Module net = Network();
        net.parameters().First().requires_grad_(false);
        using var flat = new FlatParameters([net]);
        Assert.That(flat.Count, Is.EqualTo(net.parameters().Skip(1).Sum(parameter => parameter.numel())));
    }

    [Test]
    public void AModuleWithAShareOfTheRate_LearnsAsIfItHadThatRateAlone([Values] OptimizerKind kind)
    {
        using var scope = NewDisposeScope();
        using Sequential first = Network(), second = Network(), alone = Network(), fast = Network();
        using var both = new FlatParameters([first, second], (module, _) => module == second ? 0.25 : 1);
        using var slow = new FlatParameters([alone]);
        using var whole = new FlatParameters([fast]);
        using FlatOptimizer joint = FlatOptimizer.Create(kind, both, 0.1, 0.9), quarter = FlatOptimizer.Create(kind, slow, 0.1, 0.9),
        full = FlatOptimizer.Create(kind, whole, 0.1, 0.9);
        for (int step = 1; step <= 5; step++)
        {
            using var inner = NewDisposeScope();
            Tensor input = randn(4, 5);
            foreach (FlatParameters parameters in (FlatParameters[])[both, slow, whole]) parameters.Gradients.zero_();
            foreach (Sequential network in (Sequential[])[first, second, alone, fast]) network.call(input).pow(2).sum().backward();
            joint.Step(0.01, step);
            quarter.Step(0.0025, step);
            full.Step(0.01, step);
        }

        AssertSame(first, fast);
        AssertSame(second, alone);
        Assert.That((first.parameters().First() - second.parameters().First()).abs().max().ToDouble(), Is.GreaterThan(1e-3));

        static void AssertSame(Sequential one, Sequential other)
        {
            foreach ((Parameter our, Parameter their) in one.parameters().Zip(other.parameters()))
                Assert.That((our - their).abs().max().ToDouble(), Is.LessThan(1e-6));
        }
    }

    private static Sequential Network()
    {
        manual_seed(3);
        return nn.Sequential(("a", nn.Linear(5, 8)), ("n", nn.LayerNorm(8)), ("b", nn.Linear(8, 3)));
    }

    private static void Compare(OptimizerKind kind, double decay,
        Func<IEnumerable<Parameter>, IEnumerable<Parameter>, optim.Optimizer> reference)
    {
        using var scope = NewDisposeScope();
        using Sequential ours = Network(), theirs = Network();
        using var flat = new FlatParameters([ours]);
        using FlatOptimizer optimizer = FlatOptimizer.Create(kind, flat, decay, 0.9);
        using optim.Optimizer expected =
            reference(theirs.parameters().Where(p => p.dim() > 1), theirs.parameters().Where(p => p.dim() <= 1));
        for (int step = 1; step <= 20; step++)
        {
            using var inner = NewDisposeScope();
            Tensor input = randn(4, 5);
            flat.Gradients.zero_();
            ours.call(input).pow(2).sum().backward();
            optimizer.Step(0.01, step);
            expected.zero_grad();
            theirs.call(input).pow(2).sum().backward();
            expected.step();
        }

        foreach ((Parameter our, Parameter their) in ours.parameters().Zip(theirs.parameters()))
            Assert.That((our - their).abs().max().ToDouble(), Is.LessThan(2e-6));
    }
}
