using Microsoft.ML.Distillation.Evaluation;
using Microsoft.ML.Distillation.Model;

namespace Microsoft.ML.Distillation.Tests.Evaluation;

public class ErrorAnalyzerTests
{
    private const int A = 0, B = 1;

    private static readonly string[] Names = ["A", "B"];

    /// <summary>One error of each kind. Boxes are 10 by 10 pixels; moved by 5 they overlap by 50 / 150 = .33.</summary>
    internal static readonly EvaluationImage[] OneOfEach =
    [
        new(
            [True(0, A), True(100, A), True(200, A), True(300, A), True(500, A), True(600, B)],
            [
                Found(0, A, .9), // right
                Found(0, A, .85), // duplicate
                Found(105, A, .8), // localisation
                Found(200, B, .7), // classification
                Found(305, B, .6), // both; the object at 300 is missed, and so is the one at 500
                Found(400, A, .5), // background
                Found(600, B, .4), // right
            ]),
    ];

    [Test]
    public void EachError_IsCountedInItsKind()
    {
        DetectionErrors errors = ErrorAnalyzer.Analyze(OneOfEach, Names);
        Assert.That(
            (errors.Localisation.Count, errors.Classification.Count, errors.Duplicate.Count, errors.Background.Count, errors.Both.Count,
                errors.Missed.Count),
            Is.EqualTo((1, 1, 1, 1, 1, 2)));
    }

    [Test]
    public void EachErrorsCost_IsWhatAveragePrecisionGains_ByHand()
    {
        // 101 recalls: 0 to .20 are 21 of them, .21 to .40 another 20.
        // A, 5 objects: right .9, wrong .85, .8, .5: precision 1 up to recall 1/5: 21 / 101.
        // B, 1 object: wrong .7, .6, right .4: precision 1/3 up to recall 1: 1/3.
        DetectionErrors errors = ErrorAnalyzer.Analyze(OneOfEach, Names);
        Assert.That(errors.AveragePrecision50, Is.EqualTo((21.0 / 101 + 1.0 / 3) / 2).Within(1e-12));

        // The object at 100 is found with .8: A has right, wrong, right: 2/3 on 20 more recalls.
        Assert.That(errors.Localisation.AveragePrecisionGain, Is.EqualTo(20 * (2.0 / 3) / 101 / 2).Within(1e-12));

        // The .7 becomes a right A: right, wrong, wrong, right: 1/2 on 20 more recalls. B keeps one wrong before its right: 1/2.
        Assert.That(errors.Classification.AveragePrecisionGain, Is.EqualTo((20 * .5 / 101 + 1.0 / 2 - 1.0 / 3) / 2).Within(1e-12));

        // They come after A's only right detection, where they cost nothing.
        Assert.That(errors.Duplicate.AveragePrecisionGain, Is.Zero);
        Assert.That(errors.Background.AveragePrecisionGain, Is.Zero);

        // B: wrong .7, right .4.
        Assert.That(errors.Both.AveragePrecisionGain, Is.EqualTo((1.0 / 2 - 1.0 / 3) / 2).Within(1e-12));

        // A has 3 objects to find: precision 1 up to recall 1/3, that is 0 to .33, 34 of the recalls.
        Assert.That(errors.Missed.AveragePrecisionGain, Is.EqualTo((34.0 / 101 - 21.0 / 101) / 2).Within(1e-12));
    }

    [Test]
    public void TwoErrorsAtOneObject_RepairItOnce()
    {
        // Both point at the only object. Put right, the surer makes it found and the other vanishes: AP 1.
        EvaluationImage[] images = [new([True(0, A)], [Found(5, A, .9), Found(-5, A, .8)])];
        DetectionErrors errors = ErrorAnalyzer.Analyze(images, Names);
        Assert.That(errors.Localisation, Is.EqualTo(new DetectionErrorKind(2, 1)));
        Assert.That(errors.Missed, Is.EqualTo(new DetectionErrorKind(0, 0)), "it was seen");

        // The surer is of another kind: putting the other right repairs nothing.
        images = [new([True(0, A)], [Found(0, B, .9), Found(5, A, .8)])];
        errors = ErrorAnalyzer.Analyze(images, Names);
        Assert.That(errors.Classification, Is.EqualTo(new DetectionErrorKind(1, 1)));
        Assert.That(errors.Localisation, Is.EqualTo(new DetectionErrorKind(1, 0)));
    }

