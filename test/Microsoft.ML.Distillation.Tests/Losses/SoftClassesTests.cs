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
