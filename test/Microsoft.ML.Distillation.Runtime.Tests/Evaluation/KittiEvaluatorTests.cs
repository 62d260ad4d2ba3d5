using Microsoft.ML.Distillation.Evaluation;

namespace Microsoft.ML.Distillation.Tests.Evaluation;

public class KittiEvaluatorTests
{
    private const int Car = 0, Van = 1, Pedestrian = 2, PersonSitting = 3, Cyclist = 4;

    // A box of 80 by 50 pixels, high enough for every difficulty.
    private static readonly Box Place = new(100, 100, 180, 150), Elsewhere = new(400, 100, 480, 150);

    // 41 right and one wrong: the best precision at any recall is the last one's.
    private const double OneWrong = 41.0 / 42;

    [Test]
    public void Figures_EqualTheReference_OnRandomStreets()
    {
        // For these boxes, from the algorithm of evaluate_object.cpp (KITTI's development kit, 2017) transcribed to a C++ program of its
        // own.
        (double Forty, double Eleven)[] reference =
        [
            (0.283146865383, 0.294346090165), (0.370800435555, 0.406232656233), (0.364819435047, 0.391086741541),
            (0.373236899689, 0.386883732167), (0.448669757307, 0.453458780392), (0.471060621839, 0.480436790633),
            (0.425008680276, 0.443684821229), (0.464468438990, 0.490218125024), (0.517861985284, 0.521408434386),
        ];
        KittiMetrics metrics = KittiEvaluator.Evaluate(KittiScenes.Draw(seed: 1), KittiScenes.Names);
        KittiClassMetrics[] classes = [.. metrics.Easy.Classes, .. metrics.Moderate.Classes, .. metrics.Hard.Classes];
        Assert.That(classes.Select(c => c.AveragePrecision40), Is.EqualTo(reference.Select(r => r.Forty)).Within(1e-11));
        Assert.That(classes.Select(c => c.AveragePrecision11), Is.EqualTo(reference.Select(r => r.Eleven)).Within(1e-11));
        Assert.That(classes.Select(c => c.Objects), Is.EqualTo(new[] { 38, 40, 36, 67, 77, 78, 99, 111, 113 }));
        Assert.That(metrics.Hard.AveragePrecision40, Is.EqualTo((0.425008680276 + 0.464468438990 + 0.517861985284) / 3).Within(1e-11));
    }

    [Test]
    public void TwoCars_AndOneFalseAlarm_ByHand()
    {
        // Best first: right .9, wrong .8, right .7; two cars.
        // Score thresholds: recall 1/2 at .9 is the first at or above 0, so t0 = .9. Wanted next: 1/40; .7 is the last score,
        // so t1 = .7. No others.
        // Precision: at t0 1/1, at t1 2/3, at the other 39 recalls 0.
        // 40 points leave out t0: (2/3) / 40. 11 points are t0, t4, …, t40: 1 / 11.
        EvaluationImage[] images =
        [
            new([new TrueBox(Place, Car)], [new DetectedBox(Place, Car, .9), new DetectedBox(Elsewhere, Car, .8)]),
            new([new TrueBox(Place, Car)], [new DetectedBox(Place, Car, .7)]),
        ];
        KittiClassMetrics car = KittiEvaluator.Evaluate(images, KittiScenes.Names).Easy.Classes[0];
        Assert.That(car.AveragePrecision40, Is.EqualTo(2.0 / 3 / 40).Within(1e-12));
        Assert.That(car.AveragePrecision11, Is.EqualTo(1.0 / 11).Within(1e-12));
        Assert.That(car.Curve.Precision.Take(3), Is.EqualTo(new[] { 1, 2.0 / 3, 0 }).Within(1e-12));
        Assert.That(car.Curve.Recall, Has.Count.EqualTo(41));
    }

