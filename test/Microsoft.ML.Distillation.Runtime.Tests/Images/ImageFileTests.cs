using System.Text;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Distillation.Images;
using SkiaSharp;

namespace Microsoft.ML.Distillation.Tests.Images;

public class ImageFileTests
{
    private readonly TemporaryFolder _folder = new();

    [OneTimeTearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void Size_IsInTheHeader([ValueSource(typeof(EncodedImages), nameof(EncodedImages.Kinds))] string kind)
    {
        byte[] content = EncodedImages.Encode(DrawnImages.Noise(197, 117), kind);
        Assert.That(ImageFile.SizeOf(Write("whole" + kind, content)), Is.EqualTo(new ImageSize(197, 117)));
        Assert.That(ImageFile.SizeOf(Write("head" + kind, content[..1000])), Is.EqualTo(new ImageSize(197, 117)), "no pixel is needed");
    }

    [Test]
    public void Pixels_AreThoseOfTheOtherDecoder([ValueSource(typeof(EncodedImages), nameof(EncodedImages.Kinds))] string kind)
    {
        string path = Write("pixels" + kind, EncodedImages.Encode(DrawnImages.Noise(37, 17), kind));
        using MLImage known = MLImage.CreateFromFile(path), own = ImageFile.ReadMLImage(path);
        Assert.That(ImageFile.Read(path).Pixels, Is.EqualTo(MLImagePixels.ToRgb(known).Pixels));
        Assert.That(MLImagePixels.ToRgb(own).Pixels, Is.EqualTo(MLImagePixels.ToRgb(known).Pixels));
        Assert.That(ImageFile.Problem(path), Is.Null);
    }

    [Test]
    public void Colours_AreAsStored_ThoughHalfTransparent()
    {
        using var bitmap = new SKBitmap(new SKImageInfo(2, 1, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        bitmap.SetPixel(0, 0, new SKColor(200, 100, 50, 128));
        bitmap.SetPixel(1, 0, new SKColor(1, 2, 3, 255));
        string path = Write("half.png", bitmap.Encode(SKEncodedImageFormat.Png, 100).ToArray());
        Assert.That(ImageFile.Read(path).Pixels, Is.EqualTo(new byte[] { 200, 100, 50, 1, 2, 3 }));
    }

    [Test]
    public void FileThatEndsEarly_IsToldFromAWholeOne(
        [ValueSource(typeof(EncodedImages), nameof(EncodedImages.Kinds))] string kind, [Values(.45, .97)] double share)
    {
        byte[] content = EncodedImages.Encode(DrawnImages.Noise(197, 117), kind);
        string path = Write("cut" + kind, content[..(int)(share * content.Length)]);
        AssertCut(path);
    }

    [Test]
    public void JpegThatEndsEarly_IsFound_ThoughItsThumbnailIsWhole()
    {
        byte[] thumbnail = EncodedImages.Encode(DrawnImages.Noise(32, 24, 2), ".jpg");
        byte[] content = EncodedImages.WithExif(EncodedImages.Encode(DrawnImages.Noise(320, 240), ".jpg"), 1, thumbnail);
        string whole = Write("thumbnail.jpg", content);
        Assert.That(ImageFile.Problem(whole), Is.Null);
        Assert.That(ImageFile.Read(whole).Width, Is.EqualTo(320));
        AssertCut(Write("cut-thumbnail.jpg", content[..(int)(.45 * content.Length)]));
    }

    [Test]
    public void PngWithBrokenPixels_IsFound_ThoughItsEndIsThere()
    {
        byte[] content = EncodedImages.Encode(DrawnImages.Noise(197, 117), ".png");
        content.AsSpan(content.Length / 2, 3000).Clear();
        string path = Write("hole.png", content);
        Assert.That(ImageFile.Problem(path), Is.Not.Null);
        Assert.That(() => ImageFile.Read(path), Throws.InstanceOf<UnreadableImageException>());
    }

    [TestCase("")]
    [TestCase("no image, but a text that is long enough")]
    [TestCase("\u00ff\u00d8\u00ff\u00c0")]
    public void NoImage_IsAnError_ThatNamesTheFile(string content)
    {
        string path = Write("text.jpg", Encoding.Latin1.GetBytes(content));
        Assert.That(() => ImageFile.SizeOf(path),
            Throws.InstanceOf<FormatException>().With.Message.EqualTo($"'{path}' is no image that can be read."));
        Assert.That(ImageFile.TrySizeOf(path), Is.Null);
        Assert.That(ImageFile.TryRead(path), Is.EqualTo(((RgbImage?)null, "this is no image that can be read")));
        Assert.That(() => ImageFile.SizeOf(path + "x"), Throws.InstanceOf<FileNotFoundException>());
    }

    [Test]
    public void Sizes_OfRealImages_AgreeWithTheirAnnotations()
    {
        string root = TestData.Folder("voc2012-100");
        var source = new AnnotationSource(Path.Combine(root, "annotations", "pascalvoc_format"), null, Path.Combine(root, "JPEGImages"));
        foreach (AnnotatedImage image in PascalVocReader.Read(source))
            Assert.That(ImageFile.SizeOf(image.ImagePath), Is.EqualTo(image.Size));
    }

    [Test]
    public void UsersFiles_ThatEndEarly_AreFound()
    {
        string folder = TestData.Case("truncated-with-exif-thumbnail/JPEGImages");
        Assert.That(ImageFile.Problem(Path.Combine(folder, "whole.jpg")), Is.Null);
        AssertCut(Path.Combine(folder, "cut.jpg"));
        AssertCut(Path.Combine(folder, "cutplain.jpg"));
    }

    [Test]
    public void UsersFiles_OfManyKinds_ShowOneSquareInItsColours()
    {
        RgbImage expected = ImageFile.Read(TestData.Case("image-kinds/base.png"));
        foreach (string path in Directory.GetFiles(TestData.Case("image-kinds")))
        {
            RgbImage image = ImageFile.Read(path);
            Assert.That((image.Width, image.Height), Is.EqualTo((expected.Width, expected.Height)), path);
            using MLImage toMachineLearningNet = ImageFile.ReadMLImage(path);
            Assert.That(MLImagePixels.ToRgb(toMachineLearningNet).Pixels, Is.EqualTo(image.Pixels), path);
            if (Path.GetFileName(path) is "half-transparent.png" or "rgb16.png" or "palette.png" or "bmp.bmp")
                Assert.That(image.Pixels.Zip(expected.Pixels, (a, b) => Math.Abs(a - b)).Max(), Is.LessThan(12), path);
        }
    }

    private static void AssertCut(string path)
    {
        Assert.That(ImageFile.Problem(path), Is.Not.Null);
        (RgbImage? filledUp, string? problem) = ImageFile.TryRead(path);
        Assert.That((filledUp is not null, problem), Is.EqualTo((true, UnreadableImageException.EndsEarly)));
        Assert.That(() => ImageFile.Read(path),
            Throws.InstanceOf<FormatException>().With.Message.EqualTo($"'{path}' is no whole image: the file ends before the image does."));
    }

    private string Write(string name, byte[] content)
    {
        string path = Path.Combine(_folder.Path, name);
        File.WriteAllBytes(path, content);
        return path;
    }
}
