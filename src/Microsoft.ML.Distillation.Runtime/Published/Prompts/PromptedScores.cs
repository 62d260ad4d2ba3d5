
namespace Microsoft.ML.Distillation.Published.Prompts;

/// <summary>How the boxes of a graph that is told in words are written.</summary>
internal enum PromptedBoxes
{
    /// <summary>Centre, width and height as shares of what the graph takes for the picture.</summary>
    CentreShares,

    /// <summary>The same in pixels of the input.</summary>
    CentrePixels,

    /// <summary>x0 y0 x1 y1 in pixels of the input.</summary>
    CornerPixels,

    /// <summary>x0 y0 x1 y1 as shares of the input.</summary>
    CornerShares,
}

/// <summary>Which outputs of a graph that is told in words are boxes and scores, found out from one answer.</summary>
/// <param name="Boxes">The output of the boxes.</param>
/// <param name="Scores">The output of the scores; that of the boxes where both are one.</param>
/// <param name="IsColumns">Whether both are one, [4 + N, Q].</param>
/// <param name="HasSigmoid">Whether scores are logits.</param>
internal sealed record PromptedOutputs(string Boxes, string Scores, bool IsColumns, bool HasSigmoid, PromptedBoxes Form)
{
    // −∞, or what stands for it, also in half precision.
    private const float NoScore = -10_000;

    // Shares of an input reach a little beyond it.
    private const float LargestShare = 2;

    /// <summary>Finds them.</summary>
    /// <param name="outputs">The outputs, with the batch's axis.</param>
    /// <param name="pass">What the graph was told.</param>
    /// <param name="exact">Whether scores have as many columns as phrases, and no more.</param>
    /// <exception cref="FormatException">They are of no known layout.</exception>
    public static PromptedOutputs Of(
        IReadOnlyList<OnnxOutput> outputs, TextPass pass, bool exact, OnnxDetectorFormat format, ScoreActivation activation, string source)
    {
        OnnxOutput[] tables = [.. outputs.Where(output => !output.IsInteger && TableOf(output) is not null)];
        OnnxOutput[] boxes = [.. tables.Where(table => TableOf(table)!.Value.Columns == 4)];
        // Of four phrases scores have a box's shape; but they go below 0, or at least not as far as pixels.
        foreach (OnnxOutput box in boxes
            .OrderByDescending(table => format == OnnxDetectorFormat.YoloWorld ? Largest(table) > LargestShare : LookLikeBoxes(table))
            .ThenByDescending(table => Has(table, "box")).ThenByDescending(Largest))
        {
            int rows = TableOf(box)!.Value.Rows;
            OnnxOutput? scores = tables.Where(table => table != box && TableOf(table)!.Value.Rows == rows
                    && Fits(TableOf(table)!.Value.Columns))
                .OrderByDescending(table => IsEmptyFrom(table, pass.Columns)).ThenBy(table => Has(table, "box"))
                .ThenByDescending(IsNamedScores).FirstOrDefault();
            if (scores is null) continue;
            PromptedBoxes form = format == OnnxDetectorFormat.YoloWorld ? FormOf(box.Values.Span) : PromptedBoxes.CentreShares;
            return new PromptedOutputs(box.Name, scores.Name, false, IsLogits(scores, format, activation), form);
        }

        foreach (OnnxOutput joined in format == OnnxDetectorFormat.YoloWorld ? tables : [])
        {
            (int rows, int columns) = TableOf(joined)!.Value;
            bool isColumns = Fits(rows - 4) && (columns > rows || !Fits(columns - 4));
            if (isColumns || Fits(columns - 4))
                return new PromptedOutputs(joined.Name, joined.Name, isColumns, activation == ScoreActivation.Sigmoid,
                    PromptedBoxes.CentrePixels);
        }

        string expected = exact ? $"boxes [1, Q, 4] and scores [1, Q, {pass.Columns}]"
            : $"boxes [1, Q, 4] and scores of at least {pass.Columns} tokens, [1, Q, T]";
        throw new FormatException($"The detector '{source}' takes what {format} takes, and gives "
            + $"{string.Join(", ", outputs)}: not {expected}"
            + (format == OnnxDetectorFormat.YoloWorld ? $", nor one output [1, {pass.Columns + 4}, Q]." : "."));

        // Of what is told beside the phrases some graphs give no score.
        bool Fits(int columns) => exact ? columns == pass.Columns || columns == pass.Phrases.Count : columns >= pass.Columns;
    }