    [Test]
    public void FortyCyclists_AndTwentyFalseAlarms_ByHand()
    {
        // The i-th cyclist (i = 0 … 39) is found with score 1 - i/100; each of the last 20 has a false alarm of score just above.
        // 40 right detections of 40 objects: recall rises by 1/40 each time, so every score is a threshold: 40 of them, and
        // the 41st recall is not reached.
        // Precision at t_i: 1 while i < 20, then (i + 1) / (i + 1 + i - 19), which falls, so the best from here on is itself.
        // For example t_20 = 21/22, t_39 = 40/60.
        EvaluationImage[] images = [.. Enumerable.Range(0, 40).Select(i =>
        {
            double score = 1 - i / 100.0;
            DetectedBox right = new(Place, Cyclist, score), wrong = new(Elsewhere, Cyclist, score + .001);
            return new EvaluationImage([new TrueBox(Place, Cyclist)], i < 20 ? [right] : [right, wrong]);
        })];
        double[] precision = [.. Enumerable.Range(0, 41).Select(i => i < 20 ? 1 : i < 40 ? (i + 1.0) / (2 * i - 18) : 0)];
        Assert.That(precision[20], Is.EqualTo(21.0 / 22).Within(1e-12));
        Assert.That(precision[39], Is.EqualTo(40.0 / 60).Within(1e-12));

        KittiClassMetrics cyclist = KittiEvaluator.Evaluate(images, KittiScenes.Names).Easy.Classes[2];
        Assert.That(cyclist.Curve.Precision, Is.EqualTo(precision).Within(1e-12));
        Assert.That(cyclist.AveragePrecision40, Is.EqualTo(precision[1..].Sum() / 40).Within(1e-12));
        Assert.That(cyclist.AveragePrecision11, Is.EqualTo(new[] { 0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40 }.Sum(i => precision[i]) / 11)
            .Within(1e-12));
    }

    //        height  hidden  outside   easy moderate hard
    [TestCase(40.1, 0, .15, 1, 1, 1)]
    [TestCase(40, 0, .15, 0, 1, 1)]
    [TestCase(39.9, 0, 0, 0, 1, 1)]
    [TestCase(25.1, 1, .3, 0, 1, 1)]
    [TestCase(25, 1, .3, 0, 0, 0)]
    [TestCase(24.9, 0, 0, 0, 0, 0)]
    [TestCase(50, 1, 0, 0, 1, 1)]
    [TestCase(50, 2, 0, 0, 0, 1)]
    [TestCase(50, 3, 0, 0, 0, 0)]
    [TestCase(50, 0, .16, 0, 1, 1)]
    [TestCase(50, 0, .5, 0, 0, 1)]
    [TestCase(50, 0, .51, 0, 0, 0)]
    public void Difficulty_AsksForObjects_WithinItsLimits(double height, int hidden, double outside, int easy, int moderate, int hard)
    {
        var car = new TrueBox(new Box(0, 0, 50, height), Car) { Occlusion = hidden, Truncation = outside };
        KittiMetrics metrics = KittiEvaluator.Evaluate([new([car], [])], KittiScenes.Names);
        int[] objects = [metrics.Easy.Classes[0].Objects, metrics.Moderate.Classes[0].Objects, metrics.Hard.Classes[0].Objects];
        Assert.That(objects, Is.EqualTo(new[] { easy, moderate, hard }));
    }

    [Test]
    public void ObjectTooHard_FoundOrMissed_ChangesNothing()
    {
        var hidden = new TrueBox(Elsewhere, Car) { Occlusion = 3 };
        AssertNeutral(hidden, new DetectedBox(Elsewhere, Car, .99));
        AssertNeutral(new TrueBox(Elsewhere, Car) { Difficult = true }, new DetectedBox(Elsewhere, Car, .99));
    }

    [TestCase(Van, Car)]
    [TestCase(PersonSitting, Pedestrian)]
    public void NeighbouringClass_TakenForTheClass_ChangesNothing(int neighbour, int label)
        => AssertNeutral(new TrueBox(Elsewhere, neighbour), new DetectedBox(Elsewhere, label, .99));

    [Test]
    public void NeighbouringClass_IsNotMeasured_NorAnyOtherThanKittis()
    {
        KittiMetrics metrics = KittiEvaluator.Evaluate(KittiScenes.Draw(seed: 2), KittiScenes.Names);
        Assert.That(metrics.Easy.Classes.Select(c => c.Name), Is.EqualTo(new[] { "Car", "Pedestrian", "Cyclist" }));
        Assert.That(KittiEvaluator.Evaluate([], ["dog"]).Easy.AveragePrecision40, Is.NaN);
    }

