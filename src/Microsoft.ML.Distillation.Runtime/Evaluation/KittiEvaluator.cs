namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>
/// KITTI's average precision of boxes in the image, figure for figure that of its development kit (evaluate_object.cpp):
/// the scores of the right detections give up to 41 score thresholds, about 1/40 of recall apart; at each of them precision
/// is counted anew. Classes and difficulties are measured in parallel.
/// </summary>
internal static class KittiEvaluator
{
    /// <summary>Measures detections against the ground truth.</summary>
    /// <param name="images">All images; the order of an image's objects counts where two of them compete for a detection.</param>
    /// <param name="classNames">The classes; a label is an index into this list.</param>
    /// <exception cref="ArgumentException">An annotated object has a class outside the list.</exception>
    public static KittiMetrics Evaluate(IReadOnlyList<EvaluationImage> images, IReadOnlyList<string> classNames)
    {
        EvaluationImage.CheckLabels(images, classNames.Count);
        int[] labels = [.. Enumerable.Range(0, classNames.Count).Where(c => KittiProtocol.Measures(classNames[c]))];
        KittiLevel[] levels = [KittiProtocol.Easy, KittiProtocol.Moderate, KittiProtocol.Hard];
        var results = new KittiClassMetrics[levels.Length * labels.Length];
        Parallel.For(0, results.Length, i =>
            results[i] = EvaluateClass(images, labels[i % labels.Length], classNames, levels[i / labels.Length]));
        KittiLevelMetrics[] metrics = [.. levels.Select((_, l) => Sum(results[(l * labels.Length)..((l + 1) * labels.Length)]))];
        return new KittiMetrics(metrics[0], metrics[1], metrics[2]);
    }

    private static KittiClassMetrics EvaluateClass(
        IReadOnlyList<EvaluationImage> images, int label, IReadOnlyList<string> classNames, KittiLevel level)
    {
        string name = classNames[label];
        bool[] isNeighbour = [.. classNames.Select(other => KittiProtocol.AreNeighbours(name, other))];
        double iou = KittiProtocol.IouThreshold(name);
        KittiScene[] scenes = [.. images.Select(image => KittiScene.Of(image, label, isNeighbour, iou, level))];
        int objects = scenes.Sum(scene => scene.Objects);
        if (objects == 0) return new KittiClassMetrics(name, 0, double.NaN, double.NaN, PrecisionRecallCurve.Empty);

        double[] precision = Precisions(scenes, ScoreThresholds(scenes, objects));
        return new KittiClassMetrics(
            name, objects, precision.Skip(1).Average(), precision.Where((_, i) => i % 4 == 0).Average(),
            new PrecisionRecallCurve(KittiProtocol.Recalls, precision));
    }

    /// <summary>The scores at which recall is closest to 0, 1/40, 2/40, … as far as it goes.</summary>
    private static List<double> ScoreThresholds(KittiScene[] scenes, int objects)
    {
        var scores = new List<double>();
        foreach (KittiScene scene in scenes) scene.CollectScores(scores);
        scores.Sort((a, b) => b.CompareTo(a));

        var thresholds = new List<double>();
        double wanted = 0;
        for (int i = 0; i < scores.Count; i++)
        {
            double recall = (i + 1.0) / objects, next = (i + 2.0) / objects;
            bool nextIsCloser = next - wanted < wanted - recall;
            if (nextIsCloser && i < scores.Count - 1) continue;
            thresholds.Add(scores[i]);
            wanted += 1.0 / KittiProtocol.RecallSteps;
        }

        return thresholds;
    }

    /// <summary>The precision at each threshold, the best at it or at a lower one; 0 where the recall is not reached.</summary>
    private static double[] Precisions(KittiScene[] scenes, List<double> thresholds)
    {
        var precision = new double[KittiProtocol.RecallSteps + 1];
        for (int t = 0; t < Math.Min(thresholds.Count, precision.Length); t++)
        {
            int right = 0, wrong = 0;
            foreach (KittiScene scene in scenes)
            {
                (int rightHere, int wrongHere) = scene.CountFrom(thresholds[t]);
                (right, wrong) = (right + rightHere, wrong + wrongHere);
            }

            precision[t] = right == 0 ? 0 : (double)right / (right + wrong);
        }

        for (int i = precision.Length - 2; i >= 0; i--) precision[i] = Math.Max(precision[i], precision[i + 1]);
        return precision;
    }

