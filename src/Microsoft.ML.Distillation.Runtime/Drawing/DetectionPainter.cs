using System.Globalization;

namespace Microsoft.ML.Distillation.Drawing;

/// <summary>A box to be drawn.</summary>
/// <param name="X0">Its corners in pixels.</param>
/// <param name="Label">The class's number, for its colour.</param>
/// <param name="Name">The class's name; where the picture is narrower, the score stays and the name is shortened.</param>
/// <param name="Score">Its score, or null for an annotation.</param>
internal readonly record struct DrawnBox(float X0, float Y0, float X1, float Y1, int Label, string Name, float? Score = null)
{
    /// <summary>The frame in a picture.</summary>
    public LabelPlace FrameIn(Picture picture)
    {
        int x = Pixel(X0, picture.Width), y = Pixel(Y0, picture.Height);
        return new LabelPlace(x, y, Math.Max(1, Pixel(X1, picture.Width) - x), Math.Max(1, Pixel(Y1, picture.Height) - y));
    }

    private static int Pixel(float coordinate, int size)
        => float.IsNaN(coordinate) ? 0 : (int)Math.Clamp(MathF.Round(coordinate), 0, size);
}

/// <summary>Draws boxes with names and scores.</summary>
internal static class DetectionPainter
{
    // A label that has found no room within so many times its height from its box would be taken for another's.
    private const double Reach = 3;

    // Well apart from one another, on bright and on dark images.
    private static readonly Color[] Colors =
    [
        new(230, 60, 60), new(40, 130, 255), new(60, 190, 75), new(255, 175, 20), new(170, 70, 210), new(0, 190, 200),
        new(245, 95, 175), new(150, 205, 30), new(165, 105, 55), new(110, 115, 255), new(0, 150, 120), new(255, 225, 70),
    ];

    /// <summary>The colour of a class.</summary>
    public static Color ColorOf(int label) => Colors[label % Colors.Length];

    /// <summary>
    /// Draws detections: frames, and above each, or inside or beneath where there is no room, the name on the class's colour. No label
    /// lies on another: where a crowd leaves one no room near its box, it is left out, and the frame's colour says the class.
    /// </summary>
    /// <param name="boxes">The best first: its frame lies on top, and its label is placed first.</param>
    public static void Draw(Picture picture, IReadOnlyList<DrawnBox> boxes)
    {
        int thickness = Math.Max(2, Math.Max(picture.Width, picture.Height) / 300);
        foreach (DrawnBox box in boxes.Reverse())
        {
            LabelPlace frame = box.FrameIn(picture);
            picture.Frame((int)frame.Left, (int)frame.Top, (int)frame.Width, (int)frame.Height, thickness, ColorOf(box.Label));
        }

        List<(DrawnBox Box, string Text, LabelPlace Place)> labels = Labels(picture, boxes);
        // Lines lie beneath all letters.
        foreach ((DrawnBox box, _, LabelPlace place) in labels)
        {
            LabelPlace frame = box.FrameIn(picture);
            if (place.GapTo(frame) > 0) picture.Line(
                (float)Math.Clamp(frame.Left, place.Left, place.Right), (float)Math.Clamp(frame.Top, place.Top, place.Bottom),
                (float)frame.Left, (float)frame.Top, thickness, ColorOf(box.Label));
        }

        float size = SizeIn(picture);
        foreach ((DrawnBox box, string text, LabelPlace place) in labels)
        {
            Color color = ColorOf(box.Label);
            picture.Fill((float)place.Left, (float)place.Top, (float)place.Width, (float)place.Height, color);
            picture.Write((float)place.Left + Pad(size), (float)place.Top, text, size, color.Contrast);
        }
    }

    /// <summary>The labels of boxes in a picture, and their places.</summary>
    internal static List<(DrawnBox Box, string Text, LabelPlace Place)> Labels(Picture picture, IReadOnlyList<DrawnBox> boxes)
    {
        float size = SizeIn(picture);
        double height = Lettering.HeightOf(size);
        var places = new LabelPlaces(new LabelPlace(0, 0, picture.Width, picture.Height));
        var labels = new List<(DrawnBox, string, LabelPlace)>();
        foreach (DrawnBox box in boxes)
        {
            string figure = box.Score is float value ? value.ToString(" 0.00", CultureInfo.InvariantCulture) : "";
            string text = Lettering.Fit(box.Name, size, picture.Width - 2 * Pad(size) - Lettering.WidthOf(figure, size)) + figure;
            if (text.Length == 0) continue;
            double width = Lettering.WidthOf(text, size) + 2 * Pad(size);
            LabelPlace frame = box.FrameIn(picture);
            double above = frame.Top - height, atRight = frame.Right - width, inside = frame.Bottom - height;
            (double, double)[] wanted =
            [
                .. above >= 0 ? ((double, double)[])[(frame.Left, above)] : [], (frame.Left, frame.Top), (frame.Left, frame.Bottom),
                (frame.Left, inside), (atRight, above), (atRight, frame.Top), (atRight, frame.Bottom), (atRight, inside),
            ];
            if (places.Take(width, height, place => place.GapTo(frame) <= Reach * height, wanted) is { } found)
                labels.Add((box, text, found));
        }

        return labels;
    }

    private static float SizeIn(Picture picture) => Math.Max(11, Math.Max(picture.Width, picture.Height) / 55f);

    private static float Pad(float size) => MathF.Round(size / 4);
}
