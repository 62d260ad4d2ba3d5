using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Published;

namespace Microsoft.ML.Distillation.Tests.Published;

public class InputTests
{
    private static readonly ImageSize Input = new(64, 64);

    [TestCase(ImageFit.Stretch, 200, 100, 0, 0, 64, 64)]
    [TestCase(ImageFit.LetterboxCentred, 200, 100, 0, 16, 64, 32)]
    [TestCase(ImageFit.LetterboxTopLeft, 200, 100, 0, 0, 64, 32)]
    [TestCase(ImageFit.LetterboxCentred, 30, 40, 8, 0, 48, 64)]
    [TestCase(ImageFit.LetterboxTopLeft, 30, 40, 0, 0, 48, 64)]
    [TestCase(ImageFit.LetterboxCentred, 1000, 3, 0, 31, 64, 1)]
    [TestCase(ImageFit.LetterboxCentred, 7, 7, 0, 0, 64, 64)]
    public void Frame_KeepsProportions_InALetterbox(ImageFit fit, int width, int height, int x, int y, int frameWidth, int frameHeight)
        => Assert.That(InputFrame.For(Input, new ImageSize(width, height), fit),
            Is.EqualTo(new InputFrame(Input, x, y, frameWidth, frameHeight)));

    [Test]
    public void Pixels_AreScaled_Shifted_AndDivided_InTheModelsOrder()
    {
        var preprocessing = new OnnxPreprocessing
        {
            Channels = ChannelOrder.Bgr,
            Scale = 2,
            Mean = [10, 20, 30],
            StandardDeviation = [1, 2, 4],
        };
        float[] image = Planes(0.2f, 0.4f, 0.6f), input = new float[image.Length];

        new InputWriter(preprocessing).Write(image, InputFrame.For(Input, Input, ImageFit.Stretch), input);

        // Blue 153, green 102, red 51.
        Assert.That(input, Is.EqualTo(Planes(306 - 10, (204 - 20) / 2f, (102 - 30) / 4f)).AsCollection.Within(1e-3f));
    }

    [Test]
    public void Bars_AreFilled_AndNormalisedLikePixels()
    {
        OnnxPreprocessing preprocessing = OnnxPreprocessing.For(OnnxDetectorFormat.YoloX);
        float[] image = Planes(1, 1, 1), input = new float[image.Length];

        new InputWriter(preprocessing).Write(image, InputFrame.For(Input, new ImageSize(200, 100), ImageFit.LetterboxCentred), input);

        for (int row = 0; row < 64; row++)
            Assert.That(input[row * 64 + 5], Is.EqualTo(row is >= 16 and < 48 ? 255 : 114).Within(1e-3), $"row {row}");
    }

    [TestCase(200, 100)]
    [TestCase(100, 250)]
    public void Letterbox_ShowsTheImageAsIfItHadNeverBeenStretched(int width, int height)
    {
        // Smooth, so that two resizes are as good as one.
        var pixels = new byte[3 * width * height];
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                for (int c = 0; c < 3; c++) pixels[3 * (y * width + x) + c] = (byte)(40 * c + 100 * x / width + 70 * y / height);
        var image = new RgbImage(width, height, pixels);
        InputFrame frame = InputFrame.For(Input, new ImageSize(width, height), ImageFit.LetterboxTopLeft);
        float[] input = new float[3 * 64 * 64];

        new InputWriter(new OnnxPreprocessing()).Write(AntialiasedResize.Resize(image, Input), frame, input);

        float[] direct = AntialiasedResize.Resize(image, new ImageSize(frame.Width, frame.Height));
        for (int c = 0; c < 3; c++)
            for (int y = 0; y < frame.Height; y++)
                for (int x = 0; x < frame.Width; x++)
                    Assert.That(input[(c * 64 + y) * 64 + x], Is.EqualTo(direct[(c * frame.Height + y) * frame.Width + x]).Within(0.01));
    }

    private static float[] Planes(params float[] values) => [.. values.SelectMany(value => Enumerable.Repeat(value, 64 * 64))];
}
