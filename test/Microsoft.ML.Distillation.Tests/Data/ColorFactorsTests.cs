using Microsoft.ML.Distillation.Data;

namespace Microsoft.ML.Distillation.Tests.Data;

public class ColorFactorsTests
{
    [Test]
    public void Brightness_ScalesAndCutsOff()
        => Assert.That(Apply(new ColorFactors(2, 1, 1), 0, 0.2f, 0.4f, 0.8f), Is.EqualTo(new[] { 0.4f, 0.8f, 1f }).Within(1e-6));

    [Test]
    public void Contrast_StretchesAroundTheMeanGrey()
        => Assert.That(Apply(new ColorFactors(1, 1.5f, 1), 0.4f, 0.2f, 0.4f, 0.6f), Is.EqualTo(new[] { 0.1f, 0.4f, 0.7f }).Within(1e-6));

    [Test]
    public void Saturation_OfZero_IsThePixelsGrey()
    {
        float grey = 0.299f * 0.2f + 0.587f * 0.4f + 0.114f * 0.6f;
        Assert.That(Apply(new ColorFactors(1, 1, 0), 0.9f, 0.2f, 0.4f, 0.6f), Is.EqualTo(new[] { grey, grey, grey }).Within(1e-6));
    }

    [Test]
    public void AllThree_EqualTheStepsOneAfterAnother()
    {
        float[] once = Apply(new ColorFactors(1.1f, 0.8f, 1.2f), 0.45f, 0.3f, 0.5f, 0.4f);
        float[] steps = Apply(new ColorFactors(1.1f, 1, 1), 0.45f, 0.3f, 0.5f, 0.4f);
        steps = Apply(new ColorFactors(1, 0.8f, 1), 1.1f * 0.45f, steps);
        steps = Apply(new ColorFactors(1, 1, 1.2f), 0, steps);
        Assert.That(once, Is.EqualTo(steps).Within(1e-6));
    }

    /// <summary>A third of the circle makes red green; greys stay, and the sum of the three.</summary>
    [Test]
    public void Hue_TurnsAboutTheGreys()
    {
        Assert.That(Turned(1 / 3f, 0.8f, 0.2f, 0.3f), Is.EqualTo(new[] { 0.3f, 0.8f, 0.2f }).Within(1e-5));
        Assert.That(Turned(0.2f, 0.4f, 0.4f, 0.4f), Is.EqualTo(new[] { 0.4f, 0.4f, 0.4f }).Within(1e-5));
        Assert.That(Turned(0.1f, 0.5f, 0.4f, 0.3f).Sum(), Is.EqualTo(1.2f).Within(1e-5));

        static float[] Turned(float hue, params float[] color) => Apply(ColorFactors.Identity with { Hue = hue }, 0, color);
    }

    [Test]
    public void MeanGrey_WeightsTheColours()
        => Assert.That(ColorFactors.MeanGrey([1, 0, 0.5f, 0.5f, 0, 0]), Is.EqualTo(0.299f * 0.5f + 0.587f * 0.5f).Within(1e-6));

    /// <summary>The colours of each of many equal pixels, so that both the vector loop and its remainder run.</summary>
    private static float[] Apply(ColorFactors factors, float meanGrey, params float[] color)
    {
        const int Area = 37;
        float[] planes = [.. color.SelectMany(value => Enumerable.Repeat(value, Area))];
        factors.Apply(planes, meanGrey);
        foreach (float[] plane in planes.Chunk(Area)) Assert.That(plane, Is.All.EqualTo(plane[0]).Within(1e-6));
        return [planes[0], planes[Area], planes[2 * Area]];
    }
}
