using System.Numerics;
using System.Runtime.InteropServices;

namespace Microsoft.ML.Distillation.Data;

/// <summary>
/// Changes of colour, applied in this order: brightness scales all values, contrast their distance from the image's mean grey,
/// saturation their distance from the pixel's own grey. 1 changes nothing.
/// </summary>
internal readonly record struct ColorFactors(float Brightness, float Contrast, float Saturation)
{
    private const float Red = 0.299f, Green = 0.587f, Blue = 0.114f;

    /// <summary>The colours as they are.</summary>
    public static readonly ColorFactors Identity = new(1, 1, 1);

    /// <summary>The mean grey (ITU-R 601) of planes [3,H,W].</summary>
    public static float MeanGrey(ReadOnlySpan<float> planes)
    {
        int area = planes.Length / 3;
        return Red * Mean(planes[..area]) + Green * Mean(planes.Slice(area, area)) + Blue * Mean(planes[(2 * area)..]);
    }

    /// <summary>Changes the colours of planes [3,H,W] in place; results are cut off at 0 and 1.</summary>
    /// <param name="meanGrey">The image's mean grey, the same for every view of the image.</param>
    public void Apply(Span<float> planes, float meanGrey)
    {
        // With k = contrast · brightness the three steps are one: saturation·k·x + (1 − saturation)·k·grey(x) + (1 − contrast)·brightness·mean.
        float own = Saturation * Contrast * Brightness;
        float grey = (1 - Saturation) * Contrast * Brightness;
        float constant = (1 - Contrast) * Brightness * meanGrey;
        int area = planes.Length / 3;
        Span<float> red = planes[..area], green = planes.Slice(area, area), blue = planes[(2 * area)..];

        int done = Vector<float>.Count * (area / Vector<float>.Count);
        Span<Vector<float>> reds = MemoryMarshal.Cast<float, Vector<float>>(red[..done]);
        Span<Vector<float>> greens = MemoryMarshal.Cast<float, Vector<float>>(green[..done]);
        Span<Vector<float>> blues = MemoryMarshal.Cast<float, Vector<float>>(blue[..done]);
        for (int i = 0; i < reds.Length; i++)
        {
            Vector<float> shift = (reds[i] * Red + greens[i] * Green + blues[i] * Blue) * grey + new Vector<float>(constant);
            reds[i] = Cut(reds[i] * own + shift);
            greens[i] = Cut(greens[i] * own + shift);
            blues[i] = Cut(blues[i] * own + shift);
        }

        for (int i = done; i < area; i++)
        {
            float shift = (red[i] * Red + green[i] * Green + blue[i] * Blue) * grey + constant;
            red[i] = Math.Clamp(red[i] * own + shift, 0, 1);
            green[i] = Math.Clamp(green[i] * own + shift, 0, 1);
            blue[i] = Math.Clamp(blue[i] * own + shift, 0, 1);
        }
    }

    private static Vector<float> Cut(Vector<float> values) => Vector.Min(Vector.Max(values, Vector<float>.Zero), Vector<float>.One);

    private static float Mean(ReadOnlySpan<float> values)
    {
        double sum = 0;
        foreach (float value in values) sum += value;
        return (float)(sum / values.Length);
    }
}
