namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors;

/// <summary>The answers for R boxes, as they become tensors.</summary>
internal sealed class AnswerRows(int rows, int columns)
{
    /// <summary>C + 1.</summary>
    public int Columns => columns;

    /// <summary>[R,C+1]; where there is no opinion, background.</summary>
    public float[] Probabilities { get; } = new float[rows * columns];

    /// <summary>[R,4]: the teacher's box, or where it has none the box that was asked about.</summary>
    public float[] Boxes { get; } = new float[4 * rows];

    /// <summary>[R]: whether there is an opinion.</summary>
    public bool[] Known { get; } = new bool[rows];

    /// <summary>[R]: whether the teacher has a box of its own there.</summary>
    public bool[] KnownBoxes { get; } = new bool[rows];

    /// <summary>Writes the answers for one image's boxes.</summary>
    /// <param name="start">Their first row.</param>
    /// <param name="asked">The boxes, 4 shares each.</param>
    /// <param name="answers">For each the prediction that answers, as <see cref="OverlapRule"/> finds it.</param>
    public void Fill(int start, float[] asked, StudentPredictions predictions, int[] answers)
    {
        asked.CopyTo(Boxes, 4 * start);
        for (int i = 0; i < answers.Length; i++)
        {
            int row = start + i, answer = answers[i];
            Known[row] = answer != OverlapRule.NoOpinion;
            if (answer < 0)
            {
                Probabilities[row * columns] = 1;
                continue;
            }

            KnownBoxes[row] = true;
            predictions.ProbabilitiesOf(answer).CopyTo(Probabilities.AsSpan(row * columns));
            predictions.BoxOf(answer).CopyTo(Boxes.AsSpan(4 * row));
        }
    }

    /// <summary>[R]: the probability of any object.</summary>
    public float[] Objectness()
    {
        var objectness = new float[rows];
        for (int i = 0; i < rows; i++) objectness[i] = 1 - Probabilities[i * columns];
        return objectness;
    }
}
