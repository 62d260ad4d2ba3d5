using System.CommandLine;
using Microsoft.ML.Distillation.Tool.Commands;

namespace Microsoft.ML.Distillation.Tests.Tool;

public class DistillationOptionSetTests
{
    private static readonly DistillationLoss Soft = new SoftClasses(), Boxes = new BoundedBoxes(), Hint = new Hint(),
    Cwd = new ChannelWise();

    private static IEnumerable<TestCaseData> Lines =>
    [
        Line("", null, null),
        Line("--feature-loss hint,cwd", null, null),
        Line("--feature-loss hint", [Soft, Boxes, Hint], [Soft, Boxes, Hint]),
        Line("--feature-loss none", [Soft, Boxes], [Soft, Boxes]),
        Line("--feature-loss cwd", [Soft, Boxes, Cwd], [Cwd]),
        Line("--feature-loss pkd=4 mgd --no-soft-targets --boxes none", [new PearsonFeatures { Weight = 4 }, new MaskedGeneration()],
            [new PearsonFeatures { Weight = 4 }, new MaskedGeneration()]),
        Line("--feature-loss hint=1,hint=2 --hint-weight 3", [Soft, Boxes, new Hint { Weight = 2 }],
            [Soft, Boxes, new Hint { Weight = 2 }]),
        Line("--hint-weight 3 --hint-norm l1 --hint-adaptation none",
            [Soft, Boxes, new Hint { Weight = 3, Norm = HintNorm.L1, Adaptation = HintAdaptation.None }, Cwd],
            [new Hint { Weight = 3, Norm = HintNorm.L1, Adaptation = HintAdaptation.None }, Cwd]),
        Line("--hard-weight 0.2", [new SoftClasses { LabelWeight = 0.2 }, Boxes, Hint, Cwd],
            [new SoftClasses { LabelWeight = 0.2 }, Hint, Cwd]),
        Line("--soft-weight 0.5 --temperature 2", [new SoftClasses { Weight = 0.5, Temperature = 2 }, Boxes, Hint, Cwd],
            [new SoftClasses { Weight = 0.5, Temperature = 2 }, Hint, Cwd]),
        Line("--temperature 2", [new SoftClasses { Temperature = 2 }, Boxes, Hint, Cwd], null),
        Line("--bounded-weight 2 --margin 0.1", [Soft, new BoundedBoxes { Weight = 2, Margin = 0.1 }, Hint, Cwd],
            [new BoundedBoxes { Weight = 2, Margin = 0.1 }, Hint, Cwd]),
        Line("--boxes squared", [Soft, new BoundedBoxes { Kind = BoxDistillation.Squared }, Hint, Cwd],
            [new BoundedBoxes { Kind = BoxDistillation.Squared }, Hint, Cwd]),
        Line("--distil-parts rpn", [new SoftClasses { LearningParts = TwoStageParts.Rpn },
            new BoundedBoxes { LearningParts = TwoStageParts.Rpn }, Hint, Cwd], null),
        Line("--feature-loss cwd --feature-fade 0", [Soft, Boxes, Cwd], [Cwd]),
        Line("--feature-loss cwd --feature-fade 0.3", [Soft, Boxes, new ChannelWise { FadeFrom = 0, FadeUntil = 0.3 }],
            [new ChannelWise { FadeFrom = 0, FadeUntil = 0.3 }]),
        Line("--dist-weight 1 --ld-weight 0.5 --crosskd-weight 0",
            [Soft, Boxes, Hint, Cwd, new ClassRelations { Weight = 1 }, new BoxDistributions { Weight = 0.5 }],
            [Hint, Cwd, new ClassRelations { Weight = 1 }, new BoxDistributions { Weight = 0.5 }]),
    ];

    [TestCaseSource(nameof(Lines))]
    public void CommandLines_AreLosses(string line, object? twoStage, object? oneStage)
    {
        string path = SavedModels.At("two-stage.onnx");
        var set = new DistillationOptionSet();
        var command = new RootCommand();
        set.AddTo(command.Options);
        ParseResult parsed = command.Parse(line);
        Assert.That(parsed.Errors, Is.Empty);
        // Of a fresh one-stage student losses on maps fade, unless the line says otherwise.
        object? fading = (oneStage as DistillationLoss[])?.Select(loss => loss is FeatureMapLoss { FadeUntil: 1 } maps
            && !line.Contains("--feature-fade", StringComparison.Ordinal) ? maps with { FadeFrom = 0, FadeUntil = 0.5 } : loss).ToArray();
        foreach ((DetectorPlan plan, object? losses) in new[] { (DetectorPlan.FasterRcnn(Backbone.ResNet18), twoStage),
            (DetectorPlan.OneStage(Backbone.ResNet18), fading) })
            Assert.That(set.Apply(new DistillDetectorOptions { Teacher = Teacher.FromModel(path), Student = plan }, parsed).Losses,
                Is.EqualTo(losses));
    }

    private static TestCaseData Line(string line, DistillationLoss[]? twoStage, DistillationLoss[]? oneStage)
        => new(line, twoStage, oneStage);
}