    [Test]
    public void ClassMissedAltogether_CostsAllOfIt()
    {
        EvaluationImage[] images = [new([True(0, A), True(100, B)], [Found(0, A, .9)])];
        Assert.That(ErrorAnalyzer.Analyze(images, Names).Missed, Is.EqualTo(new DetectionErrorKind(1, .5)));
    }

    [Test]
    public void DetectionOnACrowdOrADifficultObject_IsNoError()
    {
        EvaluationImage[] images =
        [
            new([True(0, A) with { Crowd = true }, True(100, A) with { Difficult = true }, True(200, A)],
                [Found(0, A, .9), Found(0, A, .8), Found(100, A, .7), Found(200, A, .6)]),
        ];
        DetectionErrors errors = ErrorAnalyzer.Analyze(images, Names);
        Assert.That(errors.AveragePrecision50, Is.EqualTo(1).Within(1e-12));
        Assert.That(Kinds(errors).Sum(kind => kind.Count), Is.Zero);
    }

    [Test]
    public void AveragePrecision_IsCocos_OnTheGoldenSet()
    {
        string folder = TestData.Folder("coco-eval");
        var pairing = CocoPairing.Read(Path.Combine(folder, "instances_val2014_100.json"),
            Path.Combine(folder, "instances_val2014_fakebbox100_results.json"));
        DetectionErrors errors = ErrorAnalyzer.Analyze(pairing.Images, pairing.ClassNames);
        Assert.That(errors.AveragePrecision50, Is.EqualTo(.6969727247).Within(1e-10));
    }

    [Test]
    public void WrongAndMissed_AddUpToAllDetectionsAndObjects()
    {
        (EvaluationImage[] images, string[] names) = Scenes.Draw(seed: 5);
        DetectionErrors errors = ErrorAnalyzer.Analyze(images, names);
        ConfusionMatrix confusion = ConfusionCounter.Count(images, names, scoreThreshold: 0);
        int right = Enumerable.Range(0, names.Length).Sum(c => confusion.Counts[c][c]);
        Assert.That(right + Kinds(errors).SkipLast(1).Sum(kind => kind.Count), Is.EqualTo(images.Sum(image => image.Detections.Length)));
        Assert.That(errors.Missed.Count, Is.LessThanOrEqualTo(images.Sum(image => image.Truth.Length) - right));
        Assert.That(Kinds(errors).Select(kind => kind.AveragePrecisionGain), Is.All.InRange(0, 1));
    }

    [Test]
    public void PerfectDetections_HaveNoErrors()
    {
        (EvaluationImage[] images, string[] names) = Scenes.Draw(seed: 3);
        DetectionErrors errors = ErrorAnalyzer.Analyze(Scenes.Perfect(images), names);
        Assert.That(Kinds(errors), Is.All.EqualTo(new DetectionErrorKind(0, 0)));
    }

    [Test]
    public void OrderOfImagesDetectionsAndClasses_ChangesNoKind()
    {
        (EvaluationImage[] images, string[] names) = Scenes.Draw(seed: 1);
        DetectionErrorKind[] before = Kinds(ErrorAnalyzer.Analyze(images, names));
        DetectionErrorKind[] after = Kinds(ErrorAnalyzer.Analyze(Scenes.Relabel(Scenes.Shuffle(images, seed: 2), [3, 1, 0, 4, 2]), names));
        Assert.That(after.Select(kind => kind.Count), Is.EqualTo(before.Select(kind => kind.Count)));
        Assert.That(
            after.Select(kind => kind.AveragePrecisionGain), Is.EqualTo(before.Select(kind => kind.AveragePrecisionGain)).Within(1e-12));
    }

    private static DetectionErrorKind[] Kinds(DetectionErrors errors)
        => [errors.Localisation, errors.Classification, errors.Duplicate, errors.Background, errors.Both, errors.Missed];

    private static TrueBox True(double x, int label) => new(new Box(x, 0, x + 10, 10), label);

    private static DetectedBox Found(double x, int label, double score) => new(new Box(x, 0, x + 10, 10), label, score);
}
