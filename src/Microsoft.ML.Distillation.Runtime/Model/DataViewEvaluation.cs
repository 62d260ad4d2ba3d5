using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Evaluation;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Model;

/// <summary>Measures a data view that holds ground truth and predictions side by side.</summary>
internal static class DataViewEvaluation
{
    /// <summary>
    /// Measures the predictions in a data view. Classes are matched by name, so either label column may hold keys with
    /// names or text, and either side may know classes that the other does not. What the data say of the objects beside that
    /// (<see cref="TruthColumns"/>) counts as each metric's rules have it.
    /// </summary>
    /// <exception cref="ArgumentException">A column is missing or of another type, or a row has unequal numbers of boxes and labels.</exception>
    public static DetectionMetrics Evaluate(
        IDataView data,
        string labelColumn = "Label",
        string boundingBoxColumn = "BoundingBoxes",
        string predictedLabelColumn = "PredictedLabel",
        string scoreColumn = "Score",
        string predictedBoundingBoxColumn = "PredictedBoundingBoxes",
        bool inclusivePixels = true)
    {
        var truthColumns = TruthColumns.Find(data.Schema, labelColumn, boundingBoxColumn);
        DataViewSchema.Column predictedLabels = LabelReader.Column(data.Schema, predictedLabelColumn);
        DataViewSchema.Column scores = TruthColumns.FloatColumn(data.Schema, scoreColumn);
        DataViewSchema.Column predictedBoxes = TruthColumns.FloatColumn(data.Schema, predictedBoundingBoxColumn);

        var classes = new ClassIndex();
        var images = new List<EvaluationImage>();
        using DataViewRowCursor cursor = data.GetRowCursor([.. truthColumns.All, predictedLabels, scores, predictedBoxes]);
        var truthReader = new TruthReader(cursor, truthColumns, classes);
        var predictedReader = new LabelReader(cursor, predictedLabels, classes);
        ValueGetter<VBuffer<float>> getScores = cursor.GetGetter<VBuffer<float>>(scores);
        ValueGetter<VBuffer<float>> getPredictedBoxes = cursor.GetGetter<VBuffer<float>>(predictedBoxes);
        VBuffer<float> buffer = default;
        while (cursor.MoveNext())
        {
            TrueBox[] truth = truthReader.Read(cursor.Position);
            int[] foundLabels = predictedReader.Read();
            float[] foundScores = Read(getScores, ref buffer);
            float[] foundBoxes = Read(getPredictedBoxes, ref buffer);
            TruthReader.CheckCount(cursor.Position, foundScores.Length, foundLabels.Length, scoreColumn, predictedLabelColumn);
            TruthReader.CheckCount(cursor.Position, foundBoxes.Length, 4 * foundLabels.Length, predictedBoundingBoxColumn, predictedLabelColumn);
            images.Add(new EvaluationImage(truth, [.. foundLabels.Select((label, i) => new DetectedBox(BoxAt(foundBoxes, i), label, foundScores[i]))]));
        }

        return DetectionEvaluator.Evaluate(images, classes.Names, inclusivePixels);
    }

    private static Box BoxAt(float[] values, int index)
        => new(values[4 * index], values[4 * index + 1], values[4 * index + 2], values[4 * index + 3]);

    private static float[] Read(ValueGetter<VBuffer<float>> getter, ref VBuffer<float> buffer)
    {
        getter(ref buffer);
        return [.. buffer.DenseValues()];
    }
}
