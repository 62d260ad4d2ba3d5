using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Training;

public class BackboneRateTests
{
    /// <summary>A step of plain gradient descent: what a parameter moves is its rate times its gradient.</summary>
    [Test]
    public void TheBackbone_MovesByItsShareOfTheRate_AndAllElseByTheWhole()
    {
        Dictionary<string, Tensor> whole = Moves(null), tenth = Moves(0.1);
        using var scope = NewDisposeScope();
        foreach ((string name, Tensor move) in whole)
        {
            double share = name.StartsWith("backbone.", StringComparison.Ordinal) ? 0.1 : 1;
            Assert.That((tenth[name] - share * move).abs().max().ToDouble(), Is.LessThan(1e-7), name);
        }

        Assert.That(whole.Where(move => move.Value.abs().max().ToDouble() > 1e-6).Select(move => move.Key.Split('.')[0]).Distinct(),
            Is.SupersetOf((string[])["backbone", "rpn", "head"]));
        foreach (Tensor move in whole.Values.Concat(tenth.Values)) move.Dispose();
    }

    private static Dictionary<string, Tensor> Moves(double? backboneRate)
    {
        var options = new TrainingOptions
        {
            Epochs = 1,
            Seed = 1,
            Optimizer = OptimizerKind.Sgd,
            LearningRate = 1,
            WarmupSteps = 0,
            WeightDecay = 0,
            Momentum = 0,
            BackboneRate = backboneRate,
        };
        using FasterRcnn student = TinyRun.Detector();
        using var objective = new TwoStageObjective(student, 0, null, null, CPU);
        using var state = new TrainingState(objective, options, TrainingPlan.For(options, 4, 1_000));
        Dictionary<string, Tensor> before = student.named_parameters()
            .ToDictionary(one => one.name, one => one.parameter.detach().clone());
        using (var scope = NewDisposeScope())
        {
            using Tensor gradients = linspace(-1e-3, 1e-3, state.Parameters.Count);
            state.Parameters.Gradients.copy_(gradients);
            state.Optimizer.Step(1, 1);
        }

        return student.named_parameters().ToDictionary(one => one.name, one =>
        {
            using Tensor was = before[one.name];
            return one.parameter.detach() - was;
        });
    }
}
