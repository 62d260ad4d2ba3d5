using Microsoft.ML.Distillation.Research;
using Microsoft.ML.Distillation.Training;

namespace Microsoft.ML.Distillation.Tests.Research;

public class PaperLessonsTests
{
    // μ, 1 − μ, smooth L1, ν, squared to the ground truth.
    private static readonly PartWeights Plain = new(1, 0, 1, 0, 0), Boxes = new(1, 0, 1, 0.5, 0), Classes = new(0.5, 0.5, 1, 0, 0), Both = new(0.5, 0.5, 1, 0.5, 0);

    private static IEnumerable<TestCaseData> Columns =>
    [
        new("l2", Boxes, 0.0, BoxDistillation.Squared, null, null),
        new("l2-b", Boxes, 0.0, BoxDistillation.Bounded, null, null),
        new("cls", Classes, 0.0, null, 1.0, null),
        new("cls-w", Classes, 0.0, null, 1.5, null),
        new("hints", Plain, 0.5, null, null, HintAdaptation.None),
        new("hints-a", Plain, 0.5, null, null, HintAdaptation.Learnt),
        new("l2-b+cls-w", Both, 0.0, BoxDistillation.Bounded, 1.5, null),
        new("all", Both, 0.5, BoxDistillation.Bounded, 1.5, HintAdaptation.Learnt),
    ];

    [TestCaseSource(nameof(Columns))]
    public void ColumnsOfTable4_HaveThePapersWeights(
        string name, object part, double hint, BoxDistillation? boxes, double? background, HintAdaptation? adaptation)
    {
        DistillationOptions lesson = PaperLessons.Of(name);
        var weights = TwoStageWeights.Of(0, lesson);
        Assert.That(weights, Is.EqualTo(new TwoStageWeights((PartWeights)part, (PartWeights)part, hint)));
        if (boxes is not null) Assert.That(lesson.Boxes, Is.EqualTo(boxes));
        if (background is not null) Assert.That(lesson.BackgroundWeight, Is.EqualTo(background));
        if (adaptation is not null) Assert.That((lesson.HintAdaptation, lesson.HintNorm), Is.EqualTo((adaptation, HintNorm.L2)));
        Assert.That((lesson.Temperature, lesson.Margin, lesson.CwdWeight), Is.EqualTo((1.0, 0.0, 0.0)));
    }

    [Test]
    public void EveryColumn_HasALesson_AndNoOther()
    {
        Assert.That(Columns.Select(column => column.Arguments[0]), Is.EqualTo(PaperLessons.Names));
        Assert.That(() => PaperLessons.Of("l3"), Throws.ArgumentException.With.Message.Contains("'l3'").And.Message.Contains("hints-a"));
    }
}