    private static KittiLevelMetrics Sum(KittiClassMetrics[] classes)
        => new(Mean(classes, c => c.AveragePrecision40), Mean(classes, c => c.AveragePrecision11), classes);

    private static double Mean(KittiClassMetrics[] classes, Func<KittiClassMetrics, double> figure)
        => classes.Select(figure).Where(value => !double.IsNaN(value)).DefaultIfEmpty(double.NaN).Average();
}

/// <summary>The constants of KITTI's object evaluation (Geiger et al. 2012, and evaluate_object.cpp of its development kit).</summary>
internal static class KittiProtocol
{
    /// <summary>The number of steps from recall 0 to recall 1.</summary>
    public const int RecallSteps = 40;

    /// <summary>How much an object may be hidden, cut off or far away to count at each difficulty.</summary>
    public static readonly KittiLevel Easy = new(40, 0, 0.15), Moderate = new(25, 1, 0.3), Hard = new(25, 2, 0.5);

    /// <summary>The recalls 0, 1/40, … 1.</summary>
    public static readonly double[] Recalls = [.. Enumerable.Range(0, RecallSteps + 1).Select(i => (double)i / RecallSteps)];

    private static readonly string[] Measured = ["Car", "Pedestrian", "Cyclist"];

    /// <summary>Whether KITTI measures a class. Upper and lower case do not matter.</summary>
    public static bool Measures(string name) => Measured.Contains(name, StringComparer.OrdinalIgnoreCase);

    /// <summary>The IoU that a detection has to exceed.</summary>
    public static double IouThreshold(string name) => Same(name, "Car") ? 0.7 : 0.5;

    /// <summary>Whether an object of the other class may be taken for one of the class without harm or profit.</summary>
    public static bool AreNeighbours(string name, string other)
        => Same(name, "Car") && Same(other, "Van") || Same(name, "Pedestrian") && Same(other, "Person_sitting");

    private static bool Same(string name, string other) => name.Equals(other, StringComparison.OrdinalIgnoreCase);
}

/// <summary>A difficulty.</summary>
/// <param name="LeastHeight">The height in pixels that an object must exceed, and that a detection must reach.</param>
/// <param name="MostOcclusion">The highest <see cref="TrueBox.Occlusion"/>.</param>
/// <param name="MostTruncation">The highest <see cref="TrueBox.Truncation"/>.</param>
internal sealed record KittiLevel(double LeastHeight, int MostOcclusion, double MostTruncation)
{
    /// <summary>Whether an object is too hard to be asked for at this difficulty. One of just the height is, as in the reference.</summary>
    public bool Excludes(in TrueBox box)
        => box.Ignored || box.Box.Height <= LeastHeight || box.Occlusion > MostOcclusion || box.Truncation > MostTruncation;
}

/// <summary>One image as one class sees it at one difficulty.</summary>
/// <remarks>
/// As in the reference, objects choose detections, not the other way round; and a detection below the difficulty's height
/// counts as too small whatever its class, so that it may be chosen and then is neither right nor wrong.
/// </remarks>
internal sealed class KittiScene
{
    private readonly Target[] _objects;
    private readonly Found[] _detections;
    private readonly bool[] _assigned;

    private KittiScene(Target[] objects, Found[] detections)
        => (_objects, _detections, _assigned) = (objects, detections, new bool[detections.Length]);

    /// <summary>An object of the class or of its neighbour.</summary>
    /// <param name="Counts">Whether it is to be found.</param>
    /// <param name="Candidates">The detections that overlap it enough.</param>
    private readonly record struct Target(bool Counts, (int Found, double Iou)[] Candidates);

    /// <summary>A detection of the class, or a small one of any.</summary>
    /// <param name="Score">The score to rank by.</param>
    /// <param name="Small">Whether it is below the difficulty's height.</param>
    /// <param name="Excused">Whether it lies in a region where nothing is wrong.</param>
    private readonly record struct Found(double Score, bool Small, bool Excused);

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
            Array.ConvertAll(found, box => new Found(box.Rank, IsSmall(box), Array.Exists(regions, r => r.Cover(box.Box) > iou))));
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
            Found detection = _detections[i];
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

    private static (int Found, double Iou)[] Candidates(Box box, DetectedBox[] detections, double threshold)
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
