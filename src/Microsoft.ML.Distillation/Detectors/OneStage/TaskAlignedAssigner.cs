using Microsoft.ML.Distillation.Boxes;
using Microsoft.ML.Distillation.Detectors.Backbones;

namespace Microsoft.ML.Distillation.Detectors;

// t = s^α · u^β:  s the score that a location gives the object's class, u the IoU of its box with the object; α = 1, β = 6.
// 1. The k = 13 locations inside the object with the highest t are its candidates. An object that holds no location has one
//    candidate: the location of the finest map nearest to its centre.
// 2. A location that several objects want goes to the one that its box overlaps most.
// 3. Its target score is t̂ = t / max t · max u, the maxima over the object's locations: the best one is asked for the score that
//    its box deserves, the others for less.
//
// Feng et al., TOOD: Task-aligned One-stage Object Detection (ICCV 2021), section 3.2.

/// <summary>Gives objects to the locations that predict them best; the rule stands at the top of the file.</summary>
internal sealed class TaskAlignedAssigner(PointGrid grid, int candidates = 13, double alpha = 1, double beta = 6) : IPointAssigner
{
    public AssignedPoints Assign(ReadOnlySpan<float> scores, ReadOnlySpan<float> boxes, float[] objects, int[] labels)
    {
        int classes = scores.Length / grid.Count;
        int[] owner = new int[grid.Count];
        var overlap = new float[grid.Count];
        var alignment = new double[grid.Count];
        Array.Fill(owner, AssignedPoints.Background);
        BoxColumns columns = BoxColumns.FromRows(boxes);
        var iou = new float[grid.Count];
        for (int g = 0; g < labels.Length; g++)
        {
            ReadOnlySpan<float> box = objects.AsSpan(4 * g, 4);
            columns.Iou(box[0], box[1], box[2], box[3], 0, iou);
            foreach ((int point, double t) in Candidates(box, labels[g], scores, iou, classes))
            {
                if (owner[point] != AssignedPoints.Background && overlap[point] >= iou[point]) continue;
                (owner[point], overlap[point], alignment[point]) = (g, iou[point], t);
            }
        }

        float[] qualities = Qualities(owner, overlap, alignment, labels.Length);
        return new AssignedPoints(owner, qualities, [.. qualities]);
    }

    private List<(int Point, double Alignment)> Candidates(
        ReadOnlySpan<float> box, int label, ReadOnlySpan<float> scores, float[] iou, int classes)
    {
        var inside = new List<(int Point, double Alignment)>();
        for (int point = 0; point < grid.Count; point++)
        {
            if (!grid.IsInside(point, box)) continue;
            if (!(iou[point] > 0)) iou[point] = 0;
            inside.Add((point, Math.Pow(scores[point * classes + label], alpha) * Math.Pow(iou[point], beta)));
        }

        if (inside.Count == 0) return [(Nearest(box), 0)];
        if (inside.Count <= candidates) return inside;
        // The order of equals is that of the locations.
        return [.. inside.OrderByDescending(candidate => candidate.Alignment).ThenBy(candidate => candidate.Point).Take(candidates)];
    }

    private int Nearest(ReadOnlySpan<float> box)
    {
        int nearest = 0;
        for (int point = 1; point < grid.Levels[0].Count; point++)
            if (grid.SquaredDistance(point, box) < grid.SquaredDistance(nearest, box)) nearest = point;
        return nearest;
    }

    private static float[] Qualities(int[] owner, float[] overlap, double[] alignment, int objects)
    {
        var most = new double[objects];
        var mostOverlap = new float[objects];
        for (int point = 0; point < owner.Length; point++)
        {
            if (owner[point] is not (>= 0 and int g)) continue;
            most[g] = Math.Max(most[g], alignment[point]);
            mostOverlap[g] = Math.Max(mostOverlap[g], overlap[point]);
        }

        var qualities = new float[owner.Length];
        for (int point = 0; point < owner.Length; point++)
        {
            if (owner[point] is >= 0 and int g)
                qualities[point] = most[g] > 0 ? (float)(alignment[point] / most[g] * mostOverlap[g]) : mostOverlap[g];
        }

        return qualities;
    }
}