    /// <summary>Reads one pass.</summary>
    /// <param name="frame">Where in the input the picture lies.</param>
    /// <param name="unpadded">Whether shares are those of the picture, not of the input.</param>
    /// <param name="phrases">The number of all phrases.</param>
    /// <returns>The boxes, x0 y0 x1 y1 in pixels of the input, and for each of them the scores of all phrases.</returns>
    public (float[] Boxes, float[] Scores) Read(
        IReadOnlyList<OnnxOutput> outputs, TextPass pass, PhraseScore phraseScore, InputFrame frame, bool unpadded, int phrases)
    {
        OnnxOutput boxes = outputs.First(output => output.Name == Boxes), scores = outputs.First(output => output.Name == Scores);
        bool isJoined = Boxes == Scores;
        int rows = IsColumns ? TableOf(boxes)!.Value.Columns : TableOf(boxes)!.Value.Rows;
        int columns = IsColumns ? TableOf(boxes)!.Value.Rows : TableOf(scores)!.Value.Columns;
        ReadOnlySpan<float> boxValues = boxes.Values.Span, scoreValues = scores.Values.Span;
        (float[] corners, float[] of) = (new float[4 * rows], new float[phrases * rows]);
        int firstScore = isJoined ? 4 : 0, boxColumns = isJoined ? columns : 4;
        Span<float> box = stackalloc float[4];
        for (int i = 0; i < rows; i++)
        {
            for (int side = 0; side < 4; side++) box[side] = IsColumns ? boxValues[side * rows + i] : boxValues[i * boxColumns + side];
            Corners(box, frame, unpadded, corners.AsSpan(4 * i, 4));
            foreach ((int phrase, int[] own) in pass.Phrases)
            {
                float best = 0, sum = 0;
                foreach (int column in own)
                {
                    int at = firstScore + column;
                    float score = Score(IsColumns ? scoreValues[at * rows + i] : scoreValues[i * columns + at]);
                    (best, sum) = (Math.Max(best, score), sum + score);
                }

                of[i * phrases + phrase] = phraseScore == PhraseScore.Mean ? sum / own.Length : best;
            }
        }

        return (corners, of);
    }

    private float Score(float value) => float.IsNaN(value) ? 0 : HasSigmoid ? 1 / (1 + MathF.Exp(-value)) : value;

    private void Corners(ReadOnlySpan<float> box, InputFrame frame, bool unpadded, Span<float> corners)
    {
        bool isShare = Form is PromptedBoxes.CentreShares or PromptedBoxes.CornerShares;
        (float x, float y) = isShare && unpadded ? (frame.X, frame.Y) : (0, 0);
        (float width, float height) = !isShare ? (1, 1)
            : unpadded ? (frame.Width, frame.Height) : (frame.Input.Width, frame.Input.Height);
        bool isCentred = Form is PromptedBoxes.CentreShares or PromptedBoxes.CentrePixels;
        corners[0] = x + width * (isCentred ? box[0] - box[2] / 2 : box[0]);
        corners[1] = y + height * (isCentred ? box[1] - box[3] / 2 : box[1]);
        corners[2] = x + width * (isCentred ? box[0] + box[2] / 2 : box[2]);
        corners[3] = y + height * (isCentred ? box[1] + box[3] / 2 : box[3]);
    }

    private static (int Rows, int Columns)? TableOf(OnnxOutput output)
        => output.Shape.Count is 2 or 3 && (output.Shape.Count == 2 || output.Shape[0] == 1) ? (output.Shape[^2], output.Shape[^1]) : null;

    private static bool Has(OnnxOutput output, string part) => output.Name.Contains(part, StringComparison.OrdinalIgnoreCase);

    // The score of an object of any kind is none of a phrase.
    private static bool IsNamedScores(OnnxOutput output) => !Has(output, "objectness")
        && (Has(output, "logit") || Has(output, "score") || Has(output, "conf") || Has(output, "cls"));

    /// <summary>Whether columns past those that are told are −∞, as those of scores are, and not of features.</summary>
    private static bool IsEmptyFrom(OnnxOutput output, int told)
    {
        int columns = TableOf(output)!.Value.Columns;
        ReadOnlySpan<float> values = output.Values.Span;
        for (int i = 0; i < values.Length; i++)
        {
            if (i % columns >= told && values[i] > NoScore) return false;
        }

        return true;
    }

    private static float Largest(OnnxOutput output)
    {
        float largest = 0;
        foreach (float value in output.Values.Span) largest = Math.Max(largest, float.IsNaN(value) ? 0 : value);
        return largest;
    }

    private static bool LookLikeBoxes(OnnxOutput output)
    {
        foreach (float value in output.Values.Span)
        {
            if (!(value >= -0.5f)) return false;
        }

        return true;
    }

    /// <summary>Logits, unless all that is there is a probability and nothing calls it otherwise.</summary>
    private static bool IsLogits(OnnxOutput scores, OnnxDetectorFormat format, ScoreActivation activation)
    {
        if (activation != ScoreActivation.Auto) return activation == ScoreActivation.Sigmoid;
        if (format != OnnxDetectorFormat.YoloWorld && Has(scores, "logit")) return true;
        foreach (float score in scores.Values.Span)
        {
            if (score is < 0 or > 1) return true;
        }

        return false;
    }

    private static PromptedBoxes FormOf(ReadOnlySpan<float> boxes)
    {
        (int turned, bool isPixels) = (0, false);
        for (int at = 0; at < boxes.Length; at += 4)
        {
            if (boxes[at + 2] < boxes[at] || boxes[at + 3] < boxes[at + 1]) turned++;
            for (int side = 0; side < 4; side++) isPixels |= boxes[at + side] > LargestShare;
        }

        // Of corners the second lies behind the first; of centres and sizes that is so in the upper left alone.
        bool isCentred = turned > boxes.Length / 16;
        return isPixels ? isCentred ? PromptedBoxes.CentrePixels : PromptedBoxes.CornerPixels
            : isCentred ? PromptedBoxes.CentreShares : PromptedBoxes.CornerShares;
    }
}
