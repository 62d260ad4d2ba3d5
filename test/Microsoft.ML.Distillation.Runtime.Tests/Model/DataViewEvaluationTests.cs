using Microsoft.ML.Distillation.Model;

namespace Microsoft.ML.Distillation.Tests.Model;

public class DataViewEvaluationTests
{
    private static readonly MLContext Context = new(seed: 1);

    private sealed class Row
    {
        public string[] Label { get; set; } = [];

        public float[] BoundingBoxes { get; set; } = [];

        public string[] PredictedLabel { get; set; } = [];

        public float[] Score { get; set; } = [];

        public float[] PredictedBoundingBoxes { get; set; } = [];
    }

    private static readonly Row[] Rows =
    [
        new()
        {
            Label = ["cat", "dog"], BoundingBoxes = [0, 0, 10, 10, 20, 20, 60, 60],
            PredictedLabel = ["dog", "cat"], Score = [.9f, .8f], PredictedBoundingBoxes = [20, 20, 60, 60, 0, 0, 10, 10],
        },
        new() { PredictedLabel = ["bird"], Score = [.3f], PredictedBoundingBoxes = [0, 0, 5, 5] },
        new() { Label = ["emu"], BoundingBoxes = [5, 5, 9, 9] },
    ];

    [Test]
    public void ClassesAndImagesThatOneSideLacks_AreCounted_NotThrown()
    {
        DetectionMetrics metrics = DataViewEvaluation.Evaluate(Context.Data.LoadFromEnumerable(Rows));
        Assert.That(metrics.Images, Is.EqualTo(3));
        Assert.That(metrics.AveragePrecision, Is.EqualTo(2.0 / 3).Within(1e-12), "cat and dog found, emu missed, bird nowhere to be found");
        Assert.That(Named(metrics, "bird").AveragePrecision, Is.NaN);
        Assert.That(Named(metrics, "bird").Detections, Is.EqualTo(1));
        Assert.That(Named(metrics, "emu").AveragePrecision50, Is.Zero);
        Assert.That(Named(metrics, "dog").Voc07, Is.EqualTo(1).Within(1e-12));
        Assert.That(metrics.Voc12.MeanAveragePrecision, Is.EqualTo(2.0 / 3).Within(1e-12));
    }

    [Test]
    public void InclusiveVocPixels_CanBeTurnedOff_AndConcernVocAlone()
    {
        // 10 of 20 columns by VOC's rule, 9 of 19 without it.
        IDataView data = Context.Data.LoadFromEnumerable([new Row
        {
            Label = ["cat"], BoundingBoxes = [0, 0, 19, 9], PredictedLabel = ["cat"], Score = [1], PredictedBoundingBoxes = [0, 0, 9, 9],
        }]);
        DetectionMetrics inclusive = Context.EvaluateDetections(data),
        exclusive = Context.EvaluateDetections(data, inclusiveVocPixels: false);
        Assert.That((inclusive.Voc07.MeanAveragePrecision, inclusive.Voc12.MeanAveragePrecision), Is.EqualTo((1.0, 1.0)));
        Assert.That((exclusive.Voc07.MeanAveragePrecision, exclusive.Voc12.MeanAveragePrecision), Is.EqualTo((0.0, 0.0)));
        Assert.That((inclusive.AveragePrecision50, exclusive.AveragePrecision50), Is.EqualTo((0.0, 0.0)));
    }

    [Test]
    public void KeysOfDifferentOrders_AreMatchedByName()
    {
        IDataView data = Context.Data.LoadFromEnumerable(Rows);
        IDataView keys = Context.Transforms.Conversion.MapValueToKey("Label")
            .Append(Context.Transforms.Conversion.MapValueToKey("PredictedLabel"))
            .Fit(data).Transform(data);
        DetectionMetrics metrics = DataViewEvaluation.Evaluate(keys);
        Assert.That(metrics.AveragePrecision, Is.EqualTo(2.0 / 3).Within(1e-12));
        Assert.That(metrics.Classes.Select(c => c.Name), Is.EquivalentTo(new[] { "cat", "dog", "emu", "bird" }));
    }

    [Test]
    public void ObjectsOfAClassThatTheKeysDoNotKnow_CountAsMissed()
    {
        IDataView known = Context.Data.LoadFromEnumerable(Rows[..1]), all = Context.Data.LoadFromEnumerable(Rows);
        IDataView keys = Context.Transforms.Conversion.MapValueToKey("Label").Fit(known).Transform(all);
        DetectionMetrics metrics = DataViewEvaluation.Evaluate(keys);
        Assert.That(Named(metrics, "(unknown)").AveragePrecision, Is.Zero);
        Assert.That(metrics.AveragePrecision, Is.EqualTo(2.0 / 3).Within(1e-12));
    }

    [Test]
    public void MissingColumn_IsNamed()
        => Assert.That(
            () => DataViewEvaluation.Evaluate(Context.Data.LoadFromEnumerable(Rows), scoreColumn: "Confidence"),
            Throws.ArgumentException.With.Message.Contains("'Confidence'"));

