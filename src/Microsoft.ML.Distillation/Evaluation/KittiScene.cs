namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>One image as one class sees it at one difficulty.</summary>
/// <remarks>
/// As in the reference, objects choose detections, not the other way round; and a detection below the difficulty's height
/// counts as too small whatever its class, so that it may be chosen and then is neither right nor wrong.
/// </remarks>
internal sealed class KittiScene
{
    private readonly Target[] _objects;
    private readonly Detection[] _detections;
    private readonly bool[] _assigned;

    private KittiScene(Target[] objects, Detection[] detections)
        => (_objects, _detections, _assigned) = (objects, detections, new bool[detections.Length]);

    /// <summary>An object of the class or of its neighbour.</summary>
    /// <param name="Counts">Whether it is to be found.</param>
    /// <param name="Candidates">The detections that overlap it enough.</param>
    private readonly record struct Target(bool Counts, (int Detection, double Iou)[] Candidates);

    /// <summary>A detection of the class, or a small one of any.</summary>
    /// <param name="Score">The score to rank by.</param>
    /// <param name="Small">Whether it is below the difficulty's height.</param>
    /// <param name="Excused">Whether it lies in a region where nothing is wrong.</param>
    private readonly record struct Detection(double Score, bool Small, bool Excused);

    /// <summary>The number of objects to find.</summary>
    public int Objects => _objects.Count(o => o.Counts);

    /// <summary>Looks at an image.</summary>
    /// <param name="image">The image.</param>
    /// <param name="label">The class.</param>
    /// <param name="isNeighbour">For each class, whether it is a neighbour of this one.</param>
    /// <param name="iou">The IoU to exceed.</param>
    /// <param name="level">The difficulty.</param>
    public static KittiScene Of(EvaluationImage image, int label, bool[] isNeighbour, double iou, KittiLevel level)
    {
        bool IsSmall(in DetectedBox box) => Math.Abs(box.Box.Height) < level.LeastHeight;
        DetectedBox[] found = Array.FindAll(image.Detections, box => box.Label == label || IsSmall(box));
        TrueBox[] regions = Array.FindAll(image.Truth, box => box.IsRegion && (box.Label == label || box.Label == TrueBox.EveryClass));
        TrueBox[] truth = Array.FindAll(image.Truth, box => !box.IsRegion && (box.Label == label || isNeighbour[box.Label]));
        return new KittiScene(
            Array.ConvertAll(truth, box => new Target(box.Label == label && !level.Excludes(box), Candidates(box.Box, found, iou))),
            Array.ConvertAll(found, box => new Detection(box.Rank, IsSmall(box), Array.Exists(regions, r => r.Cover(box.Box) > iou))));
    }

    /// <summary>Adds the scores of the detections that find an object when each object takes its surest one.</summary>
    public void CollectScores(List<double> scores)
    {
        Array.Clear(_assigned);
        foreach (Target one in _objects)
        {
            int chosen = -1;
            double highest = double.NegativeInfinity;
            foreach ((int index, _) in one.Candidates)
            {
                if (!_assigned[index] && _detections[index].Score > highest) (chosen, highest) = (index, _detections[index].Score);
            }

            if (chosen < 0) continue;
            _assigned[chosen] = true;
            if (one.Counts && !_detections[chosen].Small) scores.Add(highest);
        }
    }

    /// <summary>Counts right and wrong detections among those of at least a score, when each object takes its closest one.</summary>
    public (int Right, int Wrong) CountFrom(double score)
    {
        Array.Clear(_assigned);
        int right = 0, wrong = 0;
        foreach (Target one in _objects)
        {
            int chosen = Closest(one, score);
            if (chosen < 0) continue;
            _assigned[chosen] = true;
            if (one.Counts && !_detections[chosen].Small) right++;
        }

        for (int i = 0; i < _detections.Length; i++)
        {
            Detection detection = _detections[i];
            if (!_assigned[i] && !detection.Small && !detection.Excused && detection.Score >= score) wrong++;
        }

        return (right, wrong);
    }

    /// <summary>The free candidate of highest IoU; a small one only where there is no other.</summary>
    private int Closest(Target one, double score)
    {
        int chosen = -1, small = -1;
        double highest = 0;
        foreach ((int index, double iou) in one.Candidates)
        {
            if (_assigned[index] || _detections[index].Score < score) continue;
            if (_detections[index].Small) small = small < 0 ? index : small;
            else if (iou > highest) (chosen, highest) = (index, iou);
        }

        return chosen >= 0 ? chosen : small;
    }

    private static (int Detection, double Iou)[] Candidates(Box box, DetectedBox[] detections, double threshold)
    {
        var candidates = new List<(int, double)>();
        for (int i = 0; i < detections.Length; i++)
        {
            double iou = detections[i].Box.Iou(box);
            if (iou > threshold) candidates.Add((i, iou));
        }

        return [.. candidates];
    }
}
