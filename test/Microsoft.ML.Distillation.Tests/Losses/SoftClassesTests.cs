using Microsoft.ML.Distillation.Distributed;
using Microsoft.ML.Distillation.Losses;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Distillation.Tests.Losses;

public class SoftClassesTests
{
    [Test]
    public void SharedOut_KeepsTheScore_AndAsksTheTeacherForTheClasses()
    {
        using var scope = NewDisposeScope();
        Tensor labelled = tensor(new[] { 0.8, 0, 0.6, 0, 0, 0.4, 0, 0 }, [4, 2]);
        Tensor teacher = tensor(new[] { 0.16, 0.64, 0.1, 0.2, 0.9, 0.1, 0.5, 0.5 }, [4, 2]);
        Tensor known = tensor(new[] { true, true, false, true });

        // The first is shared 1 : 4; of the second the teacher says background, of the third nothing; the fourth asks for no score.
        AssertIs(SoftClasses.SharedOut(labelled, teacher, known), 0.16, 0.64, 0.6, 0, 0, 0.4, 0, 0);
        // With T = 2 it is shared 0.4 : 0.8.
        AssertIs(SoftClasses.SharedOut(labelled, teacher, known, temperature: 2), 0.8 / 3, 1.6 / 3, 0.6, 0, 0, 0.4, 0, 0);
        // Without the mask the third is shared too.
        AssertIs(SoftClasses.SharedOut(labelled, teacher, known: null), 0.16, 0.64, 0.6, 0, 0.36, 0.04, 0, 0);
    }

    /// <summary>A score of .6 on an object is a good box's, not four tenths of background.</summary>
    [Test]
    public void ScoresThatAreQualities_GiveObjectsToTheirClassesAlone_AndLeaveBackgroundAsItIs()
    {
        using var scope = NewDisposeScope();
        Tensor labels = tensor(new long[] { 1, 2, 0, 1 }), known = tensor(new[] { true, true, true, false });
        Tensor probabilities = tensor(new[] { .4f, .45f, .15f, .7f, .1f, .2f, .7f, .3f, 0, .5f, .5f, 0 }, [4, 3]);
        // The first is shared 3 : 1; of the second the teacher is not sure, of the fourth it has no opinion; the third is background to
        // seven tenths, as it says.
        Tensor targets = tensor(new[] { 0, .75f, .25f, 0, 0, 1, .7f, .3f, 0, 0, 1, 0 }, [4, 3]);
        Tensor logits = rand(4, 3);
        Tensor loss = new SoftClasses().OfProposals(Proposals(areQualities: true));
        Assert.That(loss.ToSingle(), Is.EqualTo(WeightedSoftCrossEntropy.Loss(logits, targets, 1.5).ToSingle()).Within(1e-6));
        Tensor posteriors = tensor(new[] { .4f, .45f, .15f, .7f, .1f, .2f, .7f, .3f, 0, 0, 1, 0 }, [4, 3]);
        Assert.That(new SoftClasses().OfProposals(Proposals(areQualities: false)).ToSingle(),
            Is.EqualTo(WeightedSoftCrossEntropy.Loss(logits, posteriors, 1.5).ToSingle()).Within(1e-6));

        ProposalAnswers Proposals(bool areQualities) => new(
            logits, labels, probabilities, known, areQualities, 4, RankGroup.Alone, () => throw new InvalidOperationException());
    }

    [Test]
    public void AnchorsOfScoresThatAreQualities_AreObjectsWhereTheLabelsSaySo()
    {
        using var scope = NewDisposeScope();
        Tensor logits = rand(3), labels = tensor(new[] { 1f, 0, 1 }), objectness = tensor(new[] { .6f, .3f, 0 });
        Tensor known = tensor(new[] { true, true, false });
        foreach ((bool areQualities, float[] targets) in new[] { (true, new[] { 1f, .3f, 1 }), (false, [.6f, .3f, 1]) })
        {
            Tensor loss = new SoftClasses().OfAnchors(new AnchorAnswers(
                logits, labels, objectness, known, areQualities, 3, () => throw new InvalidOperationException()));
            Assert.That(loss.ToSingle(),
                Is.EqualTo(WeightedSoftCrossEntropy.BinaryLoss(logits, tensor(targets), 1.5).ToSingle()).Within(1e-6));
        }
    }

    [Test]
    public void SharedOut_IsFinite_WhereTheTeacherSaysNothingOfAnyClass()
    {
        using var scope = NewDisposeScope();
        Tensor labelled = tensor(new[] { 0.5, 0 }, [1, 2]);
        AssertIs(SoftClasses.SharedOut(labelled, zeros(1, 2, float64), known: null), 0.5, 0);
        Assert.That(SoftClasses.SharedOut(zeros(0, 2), zeros(0, 2), known: null).shape, Is.EqualTo(new long[] { 0, 2 }));
    }

    private static void AssertIs(Tensor actual, params double[] expected)
        => Assert.That(actual.data<double>().ToArray(), Is.EqualTo(expected).Within(1e-12));
}
