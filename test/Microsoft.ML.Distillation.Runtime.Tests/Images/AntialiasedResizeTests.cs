using Google.Protobuf;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Onnx.Proto;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.Distillation.Tests.Images;

public class AntialiasedResizeTests
{
    [TestCase(64, 48, 32, 24, TestName = "Resize_EqualsOnnx_WhenHalving")]
    [TestCase(53, 37, 21, 17, TestName = "Resize_EqualsOnnx_WhenShrinkingOddSizes")]
    [TestCase(640, 480, 192, 144, TestName = "Resize_EqualsOnnx_AtTheSizeOfAPhotograph")]
    [TestCase(31, 29, 97, 83, TestName = "Resize_EqualsOnnx_WhenEnlarging")]
    [TestCase(31, 129, 97, 40, TestName = "Resize_EqualsOnnx_WhenEnlargingOneSideOnly")]
    [TestCase(7, 5, 7, 5, TestName = "Resize_EqualsOnnx_AtTheSameSize")]
    [TestCase(100, 3, 1, 1, TestName = "Resize_EqualsOnnx_DownToOnePixel")]
    [TestCase(4032, 17, 320, 9, TestName = "Resize_EqualsOnnx_ForManyPixels")]
    [TestCase(1, 1, 5, 4, TestName = "Resize_EqualsOnnx_FromOnePixel")]
    public void ResizeEqualsOnnx(int width, int height, int newWidth, int newHeight)
    {
        RgbImage image = DrawnImages.Noise(width, height);
        float[] expected = ResizeByOnnxRuntime(image, newWidth, newHeight);
        float[] actual = AntialiasedResize.Resize(image, new ImageSize(newWidth, newHeight));
        Assert.That(actual.Select(value => 255 * value), Is.EqualTo(expected).Within(1e-4));
    }

    [Test]
    public void Resize_WeightsNeighbours_ByTheTriangle()
    {
        // Four pixels to two: a triangle of radius 2 around pixel edges 1 and 3. Offsets .5 .5 1.5 weigh 3 3 1 of 7; the pixel
        // before the first does not exist and has no weight.
        var image = new RgbImage(4, 1, [0, 0, 0, 80, 80, 80, 160, 160, 160, 240, 240, 240]);
        float[] planes = AntialiasedResize.Resize(image, new ImageSize(2, 1));
        float first = (3 * 0 + 3 * 80 + 1 * 160) / 7f / 255;
        float second = (1 * 80 + 3 * 160 + 3 * 240) / 7f / 255;
        Assert.That(planes, Is.EqualTo(new[] { first, second, first, second, first, second }).Within(1e-6));
    }

    [Test]
    public void Resize_KeepsAPlainImage_Plain()
    {
        float[] planes = AntialiasedResize.Resize(DrawnImages.Plain(37, 23, 200, 100, 50), new ImageSize(16, 11));
        Assert.That(planes.Take(176), Is.All.EqualTo(200 / 255f).Within(1e-6));
        Assert.That(planes.Skip(176).Take(176), Is.All.EqualTo(100 / 255f).Within(1e-6));
        Assert.That(planes.Skip(352), Is.All.EqualTo(50 / 255f).Within(1e-6));
    }

    [Test]
    public void Mirror_ReversesEveryRow()
    {
        RgbImage image = DrawnImages.Noise(53, 37);
        var region = new CropRegion(3.25f, 2, 41.5f, 30);
        float[] plain = Crop(image, region, mirror: false, 17, 11);
        float[] mirrored = Crop(image, region, mirror: true, 17, 11);
        float[] reversed = [.. plain.Chunk(17).SelectMany(row => row.Reverse())];
        Assert.That(mirrored, Is.EqualTo(reversed));
    }

    [Test]
    public void Crop_OfWholePixels_CopiesThem()
    {
        RgbImage image = DrawnImages.Noise(40, 30);
        float[] planes = Crop(image, new CropRegion(5, 7, 10, 8), mirror: false, 10, 8);
        for (int y = 0; y < 8; y++)
        {
            for (int x = 0; x < 10; x++)
                Assert.That(planes[y * 10 + x], Is.EqualTo(image.Pixels[3 * ((y + 7) * 40 + x + 5)] / 255f).Within(1e-6));
        }
    }

    [Test]
    public void Crop_SeesPixels_BesideTheRegion()
    {
        // A region of an even gradient is an even gradient: its edges are not bent by a border.
        var image = new RgbImage(64, 1, [.. Enumerable.Range(0, 64).SelectMany(x => Enumerable.Repeat((byte)(4 * x), 3))]);
        float[] planes = Crop(image, new CropRegion(16, 0, 32, 1), mirror: false, 8, 1);
        float[] expected = [.. Enumerable.Range(0, 8).Select(i => 4 * (16 + 4 * i + 1.5f) / 255)];
        Assert.That(planes.Take(8), Is.EqualTo(expected).Within(1e-6));
    }

    [Test]
    public void Region_LargerThanTheImage_IsFilledWithTheMeanColour()
    {
        RgbImage image = DrawnImages.Plain(10, 10, 255, 255, 255);
        float[] planes = Crop(image, new CropRegion(-5, -10, 20, 20), mirror: false, 4, 4);
        // Rows 2 and 3, columns 1 and 2 show the image.
        float pad = AntialiasedResize.PadColor.Y;
        float[] green = [pad, pad, pad, pad, pad, pad, pad, pad, pad, 1, 1, pad, pad, 1, 1, pad];
        Assert.That(planes.Skip(16).Take(16), Is.EqualTo(green).Within(1e-6));
    }

    private static float[] Crop(RgbImage image, CropRegion region, bool mirror, int width, int height)
    {
        var planes = new float[3 * width * height];
        AntialiasedResize.Resize(image, region, mirror, new ImageSize(width, height), planes);
        return planes;
    }

    /// <summary>What the exported model's operator makes of an image, 0 to 255.</summary>
    private static float[] ResizeByOnnxRuntime(RgbImage image, int width, int height)
    {
        var graph = new GraphBuilder();
        string input = graph.Input("image", TensorProto.Types.DataType.Float, 1, 3, image.Height, image.Width);
        string resized = graph.Add(
            "Resize", [input, "", "", graph.Integers(1, 3, height, width)],
            ("mode", "linear"), ("antialias", 1), ("exclude_outside", 1), ("coordinate_transformation_mode", "half_pixel"));
        graph.Output("resized", resized, TensorProto.Types.DataType.Float, 1, 3, height, width);
        using var session = new InferenceSession(graph.Build([]).ToByteArray());

        var planes = new DenseTensor<float>([1, 3, image.Height, image.Width]);
        int area = image.Width * image.Height;
        for (int i = 0; i < image.Pixels.Length; i++) planes.SetValue(i % 3 * area + i / 3, image.Pixels[i]);
        using var results = session.Run([NamedOnnxValue.CreateFromTensor("image", planes)]);
        return [.. results[0].AsTensor<float>()];
    }
}
