namespace Microsoft.ML.Distillation.Drawing;

/// <summary>A rectangle that a label, or what it must not lie on, takes.</summary>
internal readonly record struct LabelPlace(double Left, double Top, double Width, double Height)
{
    // Sums of coordinates that are no whole numbers.
    private const double Rounding = 1e-6;

    /// <summary>The right edge.</summary>
    public double Right => Left + Width;

    /// <summary>The lower edge.</summary>
    public double Bottom => Top + Height;

    /// <summary>Whether two have more than an edge in common.</summary>
    public bool Overlaps(LabelPlace other) => Left < other.Right - Rounding && other.Left < Right - Rounding
        && Top < other.Bottom - Rounding && other.Top < Bottom - Rounding;

    /// <summary>How far two are apart, the further of across and up; 0 where they touch.</summary>
    public double GapTo(LabelPlace other) => Math.Max(0, Math.Max(
        Math.Max(Left - other.Right, other.Left - Right), Math.Max(Top - other.Bottom, other.Top - Bottom)));
}

/// <summary>Finds places for labels in an area, so that none lies on another or leaves the area.</summary>
internal sealed class LabelPlaces(LabelPlace area)
{
    private readonly List<LabelPlace> _taken = [];

    /// <summary>Keeps labels away from a place.</summary>
    public void Block(LabelPlace place) => _taken.Add(place);

    /// <summary>
    /// Takes the first of the wanted places that is free; where none is, the free one that is nearest to the first, wherever in the area
    /// it is.
    /// </summary>
    /// <param name="reach">Whether another place than those wanted is near enough.</param>
    /// <param name="wanted">Left upper corners, the best first; what leaves the area is moved into it.</param>
    /// <returns>The place; <see langword="null"/> where there is none.</returns>
    public LabelPlace? Take(
        double width, double height, Func<LabelPlace, bool> reach, params ReadOnlySpan<(double Left, double Top)> wanted)
    {
        if (width > area.Width || height > area.Height) return null;
        foreach ((double left, double top) in wanted)
        {
            if (Inside(left, top) is var place && IsFree(place)) return Taken(place);
        }

        return Nearest(Inside(wanted[0].Left, wanted[0].Top), reach) is { } nearest ? Taken(nearest) : null;

        LabelPlace Inside(double left, double top) => new(Math.Clamp(left, area.Left, area.Right - width),
            Math.Clamp(top, area.Top, area.Bottom - height), width, height);
    }

    private LabelPlace Taken(LabelPlace place)
    {
        _taken.Add(place);
        return place;
    }

    private bool IsFree(LabelPlace place) => !_taken.Any(place.Overlaps);

    /// <summary>The nearest free place: it stands where it is wanted, or at an edge of what stood in its way.</summary>
    private LabelPlace? Nearest(LabelPlace wanted, Func<LabelPlace, bool> reach)
    {
        LabelPlace? best = null;
        double least = double.PositiveInfinity;
        IEnumerable<double> tops = _taken.SelectMany(taken => (double[])[taken.Top - wanted.Height, taken.Bottom])
            .Append(wanted.Top).Where(top => top >= area.Top && top + wanted.Height <= area.Bottom)
            .OrderBy(top => Math.Abs(top - wanted.Top));
        foreach (double top in tops)
        {
            double up = Math.Abs(top - wanted.Top);
            if (up >= least) break;
            LabelPlace row = wanted with { Top = top };
            foreach (double left in Sideways(row))
            {
                double away = up + Math.Abs(left - wanted.Left);
                LabelPlace place = row with { Left = left };
                if (left < area.Left || place.Right > area.Right || away >= least || !reach(place)) continue;
                (least, best) = (away, place);
            }
        }

        return best;
    }

    /// <summary>Where a label comes free that is pushed to the right, and to the left.</summary>
    private double[] Sideways(LabelPlace label)
    {
        LabelPlace[] beside = [.. _taken.Where(taken => (label with { Left = taken.Left }).Overlaps(taken)).OrderBy(taken => taken.Left)];
        double right = label.Left, left = label.Left;
        foreach (LabelPlace taken in beside)
        {
            if ((label with { Left = right }).Overlaps(taken)) right = taken.Right;
        }

        foreach (LabelPlace taken in beside.OrderByDescending(taken => taken.Right))
        {
            if ((label with { Left = left }).Overlaps(taken)) left = taken.Left - label.Width;
        }

        return [right, left];
    }
}
