using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Distillation.Images;
using SkiaSharp;

namespace Microsoft.ML.Distillation.Tests.Images;

/// <summary>Photos whose Exif data turn them are what a viewer shows.</summary>
public class UprightImageTests
{
    private static readonly (byte Red, byte Green, byte Blue) First = (230, 30, 30), Last = (30, 30, 230), Grey = (120, 120, 120);

    private readonly TemporaryFolder _folder = new();

    [OneTimeTearDown]
    public void RemoveFolder() => _folder.Dispose();

    // Exif: where the stored row 0 and column 0 are seen. The stored first corner is red, the last of the first row blue.
    [TestCase(1, "top left", "top right")]
    [TestCase(2, "top right", "top left")]
    [TestCase(3, "bottom right", "bottom left")]
    [TestCase(4, "bottom left", "bottom right")]
    [TestCase(5, "top left", "bottom left")]
    [TestCase(6, "top right", "bottom right")]
    [TestCase(7, "bottom right", "top right")]
    [TestCase(8, "bottom left", "top left")]
    public void Pixels_AreTurned_AsExifAsks(int orientation, string first, string last)
    {
        string path = Photo($"corners{orientation}.jpg", orientation);
        ImageSize size = orientation >= 5 ? new(32, 64) : new(64, 32);
        RgbImage image = ImageFile.Read(path);
        Assert.Multiple(() =>
        {
            Assert.That(ImageFile.SizeOf(path), Is.EqualTo(size));
            Assert.That((image.Width, image.Height), Is.EqualTo((size.Width, size.Height)));
            Assert.That(ColourOf(image, first), Is.EqualTo("red"));
            Assert.That(ColourOf(image, last), Is.EqualTo("blue"));
        });
        using MLImage toMachineLearningNet = ImageLoader.Load(path);
        Assert.That(MLImagePixels.ToRgb(toMachineLearningNet).Pixels, Is.EqualTo(image.Pixels));
        Assert.That(ImageFile.Problem(path), Is.Null);
    }

    [Test]
    public void Boxes_AreTurned_LikeThePixels([Range(1, 8)] int orientation)
    {
        var turn = ImageTurn.Of((SKEncodedOrigin)orientation, new ImageSize(64, 32));
        // The pixel at (5, 7) as a box.
        (float x0, float y0, float x1, float y1) = turn.Turn(5, 7, 6, 8);
        Assert.That((x1 - x0, y1 - y0), Is.EqualTo((1f, 1f)));
        Assert.That(turn.First + (int)x0 * turn.Right + (int)y0 * turn.Down, Is.EqualTo(7 * 64 + 5));
    }

    [Test]
    public void WebP_IsTurnedToo()
    {
        byte[] webp = EncodedImages.Encode(Corners(), ".webp");
        string path = Path.Combine(_folder.Path, "turned.webp");
        File.WriteAllBytes(path, EncodedImages.WebPWithExif(webp, new ImageSize(64, 32), 6));
        RgbImage image = ImageFile.Read(path);
        Assert.That((image.Width, image.Height, ColourOf(image, "top right")), Is.EqualTo((32, 64, "red")));
    }

    [Test]
    public void Png_IsTurnedToo([Range(1, 8)] int orientation, [Values] bool behind, [Values] bool bigEndian)
    {
        byte[] png = EncodedImages.PngWithExif(
            EncodedImages.Encode(Corners(), ".png"), (byte)orientation, behind, bigEndian, prefixed: orientation == 5);
        string path = Path.Combine(_folder.Path, "turned.png");
        File.WriteAllBytes(path, png);
        RgbImage image = ImageFile.Read(path), asJpeg = ImageFile.Read(Photo("turned.jpg", orientation));
        Assert.That((image.Width, image.Height), Is.EqualTo((asJpeg.Width, asJpeg.Height)));
        foreach (string corner in (string[])["top left", "top right", "bottom left", "bottom right"])
            Assert.That(ColourOf(image, corner), Is.EqualTo(ColourOf(asJpeg, corner)), corner);
        using (var content = ImageFile.Open(png, "bytes")) Assert.That(content.Decode().Pixels, Is.EqualTo(image.Pixels));

        string copy = Path.Combine(_folder.Path, "copy.png");
        ImageFile.CopyUpright(path, copy);
        Assert.That(ImageFile.TryTurnOf(copy)!.Value.IsNone);
        Assert.That(ImageFile.Read(copy).Pixels, Is.EqualTo(image.Pixels));
    }

