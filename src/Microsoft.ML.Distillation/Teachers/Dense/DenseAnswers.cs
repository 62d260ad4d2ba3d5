using Microsoft.ML.Distillation.Detectors.Boxes;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Rows;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace Microsoft.ML.Distillation.Teachers.Dense;

/// <summary>
/// Answers for boxes and anchors from a teacher's dense predictions, by <see cref="OverlapRule"/>: the way of every teacher that cannot
/// be shown boxes.
/// </summary>
/// <param name="studentClasses">The number of the student's classes.</param>
/// <param name="predictions">What the teacher predicts for each of the N images.</param>
/// <param name="areQualities">See <see cref="BoxScores.AreQualities"/>.</param>
internal sealed class DenseAnswers(
    OverlapRule rule, int studentClasses, StudentPredictions[] predictions, Device device, bool areQualities = true)
{
    /// <inheritdoc cref="ITeacherView.ScoreBoxes"/>
    public BoxScores ScoreBoxes(IReadOnlyList<Tensor> boxes)
    {
        float[][] shares = [.. boxes.Select(TensorArrays.Floats)];
        int rows = shares.Sum(image => image.Length / 4);
        var answers = new AnswerRows(rows, studentClasses + 1);
        var starts = new int[shares.Length];
        for (int i = 1; i < starts.Length; i++) starts[i] = starts[i - 1] + shares[i - 1].Length / 4;
        Parallel.For(0, shares.Length, i => answers.Fill(starts[i], shares[i], predictions[i], rule.Answers(shares[i], predictions[i])));
        if (!rule.TeachesClasses) Array.Clear(answers.Known);
        using var scope = NewDisposeScope();
        return new BoxScores(
            Keep(TensorArrays.Matrix(answers.Probabilities, answers.Columns, device)),
            Keep(TensorArrays.Boxes(answers.Boxes, device).unsqueeze(1)))
        {
            AreQualities = areQualities,
            Known = Keep(tensor(answers.Known, [rows], device: device)),
            KnownBoxes = Keep(tensor(answers.KnownBoxes, [rows], device: device)),
        };
    }

    /// <inheritdoc cref="ITeacherView.ScoreAnchors"/>
    public AnchorScores ScoreAnchors(Tensor anchors)
    {
        float[] shares = TensorArrays.Floats(anchors);
        int count = shares.Length / 4;
        long images = predictions.Length;
        var answers = new AnswerRows(predictions.Length * count, studentClasses + 1);
        Parallel.For(0, predictions.Length, i =>
            answers.Fill(i * count, shares, predictions[i], rule.Answers(shares, predictions[i], bestAnchors: true)));
        if (!rule.TeachesClasses) Array.Clear(answers.Known);
        using var scope = NewDisposeScope();
        return new AnchorScores(
            Keep(tensor(answers.Objectness(), [images, count], device: device)),
            Keep(tensor(answers.Boxes, [images, count, 4], device: device)),
            Keep(tensor(answers.Known, [images, count], device: device)))
        {
            AreQualities = areQualities,
            KnownBoxes = Keep(tensor(answers.KnownBoxes, [images, count], device: device)),
        };
    }

    /// <inheritdoc cref="ITeacherView.ScoreEdges"/>
    public EdgeScores ScoreEdges(IReadOnlyList<Tensor> boxes)
    {
        int rows = (int)boxes.Sum(image => image.shape[0]), row = 0;
        int bins = predictions.Max(image => image.Edges?.Bins ?? 1), step = 4 * bins;
        var (shares, places, known) = (new float[rows * step], new float[rows * step], new bool[rows]);
        for (int n = 0; n < predictions.Length; n++)
        {
            foreach (int answer in rule.Answers(TensorArrays.Floats(boxes[n]), predictions[n]))
            {
                if (answer >= 0 && predictions[n].Edges is { } edges)
                {
                    known[row] = true;
                    edges.Probabilities.AsSpan(answer * step, step).CopyTo(shares.AsSpan(row * step));
                    edges.Places.AsSpan(answer * step, step).CopyTo(places.AsSpan(row * step));
                }

                row++;
            }
        }

        using var scope = NewDisposeScope();
        return new EdgeScores(
            Keep(tensor(shares, [rows, 4, bins], device: device)), Keep(tensor(places, [rows, 4, bins], device: device)),
            Keep(tensor(known, [rows], device: device)));
    }

    private static Tensor Keep(Tensor answer) => answer.MoveToOuterDisposeScope();
}

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

/// <summary>What a teacher predicts for one image, before suppression, in the student's classes.</summary>
/// <param name="Boxes">4N shares of the image.</param>
/// <param name="Probabilities">N·(C+1), background first; each row sums to 1.</param>
/// <param name="Confidences">N scores of each prediction's best class.</param>
internal sealed record StudentPredictions(float[] Boxes, float[] Probabilities, float[] Confidences)
{
    /// <summary>The number of predictions.</summary>
    public int Count => Confidences.Length;

    /// <summary>The distributions of the boxes' sides; <see langword="null"/> where the detector has none.</summary>
    public EdgeBins? Edges { get; init; }

    /// <summary>The probabilities of a prediction, background first.</summary>
    public ReadOnlySpan<float> ProbabilitiesOf(int prediction)
    {
        int columns = Probabilities.Length / Count;
        return Probabilities.AsSpan(prediction * columns, columns);
    }

    /// <summary>The box of a prediction.</summary>
    public ReadOnlySpan<float> BoxOf(int prediction) => Boxes.AsSpan(4 * prediction, 4);

    /// <summary>The detections that a detector with these predictions would report, in the student's classes.</summary>
    /// <inheritdoc cref="Suppression.Detect"/>
    public Detections Suppress(float threshold = Suppression.Threshold, bool agnostic = false)
    {
        // Without the first column, which is background.
        float[] objects = [.. Enumerable.Range(0, Count).SelectMany(i => ProbabilitiesOf(i)[1..].ToArray())];
        return Suppression.Detect(new DensePredictions(Boxes, objects, Confidences), threshold, agnostic);
    }
}