    [Test]
    public void DontCareRegion_ExcusesDetectionsInside_ByTheShareOfTheDetection()
    {
        var region = new TrueBox(new Box(300, 0, 600, 300), TrueBox.EveryClass) { DontCare = true };
        AssertNeutral(region, new DetectedBox(Elsewhere, Car, .99));

        // 80 wide, 50 high; from x = 550 on, 50 of 80 columns lie inside: .625, enough for a cyclist (.5), not for a car (.7).
        var atTheEdge = new Box(550, 100, 630, 150);
        AssertNeutral(region, new DetectedBox(atTheEdge, Cyclist, .99));
        Assert.That(FirstPrecision(Car, region, new DetectedBox(atTheEdge, Car, .99)), Is.EqualTo(OneWrong));
    }

    [Test]
    public void DetectionBelowTheDifficultysHeight_IsNeitherRightNorWrong()
    {
        var small = new DetectedBox(new Box(400, 100, 450, 130), Car, .99);
        KittiMetrics metrics = KittiEvaluator.Evaluate(WithOthersFound(Car, extra: null, small), KittiScenes.Names);
        Assert.That(metrics.Easy.Classes[0].Curve.Precision[0], Is.EqualTo(1), "30 of the 40 pixels that easy asks for");
        Assert.That(metrics.Moderate.Classes[0].Curve.Precision[0], Is.EqualTo(OneWrong), "more than moderate's 25");
    }

    [Test]
    public void ObjectAndDetectionOfJustTheHeight_ByHand()
    {
        // Easy's limit is 40 pixels. evaluate_object.cpp passes over an object whose height is 40 or less, but over a detection only
        // when it is less than 40. So an object 40 pixels high is not asked for:
        // - found by a detection of its own size, that is neither right nor wrong, and the 41 others give precision 1;
        // - a detection 40 pixels high that finds nothing is wrong: 41 / 42;
        // - one of 39.9 pixels that finds nothing is not.
        Box atTheLimit = new(400, 100, 480, 140), below = new(400, 100, 480, 139.9);
        AssertNeutral(new TrueBox(atTheLimit, Car), new DetectedBox(atTheLimit, Car, .99));
        Assert.That(FirstPrecision(Car, null, new DetectedBox(atTheLimit, Car, .99)), Is.EqualTo(OneWrong));
        Assert.That(FirstPrecision(Car, null, new DetectedBox(below, Car, .99)), Is.EqualTo(1));
    }

    [Test]
    public void CarsNeedMoreThan70PercentOverlap_OthersMoreThan50()
    {
        // The detection lacks some of the 80 columns: IoU (80 - lacking) / 80; 24 lacking give exactly .7, 40 exactly .5.
        double Precision(int label, int lacking)
            => KittiEvaluator.Evaluate(
                [new([new TrueBox(Place, label)], [new DetectedBox(Place with { X1 = Place.X1 - lacking }, label, .9)])], KittiScenes.Names)
                .Easy.Classes.Single(c => c.Objects == 1).Curve.Precision[0];

        Assert.That((Precision(Car, 23), Precision(Car, 25)), Is.EqualTo((1.0, 0.0)));
        Assert.That((Precision(Cyclist, 39), Precision(Cyclist, 40)), Is.EqualTo((1.0, 0.0)));
        Assert.That((Precision(Pedestrian, 39), Precision(Pedestrian, 40)), Is.EqualTo((1.0, 0.0)));
    }

    [Test]
    public void OrderOfImagesDetectionsAndClasses_ChangesNothing([Range(1, 5)] int seed)
    {
        EvaluationImage[] images = KittiScenes.Draw(seed);
        double[] before = Figures(KittiEvaluator.Evaluate(images, KittiScenes.Names));

        var random = new Random(seed);
        EvaluationImage[] shuffled = [.. images.Select(image => image with { Detections = [.. image.Detections] })];
        random.Shuffle(shuffled);
        foreach (EvaluationImage image in shuffled) random.Shuffle(image.Detections);
        Assert.That(Figures(KittiEvaluator.Evaluate(shuffled, KittiScenes.Names)), Is.EqualTo(before).Within(1e-12));

        int[] renamed = [3, 5, 0, 4, 2, 1];
        string[] names = [.. KittiScenes.Names.Select((_, c) => KittiScenes.Names[Array.IndexOf(renamed, c)])];
        EvaluationImage[] relabelled = [.. images.Select(image => new EvaluationImage(
            [.. image.Truth.Select(box => box with { Label = box.DontCare ? box.Label : renamed[box.Label] })],
            [.. image.Detections.Select(box => box with { Label = renamed[box.Label] })]))];
        Assert.That(Figures(KittiEvaluator.Evaluate(relabelled, names)), Is.EqualTo(before).Within(1e-12));
    }

