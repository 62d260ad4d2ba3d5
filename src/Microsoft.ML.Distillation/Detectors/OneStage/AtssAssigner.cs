using Microsoft.ML.Distillation.Boxes;

namespace Microsoft.ML.Distillation.Detectors;

// 1. Of each map the k = 9 locations nearest to the object's centre are its candidates.
// 2. Each stands for a square of 5 strides around it; u is that square's IoU with the object. The object takes the candidates inside
//    it whose u is at least mean + standard deviation of all its candidates' u; if there is none, the candidate of the highest u.
// 3. A location that several objects want goes to the one of the highest u.
// The target score is the IoU of the box that the location predicts with the object (Li et al., Generalized Focal Loss, 2020).
//
// Zhang et al., Bridging the Gap Between Anchor-based and Anchor-free Detection via Adaptive Training Sample Selection (CVPR 2020),
// algorithm 1, with squares of 5 strides in place of 8, which suit the small inputs of small detectors.

/// <summary>Gives objects to locations by their place and size alone; the rule stands at the top of the file.</summary>
internal sealed class AtssAssigner(PointGrid grid, int candidates = 9, float side = 5) : IPointAssigner
{
    private readonly float[] _squares = [.. Enumerable.Range(0, grid.Count).SelectMany(i =>
    {
        float half = side / 2 * grid.Strides[i];
        return (float[])[grid.X[i] - half, grid.Y[i] - half, grid.X[i] + half, grid.Y[i] + half];
    })];

    public AssignedPoints Assign(ReadOnlySpan<float> scores, ReadOnlySpan<float> boxes, float[] objects, int[] labels)
    {
        int[] owner = new int[grid.Count];
        var overlap = new float[grid.Count];
        Array.Fill(owner, AssignedPoints.Background);
        BoxColumns columns = BoxColumns.FromRows(_squares);
        var iou = new float[grid.Count];
        for (int g = 0; g < labels.Length; g++)
        {
            ReadOnlySpan<float> box = objects.AsSpan(4 * g, 4);
            columns.Iou(box[0], box[1], box[2], box[3], 0, iou);
            foreach (int point in Chosen(box, iou))
            {
                if (owner[point] != AssignedPoints.Background && overlap[point] >= iou[point]) continue;
                (owner[point], overlap[point]) = (g, iou[point]);
            }
        }

        return WithQualities(owner, BoxColumns.FromRows(boxes), objects);
    }

    private List<int> Chosen(ReadOnlySpan<float> box, float[] iou)
    {
        var near = new List<int>();
        foreach (PointLevel level in grid.Levels)
        {
            var distances = new float[level.Count];
            for (int i = 0; i < level.Count; i++) distances[i] = -grid.SquaredDistance(level.Start + i, box);
            foreach (int index in ScoreOrder.Top(distances, candidates)) near.Add(level.Start + index);
        }

        double mean = near.Average(point => iou[point]);
        double deviation = near.Count < 2 ? 0 : Math.Sqrt(near.Sum(point => Math.Pow(iou[point] - mean, 2)) / (near.Count - 1));
        var chosen = new List<int>();
        foreach (int point in near)
            if (iou[point] >= mean + deviation && grid.IsInside(point, box)) chosen.Add(point);
        return chosen.Count > 0 ? chosen : [near.MaxBy(point => iou[point])];
    }

    private static AssignedPoints WithQualities(int[] owner, BoxColumns predicted, float[] objects)
    {
        var (qualities, weights, one) = (new float[owner.Length], new float[owner.Length], new float[owner.Length]);
        for (int g = 0; g < objects.Length / 4; g++)
        {
            predicted.Iou(objects[4 * g], objects[4 * g + 1], objects[4 * g + 2], objects[4 * g + 3], 0, one);
            for (int point = 0; point < owner.Length; point++)
                if (owner[point] == g) (qualities[point], weights[point]) = (one[point] > 0 ? one[point] : 0, 1);
        }

        return new AssignedPoints(owner, qualities, weights);
    }
}

/// <summary>What the P locations of one image are to learn.</summary>
/// <param name="Objects">Of each location the index of its object, or <see cref="Background"/>.</param>
/// <param name="Qualities">Of each location the score that it is to give its object's class; 0 for background.</param>
/// <param name="Weights">How much its box counts; 0 for background.</param>
internal sealed record AssignedPoints(int[] Objects, float[] Qualities, float[] Weights)
{
    /// <summary>The location has no object.</summary>
    public const int Background = -1;
}

/// <summary>Decides which locations learn which objects.</summary>
internal interface IPointAssigner
{
    /// <param name="scores">P·C class probabilities.</param>
    /// <param name="boxes">4P values: the boxes that the locations predict now, in pixels.</param>
    /// <param name="objects">4G values, in pixels.</param>
    /// <param name="labels">G class indices.</param>
    AssignedPoints Assign(ReadOnlySpan<float> scores, ReadOnlySpan<float> boxes, float[] objects, int[] labels);
}
