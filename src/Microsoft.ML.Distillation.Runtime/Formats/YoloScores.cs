using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Formats;

/// <summary>
/// How sure a detector was of the labels that it made, beside them: of <c>labels/SPLIT/x.txt</c> in <c>scores/SPLIT/x.txt</c>, a line an
/// object, as YOLO's tools write predictions: <c>class x y width height score</c>. In the file of labels itself a sixth column is an error
/// to many tools. A score belongs to the box that stands beside it: one that was moved, added or given another class since has none.
/// </summary>
internal static class YoloScores
{
    private const string Labels = "labels", Scores = "scores";
    private const int Columns = 6;

    // Of the image's sides: what tools that write few decimals round to.
    private const double Rounding = 1e-5;

    /// <summary>The name of the file of scores of a file of labels; <see langword="null"/> where it lies in no folder of labels.</summary>
    public static string? FileOf(string labels)
    {
        string[] parts = labels.Split(Path.DirectorySeparatorChar);
        int at = Array.LastIndexOf(parts, Labels, Math.Max(0, parts.Length - 2));
        if (at < 0 || parts.Length < 2) return null;
        parts[at] = Scores;
        return string.Join(Path.DirectorySeparatorChar, parts);
    }

    /// <summary>Gives objects the scores that stand beside their labels; what is no line of a score is passed over.</summary>
    public static void ReadFor(List<AnnotatedObject> objects, string labels, YoloNames names, ImageSize size)
    {
        if (objects.Count == 0 || FileOf(labels) is not { } path || !File.Exists(path)) return;
        foreach (string line in File.ReadLines(path))
        {
            string[] columns = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (columns.Length != Columns || !NumberText.TryParse(columns[0], out int index)) continue;
            var numbers = new double[Columns - 1];
            if (!numbers.Select((_, i) => NumberText.TryParse(columns[i + 1], out numbers[i])).All(isNumber => isNumber)) continue;
            AnnotatedObject box = YoloLabels.Box(numbers, size);
            int found = objects.FindIndex(item => item.Score is null && item.Label == names[index] && IsSame(item, box, size));
            if (found >= 0) objects[found] = objects[found] with { Score = (float)numbers[^1] };
        }
    }

    private static bool IsSame(AnnotatedObject a, AnnotatedObject b, ImageSize size)
        => Math.Max(Math.Abs(a.X0 - b.X0), Math.Abs(a.X1 - b.X1)) <= Rounding * size.Width
            && Math.Max(Math.Abs(a.Y0 - b.Y0), Math.Abs(a.Y1 - b.Y1)) <= Rounding * size.Height;
}
