using System.CommandLine;
using Microsoft.ML.Distillation.Tool.Commands;

namespace Microsoft.ML.Distillation.Tests.Tool;

/// <summary>The command's words for networks are the library's plans.</summary>
public class DetectorOptionSetTests
{
    private static IEnumerable<TestCaseData> Lines =>
    [
        Line("", DetectorPlan.For(LatencyClass.Balanced)),
        Line("--student fast", DetectorPlan.For(LatencyClass.Fast)),
        Line("--student balanced", DetectorPlan.For(LatencyClass.Balanced)),
        Line("--student accurate", DetectorPlan.For(LatencyClass.Accurate)),
        Line("--student fast --input-size 128", DetectorPlan.OneStage(Backbone.ShuffleNetV2_x0_5, 128)),
        Line("--student accurate --backbone resnet18", DetectorPlan.OneStage(Backbone.ResNet18, 512)),
        Line("--channels 32", DetectorPlan.OneStage(Backbone.ShuffleNetV2_x0_5, 320, new OneStageOptions { Channels = 32 })),
        Line("--student one-stage --backbone plain --widths 8,16", DetectorPlan.OneStage(Backbone.Plain(8, 16))),
        Line("--student faster-rcnn --fpn 32", DetectorPlan.FasterRcnn(Backbone.ShuffleNetV2_x0_5 with { FpnChannels = 32 })),
    ];

    [TestCaseSource(nameof(Lines))]
    public void Words_ArePlans(string line, DetectorPlan expected)
        => Assert.That(Read("balanced", "shufflenet-0.5", line).ToString(), Is.EqualTo(expected.ToString()));

    [Test]
    public void FamilyWithoutBackbone_HasTheCommands()
        => Assert.That(Read("faster-rcnn", "resnet18", "").ToString(), Is.EqualTo(DetectorPlan.FasterRcnn(Backbone.ResNet18).ToString()));

    [Test]
    public void StudentOfTheLibrary_IsTheBalancedOne()
    {
        Teacher teacher = Teacher.FromModel(SavedModels.At("two-stage.onnx"));
        Assert.That(new DistillDetectorOptions { Teacher = teacher }.Student.ToString(),
            Is.EqualTo(DetectorPlan.For(LatencyClass.Balanced).ToString()));
        Assert.That(() => DetectorPlan.For((LatencyClass)3), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    private static DetectorPlan Read(string usual, string backbone, string line)
    {
        var set = new DetectorOptionSet(usual, backbone);
        var command = new RootCommand();
        set.AddTo(command.Options);
        ParseResult parsed = command.Parse(line);
        Assert.That(parsed.Errors, Is.Empty);
        return set.Read(parsed);
    }

    private static TestCaseData Line(string line, DetectorPlan plan) => new TestCaseData(line, plan).SetArgDisplayNames(line);
}
