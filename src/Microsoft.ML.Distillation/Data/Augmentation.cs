using System.Numerics;
using System.Runtime.InteropServices;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Data;

/// <summary>How one image is varied in one epoch; the same for every view of it.</summary>
internal readonly record struct Augmentation(ImageGeometry Geometry, ColorFactors Colors)
{
    private const int CropAttempts = 10;

    /// <summary>The image as it is.</summary>
    public static readonly Augmentation Identity = new(ImageGeometry.Identity, ColorFactors.Identity);

    /// <summary>Draws a variation.</summary>
    /// <param name="annotation">The image's objects: a crop shows the centre of at least one of them, if there is any.</param>
    public static Augmentation Draw(AugmentationOptions options, Annotation annotation, Random random)
    {
        // Every number is drawn whatever the options, so that switching one variation off leaves the others as they are.
        bool mirror = random.Next(2) == 1;
        float brightness = Factor(random, options.ColorJitter);
        float contrast = Factor(random, options.ColorJitter);
        float saturation = Factor(random, options.ColorJitter);
        float zoom = Factor(random, options.ScaleJitter);
        ImageGeometry geometry = zoom == 1 ? ImageGeometry.Identity : DrawRegion(1 / zoom, annotation, random);
        return new Augmentation(geometry with { Mirror = options.HorizontalFlip && mirror },
            new ColorFactors(brightness, contrast, saturation));
    }

    private static ImageGeometry DrawRegion(float extent, Annotation annotation, Random random)
    {
        for (int attempt = 0; attempt < CropAttempts; attempt++)
        {
            // Either sign: a small region lies inside the image, a large one contains it.
            float x = random.NextSingle() * (1 - extent);
            float y = random.NextSingle() * (1 - extent);
            var region = new ImageGeometry(x, y, extent, extent, false);
            if (annotation.Count == 0 || ShowsAny(region, annotation)) return region;
        }

        return ImageGeometry.Identity;
    }

    private static bool ShowsAny(ImageGeometry region, Annotation annotation)
    {
        for (int i = 0; i < annotation.Count; i++)
        {
            if (region.Shows(annotation.Boxes.AsSpan(4 * i, 4))) return true;
        }

        return false;
    }

    private static float Factor(Random random, float range) => 1 + range * (2 * random.NextSingle() - 1);
}

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
        // With k = contrast · brightness the three steps are one: saturation·k·x + (1 − saturation)·k·grey(x) + (1 −
        // contrast)·brightness·mean.
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

/// <summary>Random numbers that depend on nothing but the seed, the epoch and the image, whichever thread draws them and when.</summary>
internal static class SampleRandom
{
    /// <summary>The generator of one image in one epoch.</summary>
    public static Random For(int seed, int epoch, int index)
        => new((int)(Mix(Mix(Mix((uint)seed) + (uint)epoch) + (uint)index) >> 33));

    /// <summary>The order of an epoch's images.</summary>
    public static int[] Permutation(int count, int seed, int epoch)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        For(seed, epoch, -1).Shuffle(order);
        return order;
    }

    /// <summary>The order of one round through one part of a data set, where training draws from several.</summary>
    public static int[] Round(int count, int seed, int part, long round)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        new Random((int)(Mix(Mix(Mix(~(ulong)(uint)seed) + (uint)part) + (ulong)round) >> 33)).Shuffle(order);
        return order;
    }

    /// <summary>One step of splitmix64 (Steele, Lea, Flood 2014): neighbouring inputs give unrelated outputs.</summary>
    private static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
