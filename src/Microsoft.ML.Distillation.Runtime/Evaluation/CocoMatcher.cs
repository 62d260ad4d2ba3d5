using System.Runtime.InteropServices;

namespace Microsoft.ML.Distillation.Evaluation;

/// <summary>A detection after matching. The masks hold one bit for each IoU threshold, for each of the four area ranges.</summary>
internal struct MatchedDetection
{
    /// <summary>The score to rank by.</summary>
    public double Score;

    /// <summary>The place among the detections of its class in its image, 0 for the best.</summary>
    public int Place;

    /// <summary>The thresholds at which it finds an object.</summary>
    public FourMasks Right;

    /// <summary>The thresholds at which it is neither right nor wrong.</summary>
    public FourMasks Ignored;
}

/// <summary>One mask for each area range.</summary>
[System.Runtime.CompilerServices.InlineArray(4)]
internal struct FourMasks
{
    private ushort _first;
}

/// <summary>
/// Matches one class's detections with its objects as COCOeval does: image by image, the best score first, each detection
/// with the object of highest IoU that no better detection has taken; ignored objects only where no other is left.
/// </summary>
internal static class CocoMatcher
{
    /// <summary>The mask of all IoU thresholds.</summary>
    public const int AllThresholds = (1 << 10) - 1;

    /// <summary>Matches one class.</summary>
    /// <returns>The detections that count, best first; of equal scores those of the earlier image first.</returns>
    public static MatchedDetection[] Match(ClassGroup group)
    {
        var matched = new List<MatchedDetection>(group.Detections.Count);
        ReadOnlySpan<TrueBox> truth = CollectionsMarshal.AsSpan(group.Truth);
        ReadOnlySpan<DetectedBox> detections = CollectionsMarshal.AsSpan(group.Detections);
        var workspace = new Workspace();
        for (int i = 0; i < group.Images.Count; i++)
        {
            (Range truthRange, Range detectionRange) = group.RangesOf(i);
            MatchImage(truth[truthRange], detections[detectionRange], workspace, matched);
        }

        int[] order = Ranking.BestFirst(matched.Count, index => matched[index].Score);
        return Array.ConvertAll(order, index => matched[index]);
    }

    private static void MatchImage(
        ReadOnlySpan<TrueBox> truth, ReadOnlySpan<DetectedBox> detections, Workspace work, List<MatchedDetection> matched)
    {
        if (detections.IsEmpty) return;
        int[] order = work.BestFirst(detections);
        int count = Math.Min(detections.Length, CocoProtocol.MaxDetections);
        work.Begin(truth);
        for (int place = 0; place < count; place++)
        {
            ref readonly DetectedBox detection = ref detections[order[place]];
            var result = new MatchedDetection { Score = detection.Rank, Place = place };
            int near = work.FindNear(detection.Box, truth);
            double area = detection.Box.Area;
            for (int range = 0; range < 4; range++)
            {
                int found = near == 0 ? 0 : MatchDetection(truth, range, near, work, ref result);
                if (IsOutside(area, range)) result.Ignored[range] |= (ushort)(AllThresholds & ~found);
            }

            matched.Add(result);
        }
    }

    /// <summary>Matches one detection at all thresholds; returns the thresholds at which it found anything.</summary>
    private static int MatchDetection(ReadOnlySpan<TrueBox> truth, int range, int near, Workspace work, ref MatchedDetection result)
    {
        int found = 0;
        for (int t = 0; t < CocoProtocol.IouThresholds.Length; t++)
        {
            int best = work.BestFree(truth, range, t, near);
            if (best < 0) continue;
            int bit = 1 << t;
            found |= bit;
            work.Take(range, best, bit);
            if (work.IsIgnored(range, best)) result.Ignored[range] |= (ushort)bit;
            else result.Right[range] |= (ushort)bit;
        }

        return found;
    }

    /// <summary>Whether an area lies outside an area range.</summary>
    public static bool IsOutside(double area, int range)
        => area < CocoProtocol.AreaRanges[range].From || area > CocoProtocol.AreaRanges[range].To;

    /// <summary>What is known of the objects of the image at hand; reused from image to image.</summary>
    private sealed class Workspace
    {
        private bool[] _ignored = [];
        private ushort[] _taken = [];
        private (int Index, double Iou)[] _near = [];
        private int[] _order = [];
        private int _count;

        public int[] BestFirst(ReadOnlySpan<DetectedBox> detections)
        {
            if (_order.Length < detections.Length) _order = new int[2 * detections.Length];
            Ranking.BestFirst(detections, _order);
            return _order;
        }

