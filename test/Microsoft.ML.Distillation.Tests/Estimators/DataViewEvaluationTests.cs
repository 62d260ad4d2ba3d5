using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Estimators;

namespace Microsoft.ML.Distillation.Tests.Estimators;

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
            Throws.ArgumentException.With.Message.Contains("Row 1").And.Message.Contains("'BoundingBoxes'"));
    }

    private static DetectionClassMetrics Named(DetectionMetrics metrics, string name) => metrics.Classes.Single(c => c.Name == name);
}
