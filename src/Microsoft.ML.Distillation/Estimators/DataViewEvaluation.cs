using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Evaluation;

namespace Microsoft.ML.Distillation.Estimators;

/// <summary>Measures a data view that holds ground truth and predictions side by side.</summary>
internal static class DataViewEvaluation
{
    /// <summary>
    /// Measures the predictions in a data view. Classes are matched by name, so either label column may hold keys with
    /// names or text, and either side may know classes that the other does not.
    /// </summary>
    /// <exception cref="ArgumentException">A column is missing or of another type, or a row has unequal numbers of boxes and labels.</exception>
    public static DetectionMetrics Evaluate(
        IDataView data,
        string labelColumn = "Label",
        string boundingBoxColumn = "BoundingBoxes",
        string predictedLabelColumn = "PredictedLabel",
        string scoreColumn = "Score",
        string predictedBoundingBoxColumn = "PredictedBoundingBoxes")
    {
        DataViewSchema.Column labels = LabelReader.Column(data.Schema, labelColumn);
        DataViewSchema.Column boxes = FloatColumn(data.Schema, boundingBoxColumn);
        DataViewSchema.Column predictedLabels = LabelReader.Column(data.Schema, predictedLabelColumn);
        DataViewSchema.Column scores = FloatColumn(data.Schema, scoreColumn);
        DataViewSchema.Column predictedBoxes = FloatColumn(data.Schema, predictedBoundingBoxColumn);

        var classes = new ClassIndex();
        var images = new List<EvaluationImage>();
        using DataViewRowCursor cursor = data.GetRowCursor([labels, boxes, predictedLabels, scores, predictedBoxes]);
        var truthReader = new LabelReader(cursor, labels, classes);
        var predictedReader = new LabelReader(cursor, predictedLabels, classes);
        ValueGetter<VBuffer<float>> getBoxes = cursor.GetGetter<VBuffer<float>>(boxes);
        ValueGetter<VBuffer<float>> getScores = cursor.GetGetter<VBuffer<float>>(scores);
        ValueGetter<VBuffer<float>> getPredictedBoxes = cursor.GetGetter<VBuffer<float>>(predictedBoxes);
        VBuffer<float> buffer = default;
        while (cursor.MoveNext())
        {
            int[] truthLabels = truthReader.Read();
            float[] truthBoxes = Read(getBoxes, ref buffer);
            int[] foundLabels = predictedReader.Read();
            float[] foundScores = Read(getScores, ref buffer);
            float[] foundBoxes = Read(getPredictedBoxes, ref buffer);
            CheckCount(cursor.Position, truthBoxes.Length, 4 * truthLabels.Length, boundingBoxColumn, labelColumn);
            CheckCount(cursor.Position, foundScores.Length, foundLabels.Length, scoreColumn, predictedLabelColumn);
            CheckCount(cursor.Position, foundBoxes.Length, 4 * foundLabels.Length, predictedBoundingBoxColumn, predictedLabelColumn);
            images.Add(new EvaluationImage(
                [.. truthLabels.Select((label, i) => new TrueBox(BoxAt(truthBoxes, i), label))],
                [.. foundLabels.Select((label, i) => new DetectedBox(BoxAt(foundBoxes, i), label, foundScores[i]))]));
        }

        return DetectionEvaluator.Evaluate(images, classes.Names);
    }

    private static Box BoxAt(float[] values, int index)
        => new(values[4 * index], values[4 * index + 1], values[4 * index + 2], values[4 * index + 3]);

    private static float[] Read(ValueGetter<VBuffer<float>> getter, ref VBuffer<float> buffer)
    {
        getter(ref buffer);
        return [.. buffer.DenseValues()];
    }

    private static void CheckCount(long row, int count, int wanted, string column, string labelColumn)
    {
        if (count != wanted)
        {
            throw new ArgumentException(
                $"Row {row}: the column '{column}' has {count} values where the labels of '{labelColumn}' ask for {wanted}.");
        }
    }

    private static DataViewSchema.Column FloatColumn(DataViewSchema schema, string name)
        => schema.GetColumnOrNull(name) is not { } column
            ? throw new ArgumentException($"The data have no column '{name}'.")
            : column.Type is VectorDataViewType { ItemType: NumberDataViewType { RawType: var raw } } && raw == typeof(float)
                ? column
                : throw new ArgumentException($"The column '{name}' is a {column.Type}; a vector of Single is wanted.");
}