    // A directory beyond the end, a number of entries that are not there, an orientation that is none, a chunk that is cut off.
    [TestCase(new byte[] { 73, 73, 42, 0, 255, 255, 255, 127 })]
    [TestCase(new byte[] { 73, 73, 42, 0, 8, 0, 0, 0, 255, 255, 1 })]
    [TestCase(new byte[] { 73, 73, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 9, 0, 0, 0 })]
    [TestCase(new byte[] { 1, 2, 3 })]
    [TestCase(new byte[0])]
    public void PngWithBrokenExif_StaysAsItIs(byte[] exif)
    {
        byte[] png = EncodedImages.Encode(Corners(), ".png");
        byte[] chunk = [0, 0, 0, (byte)exif.Length, .. "eXIf"u8, .. exif];
        string path = Path.Combine(_folder.Path, "broken.png");
        File.WriteAllBytes(path, [.. png.AsSpan(..^12), .. chunk]);
        Assert.That(ImageFile.TryTurnOf(path)!.Value.IsNone);
        uint crc = EncodedImages.Crc(chunk.AsSpan(4));
        byte[] sum = [(byte)(crc >> 24), (byte)(crc >> 16), (byte)(crc >> 8), (byte)crc];
        File.WriteAllBytes(path, [.. png.AsSpan(..33), .. chunk, .. sum, .. png.AsSpan(33)]);
        Assert.That(ColourOf(ImageFile.Read(path), "top left"), Is.EqualTo("red"));
    }

    [TestCase("voc", DetectionFormat.PascalVoc)]
    [TestCase("coco", DetectionFormat.Coco)]
    [TestCase("yolo", DetectionFormat.Yolo)]
    public void UsersPhotos_ShowWhatTheirBoxesSay(string folder, DetectionFormat format)
    {
        AnnotatedImage[] images =
            [.. AnnotationReader.Read(format, new AnnotationSource(TestData.Case($"exif-orientation/{folder}"), ImageFolder: null))];
        Assert.That(images, Has.Length.EqualTo(format == DetectionFormat.Yolo ? 4 : 4));
        foreach (AnnotatedImage image in images)
        {
            RgbImage pixels = ImageFile.Read(image.ImagePath);
            Assert.That(image.Size, Is.EqualTo(new ImageSize(pixels.Width, pixels.Height)), image.ImagePath);
            foreach (AnnotatedObject item in image.Objects)
                Assert.That(Name(pixels, (item.X0 + item.X1) / 2, (item.Y0 + item.Y1) / 2), Is.EqualTo(Colours[item.Label]),
                    $"{image.ImagePath} {item}");
        }
    }

    private static readonly Dictionary<string, string> Colours = new() { ["square"] = "red", ["disc"] = "blue" };

    private string Photo(string name, int orientation)
    {
        byte[] jpeg = EncodedImages.Encode(Corners(), ".jpg");
        string path = Path.Combine(_folder.Path, name);
        File.WriteAllBytes(path, EncodedImages.WithExif(jpeg, (byte)orientation, jpeg));
        return path;
    }

    /// <summary>64×32 pixels of grey with a red corner at the upper left and a blue one at the upper right.</summary>
    private static RgbImage Corners()
    {
        RgbImage image = DrawnImages.Plain(64, 32, Grey.Red, Grey.Green, Grey.Blue);
        for (int y = 0; y < 16; y++)
        {
            for (int x = 0; x < 16; x++)
            {
                Set(x, y, First);
                Set(63 - x, y, Last);
            }
        }

        return image;

        void Set(int x, int y, (byte, byte, byte) colour)
            => (image.Pixels[3 * (64 * y + x)], image.Pixels[3 * (64 * y + x) + 1], image.Pixels[3 * (64 * y + x) + 2]) = colour;
    }

    private static string ColourOf(RgbImage image, string corner) => Name(
        image, corner.EndsWith("left", StringComparison.Ordinal) ? 6 : image.Width - 7,
        corner.StartsWith("top", StringComparison.Ordinal) ? 6 : image.Height - 7);

    private static string Name(RgbImage image, float x, float y)
    {
        ReadOnlySpan<byte> pixel = image.Pixels.AsSpan(3 * ((int)y * image.Width + (int)x), 3);
        return (pixel[0] - pixel[2]) switch
        {
            > 60 => "red",
            < -60 => "blue",
            _ => "grey",
        };
    }
}