        public void Begin(ReadOnlySpan<TrueBox> truth)
        {
            _count = truth.Length;
            if (_near.Length < _count)
            {
                _near = new (int, double)[2 * _count];
                _ignored = new bool[8 * _count];
                _taken = new ushort[8 * _count];
            }

            for (int range = 0; range < 4; range++)
            {
                for (int g = 0; g < _count; g++)
                    _ignored[range * _count + g] = truth[g].Ignored || IsOutside(truth[g].Area, range);
            }

            Array.Clear(_taken, 0, 4 * _count);
        }

        /// <summary>Collects the objects that the box may match at the lowest threshold.</summary>
        public int FindNear(in Box box, ReadOnlySpan<TrueBox> truth)
        {
            int near = 0;
            for (int g = 0; g < truth.Length; g++)
            {
                double overlap = box.Overlap(truth[g].Box);
                if (overlap <= 0) continue;
                // A crowd or another region is matched by the share of the detection that lies in it.
                double iou = overlap / (truth[g].IsRegion ? box.Area : box.Area + truth[g].Box.Area - overlap);
                if (iou >= CocoProtocol.IouThresholds[0]) _near[near++] = (g, iou);
            }

            return near;
        }

        /// <summary>The free object of highest IoU, objects that count before those that are ignored; -1 where there is none.</summary>
        public int BestFree(ReadOnlySpan<TrueBox> truth, int range, int threshold, int near)
        {
            int best = Best(truth, range, threshold, near, ignored: false);
            return best >= 0 ? best : Best(truth, range, threshold, near, ignored: true);
        }

        public bool IsIgnored(int range, int index) => _ignored[range * _count + index];

        public void Take(int range, int index, int bit) => _taken[range * _count + index] |= (ushort)bit;

        private int Best(ReadOnlySpan<TrueBox> truth, int range, int threshold, int near, bool ignored)
        {
            double highest = Math.Min(CocoProtocol.IouThresholds[threshold], 1 - 1e-10);
            int best = -1, at = range * _count;
            for (int i = 0; i < near; i++)
            {
                (int g, double iou) = _near[i];
                if (_ignored[at + g] != ignored || iou < highest) continue;
                if ((_taken[at + g] & 1 << threshold) != 0 && !truth[g].IsRegion) continue;
                (best, highest) = (g, iou);
            }

            return best;
        }
    }
}

/// <summary>The boxes of one class over all images, in the images' order.</summary>
internal sealed class ClassGroup
{
    private int _lastImage = -1;

    /// <summary>The annotated objects.</summary>
    public List<TrueBox> Truth { get; } = [];

    /// <summary>The detections.</summary>
    public List<DetectedBox> Detections { get; } = [];

    /// <summary>The images that hold any: where their objects and detections begin in the two lists.</summary>
    public List<(int FirstTruth, int FirstDetection)> Images { get; } = [];

    /// <summary>The ranges of the two lists that belong to one of <see cref="Images"/>.</summary>
    public (Range Truth, Range Detections) RangesOf(int image)
    {
        (int truth, int detection) = Images[image];
        (int truthEnd, int detectionEnd) = image + 1 < Images.Count ? Images[image + 1] : (Truth.Count, Detections.Count);
        return (truth..truthEnd, detection..detectionEnd);
    }

    /// <summary>Sorts the boxes of all images into their classes.</summary>
    /// <remarks>A detection of a class outside the list is left out: there is nothing to hold it against.</remarks>
    /// <exception cref="ArgumentException">An annotated object has a class outside the list.</exception>
    public static ClassGroup[] Of(IReadOnlyList<EvaluationImage> images, int classes)
    {
        EvaluationImage.CheckLabels(images, classes);
        var groups = new ClassGroup[classes];
        for (int c = 0; c < classes; c++) groups[c] = new ClassGroup();
        for (int i = 0; i < images.Count; i++)
        {
            foreach (ref readonly TrueBox box in images[i].Truth.AsSpan())
            {
                ReadOnlySpan<ClassGroup> concerned = box.Label == TrueBox.EveryClass ? groups : groups.AsSpan(box.Label, 1);
                foreach (ClassGroup group in concerned) group.At(i).Truth.Add(box);
            }

            foreach (ref readonly DetectedBox box in images[i].Detections.AsSpan())
            {
                if ((uint)box.Label < (uint)classes) groups[box.Label].At(i).Detections.Add(box);
            }
        }

        return groups;
    }

    private ClassGroup At(int image)
    {
        if (image != _lastImage) Images.Add((Truth.Count, Detections.Count));
        _lastImage = image;
        return this;
    }
}
