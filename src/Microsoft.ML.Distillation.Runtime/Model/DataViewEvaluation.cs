using Microsoft.ML.Distillation.Evaluation;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Model;

/// <summary>Measures a data view that holds ground truth and predictions side by side.</summary>
internal static class DataViewEvaluation
{
    /// <summary>
    /// Measures the predictions in a data view. Classes are matched by name, so either label column may hold keys with
    /// names or text, and either side may know classes that the other does not. What the data say of the objects beside that
    /// (<see cref="RowColumns.AllDetails"/>) counts as each metric's rules have it.
    /// </summary>
    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    /// <exception cref="InvalidDataException">A row has unequal numbers of boxes and labels; the message names row and column.</exception>
    public static DetectionMetrics Evaluate(
        IDataView data,
        string labelColumn = "Label",
        string boundingBoxColumn = "BoundingBoxes",
        string predictedLabelColumn = "PredictedLabel",
        string scoreColumn = "Score",
        string predictedBoundingBoxColumn = "PredictedBoundingBoxes",
        bool inclusivePixels = true)
    {
        using var rows = new RowReader(data, new RowColumns
        {
            Label = labelColumn,
            BoundingBoxes = boundingBoxColumn,
            Details = RowColumns.AllDetails,
            PredictedLabel = predictedLabelColumn,
            Score = scoreColumn,
            PredictedBoundingBoxes = predictedBoundingBoxColumn,
        });
        var classes = new ClassIndex();
        rows.AddKnownClasses(classes);
        var images = new List<EvaluationImage>();
        while (rows.MoveNext()) images.Add(new EvaluationImage(rows.ReadObjects().ToTruth(classes), rows.ReadDetections(classes)));
        return DetectionEvaluator.Evaluate(images, classes.Names, inclusivePixels);
    }
}