    [Test]
    public void WrongDetection_OfLowestScore_NeverRaisesAveragePrecision([Range(1, 5)] int seed)
    {
        EvaluationImage[] images = KittiScenes.Draw(seed);
        double[] before = Figures(KittiEvaluator.Evaluate(images, KittiScenes.Names));
        for (int label = 0; label < KittiScenes.Names.Length; label++)
        {
            images[label] = images[label] with
            {
                Detections =
                [.. images[label].Detections, new DetectedBox(new Box(2000, 0, 2050, 50), label, 0)]
            };
            double[] after = Figures(KittiEvaluator.Evaluate(images, KittiScenes.Names));
            for (int i = 0; i < after.Length; i++) Assert.That(after[i], Is.LessThanOrEqualTo(before[i]));
        }
    }

    [Test]
    public void PerfectDetections_GiveOne_FromFortyOneObjectsOn()
    {
        KittiMetrics metrics = KittiEvaluator.Evaluate(KittiScenes.Perfect(KittiScenes.DrawApart(seed: 3, images: 300)), KittiScenes.Names);
        Assert.That(Figures(metrics), Is.All.EqualTo(1).Within(1e-12));
        Assert.That(metrics.Easy.Classes.Min(c => c.Objects), Is.GreaterThanOrEqualTo(41));
    }

    [Test]
    public void ScoresAndBoxesThatAreNoNumbers_DoNotThrow()
    {
        EvaluationImage[] images =
        [
            new([new TrueBox(Place, Car), new TrueBox(new Box(double.NaN, 0, 1, double.NaN), Car)],
                [new DetectedBox(Place, Car, double.NaN), new DetectedBox(new Box(0, double.NaN, 9, 9), Car, .5),
                    new DetectedBox(Place, 99, .5)]),
        ];
        Assert.That(KittiEvaluator.Evaluate(images, KittiScenes.Names).Easy.AveragePrecision40, Is.Zero);
    }

    [Test]
    public void ObjectOutsideTheClassList_IsAnErrorThatNamesTheImage()
        => Assert.That(
            () => KittiEvaluator.Evaluate([new([], []), new([new TrueBox(Place, 6)], [])], KittiScenes.Names),
            Throws.ArgumentException.With.Message.Contains("Image 1"));

    /// <summary>41 images with one found object each; the first also holds the extra object and the extra detection.</summary>
    private static EvaluationImage[] WithOthersFound(int label, TrueBox? extra, DetectedBox detection)
        => [.. Enumerable.Range(0, 41).Select(i => new EvaluationImage(
            i == 0 && extra is { } other ? [new TrueBox(Place, label), other] : [new TrueBox(Place, label)],
            i == 0 ? [new DetectedBox(Place, label, .9), detection] : [new DetectedBox(Place, label, .9 - i / 100.0)]))];

    private static double FirstPrecision(int label, TrueBox? extra, DetectedBox detection)
        => KittiEvaluator.Evaluate(WithOthersFound(label, extra, detection), KittiScenes.Names)
            .Easy.Classes.Single(c => c.Name == KittiScenes.Names[label]).Curve.Precision[0];

    private static void AssertNeutral(TrueBox extra, DetectedBox detection)
    {
        KittiLevelMetrics easy = KittiEvaluator.Evaluate(WithOthersFound(detection.Label, extra, detection), KittiScenes.Names).Easy;
        KittiClassMetrics measured = easy.Classes.Single(c => c.Name == KittiScenes.Names[detection.Label]);
        Assert.That((measured.Objects, measured.AveragePrecision40, measured.AveragePrecision11), Is.EqualTo((41, 1.0, 1.0)));
        Assert.That(FirstPrecision(detection.Label, null, detection), Is.EqualTo(OneWrong), "without the extra object it is wrong");
    }

    private static double[] Figures(KittiMetrics metrics)
        => [.. new[] { metrics.Easy, metrics.Moderate, metrics.Hard }.SelectMany(level => level.Classes
            .OrderBy(c => c.Name, StringComparer.Ordinal)
            .SelectMany(c => new[] { c.AveragePrecision40, c.AveragePrecision11 }))];
}
