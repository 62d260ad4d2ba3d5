using Microsoft.ML.Distillation.Research;

namespace Microsoft.ML.Distillation.Tests.Research;

public class PaperLessonsTests
{
    // ν = γ = 0.5 and μ = 0.5 throughout, w_0 = 1.5 but for the column without it.
    private static readonly DistillationLoss Classes =
        new SoftClasses { LabelWeight = null, Weight = null, BackgroundWeight = 1.5, Temperature = 1 };
    private static readonly DistillationLoss Boxes = new BoundedBoxes { Margin = 0, Kind = BoxDistillation.Bounded };
    private static readonly DistillationLoss Hint = new Hint { Adaptation = HintAdaptation.Learnt, Norm = HintNorm.L2 };

    private static IEnumerable<TestCaseData> Columns =>
    [
        new("l2", new[] { new BoundedBoxes { Kind = BoxDistillation.Squared } }),
        new("l2-b", new[] { Boxes }),
        new("cls", new[] { new SoftClasses { BackgroundWeight = 1 } }),
        new("cls-w", new[] { Classes }),
        new("hints", new[] { new Hint { Adaptation = HintAdaptation.None } }),
        new("hints-a", new[] { Hint }),
        new("l2-b+cls-w", new[] { Classes, Boxes }),
        new("all", new[] { Classes, Boxes, Hint }),
    ];

    [TestCaseSource(nameof(Columns))]
    public void ColumnsOfTable4_HaveThePapersLosses(string name, object losses)
    {
        Assert.That(PaperLessons.Of(name), Is.EqualTo((DistillationLoss[])losses));
        Assert.That(PaperLessons.Of(name).Select(loss => loss.EffectiveWeight), Is.All.EqualTo(0.5));
    }

    [Test]
    public void EveryColumn_HasALesson_AndNoOther()
    {
        Assert.That(Columns.Select(column => column.Arguments[0]), Is.EqualTo(PaperLessons.Names));
        Assert.That(() => PaperLessons.Of("l3"), Throws.ArgumentException.With.Message.Contains("'l3'").And.Message.Contains("hints-a"));
    }
}
