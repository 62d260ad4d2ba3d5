using Microsoft.ML.Distillation.Estimators;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Tests.Estimators;

public class ExportAgreementTests
{
    private static readonly Detections Three = new([.1f, .1f, .3f, .3f, .5f, .5f, .9f, .9f, 0, 0, 1, 1], [.9f, .8f, .01f], [0, 1, 0]);

    [Test]
    public void RoundingErrors_AndAnotherOrderOfEqualScores_AreClose()
    {
        var other = new Detections([.5f, .5f, .9f, .9001f, .1f, .1f, .3f, .3f, 0, 0, 1, 1], [.8001f, .9f, .01f], [1, 0, 0]);

        ExportAgreement agreement = Compare(Three, other);

        Assert.That(agreement.IsClose, Is.True);
        Assert.That(agreement.BoxDifference, Is.EqualTo(1e-4f).Within(1e-6));
        Assert.That(agreement.ScoreDifference, Is.EqualTo(1e-4f).Within(1e-6));
        Assert.That(agreement.Loose, Is.Zero);
    }

    [Test]
    public void AWeakDetectionThatOneSideLacks_IsForgiven_AStrongOneIsNot()
    {
        var withoutWeak = new Detections(Three.Boxes[..8], Three.Scores[..2], Three.Labels[..2]);
        var withoutStrong = new Detections(Three.Boxes[4..], Three.Scores[1..], Three.Labels[1..]);
        Assert.That(Compare(Three, withoutWeak).IsClose, Is.True);
        Assert.That(Compare(Three, withoutStrong).IsClose, Is.False);
    }

    [Test]
    public void ShiftedBoxes_OtherClasses_AndNaN_AreNotClose()
    {
        Detections shifted = Three with { Boxes = [.. Three.Boxes.Select(v => v + .01f)] };
        Detections swapped = Three with { Labels = [1, 0, 1] };
        Detections broken = Three with { Scores = [float.NaN, float.NaN, float.NaN] };
        foreach (Detections other in new[] { shifted, swapped, broken })
        {
            ExportAgreement agreement = Compare(Three, other);
            Assert.That(agreement.IsClose, Is.False, agreement.ToString());
            Assert.That(agreement.ToString(), Does.StartWith("3 detections"));
        }
    }

    [Test]
    public void NothingOnBothSides_IsClose()
        => Assert.That(Compare(new Detections([], [], []), new Detections([], [], [])).IsClose, Is.True);

    [Test]
    public void AnotherChoiceAmongTheSameBoxes_IsAChoice_OtherBoxesAreNone()
    {
        // The network chose the first and third of four boxes with equal scores, the export the first and second.
        var offered = new Detections([0, 0, .2f, .2f, .1f, 0, .3f, .2f, .2f, 0, .4f, .2f, .3f, 0, .5f, .2f], [.5f, .5f, .5f, .5f],
            [0, 0, 0, 0]);
        Detections chosen = Of(0, 2), other = Of(0, 1);
        Assert.That(Judge(chosen, other), Is.EqualTo((false, true)));
        Assert.That(Judge(chosen, other with { Boxes = [0, 0, .2f, .2f, .15f, 0, .35f, .2f] }), Is.EqualTo((false, false)),
            "a box that nobody offered");
        Assert.That(Judge(chosen, other with { Scores = [.5f, .6f] }), Is.EqualTo((false, false)), "a score that nobody gave");
        Assert.That(Judge(chosen, Of(0)), Is.EqualTo((false, false)), "half of it is missing");
        Assert.That(Judge(chosen, other with { Boxes = [.1f, 0, .3f, .2f, .1f, 0, .3f, .2f] }), Is.EqualTo((false, false)),
            "one box twice");

        Detections Of(params int[] which) => new(
            [.. which.SelectMany(i => offered.Boxes[(4 * i)..((4 * i) + 4)])], [.. which.Select(i => offered.Scores[i])],
            [.. which.Select(i => offered.Labels[i])]);

        (bool, bool) Judge(Detections first, Detections second)
        {
            ExportAgreement agreement = Compare(first, second);
            agreement.AddOffered(second, offered);
            return (agreement.IsClose, agreement.DiffersInChoiceAlone);
        }
    }

    private static ExportAgreement Compare(Detections first, Detections second)
    {
        var agreement = new ExportAgreement();
        agreement.Add(first, second);
        return agreement;
    }
}