    [Test]
    public void ColumnOfAnotherType_IsNamed_WithTheTypeWanted()
        => Assert.That(
            () => DataViewEvaluation.Evaluate(Context.Data.LoadFromEnumerable(Rows), labelColumn: "Score"),
            Throws.ArgumentException.With.Message.Contains("'Score'").And.Message.Contains("keys"));

    [Test]
    public void UnequalNumbersOfBoxesAndLabels_NameTheRow()
    {
        Row[] rows = [Rows[0], new() { Label = ["cat"], BoundingBoxes = [0, 0, 1] }];
        Assert.That(
            () => DataViewEvaluation.Evaluate(Context.Data.LoadFromEnumerable(rows)),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("Row 1").And.Message.Contains("'BoundingBoxes'"));
    }

    private static DetectionClassMetrics Named(DetectionMetrics metrics, string name) => metrics.Classes.Single(c => c.Name == name);

    private sealed class MarkedRow
    {
        public string[] Label { get; set; } = [];

        public float[] BoundingBoxes { get; set; } = [];

        public bool[] Difficult { get; set; } = [];

        public bool[] Crowd { get; set; } = [];

        public bool[] Ignore { get; set; } = [];

        public float[] Truncated { get; set; } = [];

        public int[] Occluded { get; set; } = [];

        public float[] Area { get; set; } = [];

        public string[] PredictedLabel { get; set; } = [];

        public float[] Score { get; set; } = [];

        public float[] PredictedBoundingBoxes { get; set; } = [];
    }

    /// <summary>
    /// Four cars and a region without a class. Found is only the first. The second is difficult, the third a group, the fourth
    /// largely hidden; a detection in the region, and one that meets nothing, are left.
    /// </summary>
    private static MarkedRow Marked() => new()
    {
        Label = ["Car", "Car", "Car", "Car", ""],
        BoundingBoxes = [0, 0, 50, 50, 100, 0, 150, 50, 200, 0, 300, 50, 400, 0, 450, 50, 500, 0, 600, 100],
        Difficult = [false, true, false, false, false],
        Crowd = [false, false, true, false, false],
        Ignore = [false, false, false, false, true],
        Truncated = [0, 0, 0, 0, 0],
        Occluded = [0, 0, 0, 2, 0],
        Area = [2500, 2500, 5000, 400, 10000],
        PredictedLabel = ["Car", "Car"],
        Score = [.9f, .8f],
        PredictedBoundingBoxes = [0, 0, 50, 50, 510, 10, 560, 60],
    };

    [Test]
    public void DifficultCrowdAndIgnore_NeedNotBeFound_AndExcuse()
    {
        DetectionMetrics metrics = DataViewEvaluation.Evaluate(Context.Data.LoadFromEnumerable([Marked()]));
        Assert.That(metrics.Classes.Select(c => c.Name), Is.EqualTo(new[] { "Car" }), "a region without a class names none");
        Assert.That(metrics.Voc12.MeanAveragePrecision, Is.EqualTo(.5).Within(1e-12),
            "of the first and the fourth the first is found, and nothing is wrong");
        Assert.That(metrics.Ilsvrc.MeanAveragePrecision, Is.EqualTo(.5).Within(1e-12));
        Assert.That(metrics.Errors.Background.Count, Is.Zero);
        Assert.That(metrics.Errors.Missed.Count, Is.EqualTo(1));
    }

    [Test]
    public void Occluded_DecidesKittisDifficulty_AndAreaCocosRange()
    {
        DetectionMetrics metrics = DataViewEvaluation.Evaluate(Context.Data.LoadFromEnumerable([Marked()]));
        Assert.That(metrics.Kitti!.Easy.Classes.Single().Objects, Is.EqualTo(1));
        Assert.That(metrics.Kitti.Hard.Classes.Single().Objects, Is.EqualTo(2), "largely hidden counts as hard");
        Assert.That(metrics.Coco.AveragePrecisionSmall, Is.Zero, "the fourth is small by its own area, and missed");
        Assert.That(metrics.Coco.AveragePrecisionMedium, Is.EqualTo(1).Within(1e-12));
    }

    [Test]
    public void KeysKeepTheRegionWithoutAClass()
    {
        IDataView data = Context.Data.LoadFromEnumerable([Marked()]);
        IDataView keys = Context.Transforms.Conversion.MapValueToKey("Label").Fit(data).Transform(data);
        DetectionMetrics metrics = DataViewEvaluation.Evaluate(keys);
        Assert.That(metrics.Voc12.MeanAveragePrecision, Is.EqualTo(.5).Within(1e-12));
        Assert.That(metrics.Errors.Background.Count, Is.Zero);
    }

    [Test]
    public void MarksOfAnotherLength_AreAnErrorThatNamesThem()
    {
        MarkedRow row = Marked();
        row.Difficult = [true];
        Assert.That(() => DataViewEvaluation.Evaluate(Context.Data.LoadFromEnumerable([row])),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("Row 0").And.Message.Contains("'Difficult'"));
    }
}
