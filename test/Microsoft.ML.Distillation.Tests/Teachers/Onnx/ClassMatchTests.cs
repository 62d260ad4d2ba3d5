using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers.Dense;

namespace Microsoft.ML.Distillation.Tests.Teachers.Onnx;

public class ClassMatchTests
{
    private static readonly ClassAliases NoAliases = new([]);

    [Test]
    public void Classes_AreTheSame_WhateverTheirCaseAndSpaces_OrByAlias()
    {
        var match = new ClassMatch(["Dining Table", "motorcycle", "potted_plant", "zebra"],
            ["motorbike", "diningtable", "pottedplant", "rider"], NoAliases);

        Assert.That(match.UnknownClasses, Is.EqualTo(new[] { 3 }));
        Assert.That(match.IgnoredClasses, Is.EqualTo(new[] { "zebra" }));
        Assert.That(Mapped(match, .1f, .6f, .1f, .15f), Is.EqualTo(new[] { .2f, .6f, .1f, .1f, 0 }).AsCollection.Within(1e-6f));
    }

    [Test]
    public void AliasFile_JoinsNames_AndNamesItsBadLines()
    {
        using var folder = new TemporaryFolder();
        var options = new OnnxTeacherOptions { AliasFile = folder.Write("aliases.txt", "# vehicles\ncar = vehicle\n\n truck=vehicle\n") };
        var match = new ClassMatch(["car", "truck", "bus"], ["vehicle", "bus"], ClassAliases.Of(options));

        Assert.That(match.UnknownClasses, Is.Empty);
        Assert.That(Mapped(match, .3f, .4f, .2f), Is.EqualTo(new[] { .1f, .7f, .2f }).AsCollection.Within(1e-6f));
        var broken = new OnnxTeacherOptions { AliasFile = folder.Write("broken.txt", "car = vehicle\ntruck") };
        Assert.That(() => ClassAliases.Of(broken), Throws.TypeOf<FormatException>().With.Message.Contains("broken.txt(2)"));
    }

    [Test]
    public void NameOfItsOwn_CountsForMoreThanAnAlias()
    {
        var match = new ClassMatch(["motorcycle"], ["motorbike", "motorcycle"], NoAliases);
        Assert.That(match.UnknownClasses, Is.EqualTo(new[] { 0 }));
    }

    [Test]
    public void NameToTheLetter_CountsForMoreThanAnotherSpelling()
    {
        var match = new ClassMatch(["dog", "Dog"], ["Dog", "dog"]);
        Assert.That((match.StudentOf(0), match.StudentOf(1), match.IsIdentity), Is.EqualTo((1, 0, false)));
        Assert.That(new ClassMatch(["tv", "tvmonitor"], ["tv", "tvmonitor"]).IsIdentity, "aliases are for names that are not there");
    }

    [Test]
    public void Detections_OfOneMeaning_AreOneObject()
    {
        var found = new Detections([0, 0, .5f, .5f, 0, 0, .5f, .45f, .5f, .5f, 1, 1, 0, 0, 1, 1], [.9f, .8f, .7f, .6f], [0, 1, 1, 2]);
        Detections mapped = new ClassMatch(["sofa", "couch", "cat"], ["bed", "couch"]).Map(found);
        Assert.That(mapped.Scores, Is.EqualTo(new[] { .9f, .7f }));
        Assert.That(mapped.Labels, Is.EqualTo(new[] { 1, 1 }));
        Assert.That(mapped.Boxes, Is.EqualTo(new[] { 0, 0, .5f, .5f, .5f, .5f, 1, 1 }));
    }

    [Test]
    public void NoClassInCommon_IsAnError()
        => Assert.That(() => new ClassMatch(["cat"], ["RBC"], NoAliases),
            Throws.ArgumentException.With.Message.Contains("'cat'").And.Message.Contains("'RBC'"));

    [Test]
    public void IndependentScores_KeepTheBest_AndFitTheRestIntoWhatItLeaves()
    {
        var match = new ClassMatch(["a", "b", "c"], ["a", "b", "c"], NoAliases);
        Assert.That(Mapped(match, .8f, .3f, .1f), Is.EqualTo(new[] { 0, .8f, .15f, .05f }).AsCollection.Within(1e-6f));
    }

    [Test]
    public void Confidence_IsThatOfTheStudentsClasses()
    {
        var match = new ClassMatch(["a", "b"], ["b"], NoAliases);
        var predictions = new DensePredictions([0, 0, 1, 1, 0, 0, 1, 1], [.8f, .1f, 0, .5f], [.9f, .6f]);

        StudentPredictions mapped = match.Map(predictions, floor: 0);
        Assert.That(mapped.Confidences, Is.EqualTo(new[] { .9f * .1f / .8f, .6f }).AsCollection.Within(1e-6f));
        Assert.That(match.Map(predictions, floor: 0.2).Confidences, Is.EqualTo(new[] { .6f }).AsCollection.Within(1e-6f));
    }

    private static float[] Mapped(ClassMatch match, params float[] probabilities)
        => match.Map(new DensePredictions([0, 0, 1, 1], probabilities, [probabilities.Max()]), floor: 0).Probabilities;
}
