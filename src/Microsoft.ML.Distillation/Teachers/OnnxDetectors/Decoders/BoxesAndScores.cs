namespace Microsoft.ML.Distillation.Teachers.OnnxDetectors.Decoders;

/// <summary>Two outputs of equal length, one of boxes and one of class scores.</summary>
internal static class BoxesAndScores
{
    /// <summary>Finds the pair; <see langword="null"/> where there is none.</summary>
    /// <param name="background">The number of columns that scores may have beside the classes'.</param>
    public static (OnnxOutput Boxes, OnnxOutput Scores)? Find(IReadOnlyList<OnnxOutput> outputs, DecoderContext context, int background)
    {
        foreach (OnnxOutput boxes in outputs.Where(IsBoxes).OrderByDescending(output => HasName(output, "BOX")))
        {
            OnnxOutput? scores = outputs.FirstOrDefault(output => output != boxes && output.Shape.Count == 2 && !output.IsInteger
                && output.Shape[0] == boxes.Shape[0] && (output.Shape[1] == context.Classes || output.Shape[1] == context.Classes + background));
            if (scores is not null) return (boxes, scores);
        }

        return null;
    }

    private static bool IsBoxes(OnnxOutput output) => output.Shape.Count == 2 && output.Shape[1] == 4 && !output.IsInteger;

    private static bool HasName(OnnxOutput output, string part) => output.Name.Contains(part, StringComparison.OrdinalIgnoreCase);
}
