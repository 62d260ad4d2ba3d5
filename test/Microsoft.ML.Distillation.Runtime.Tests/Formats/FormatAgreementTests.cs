using Microsoft.ML.Distillation.Formats;

namespace Microsoft.ML.Distillation.Tests.Formats;

/// <summary>The same ground truth in several formats is the same, box for box.</summary>
public class FormatAgreementTests
{
    private const int Images = 100;
    private const int Boxes = 273;

    // COCO and ImageNet xml hold the numbers of the VOC files as they are. OpenImages has shares with ten decimals, exact to the
    // rounding of Single; YOLO has six decimals of centre and size: half a unit of each, times 500 pixels, is 0.0004.
    [TestCase(DetectionFormat.Coco, "coco_format_v1", 0)]
    [TestCase(DetectionFormat.Coco, "coco_format_v2", 0)]
    [TestCase(DetectionFormat.ImageNet, "imagenet_format", 0)]
    [TestCase(DetectionFormat.OpenImages, "openimages_format", 1e-4)]
    [TestCase(DetectionFormat.Yolo, "yolo_format", 4e-4)]
    public void Voc2012_IsTheSame(DetectionFormat format, string folder, double tolerance)
    {
        Dictionary<string, AnnotatedImage> expected = Read(DetectionFormat.PascalVoc, "pascalvoc_format");
        Dictionary<string, AnnotatedImage> actual = Read(format, folder);
        Assert.That(expected, Has.Count.EqualTo(Images));
        Assert.That(expected.Values.Sum(image => image.Objects.Count), Is.EqualTo(Boxes));
        AssertSame(actual, expected, tolerance);
    }

    [Test]
    public void Difficult_IsInVocAlone_AndTruncatedToo()
    {
        // What the other files of this set do not say cannot be read from them.
        AnnotatedObject[] voc = [.. Read(DetectionFormat.PascalVoc, "pascalvoc_format").Values.SelectMany(image => image.Objects)];
        Assert.That(voc.Count(item => item.Difficult),
            Is.EqualTo(Directory.EnumerateFiles(Folder("pascalvoc_format"))
            .Sum(path => File.ReadAllText(path).Split("<difficult>1").Length - 1)));
        Assert.That(voc.Count(item => item.Difficult), Is.Positive);
        AnnotatedObject[] coco = [.. Read(DetectionFormat.Coco, "coco_format_v1").Values.SelectMany(image => image.Objects)];
        Assert.That(coco, Is.All.Matches<AnnotatedObject>(item => item is { Difficult: false, Crowd: false, Truncated: 0 }));
    }

    [TestCase(DetectionFormat.Yolo, "yolo_format", "train")]
    [TestCase(DetectionFormat.ImageNet, "imagenet_format", "default")]
    public void Split_ListsAllImages(DetectionFormat format, string folder, string split)
        => AssertSame(Read(format, folder, split), Read(DetectionFormat.PascalVoc, "pascalvoc_format"), 4e-4);

    [TestCase(DetectionFormat.PascalVoc, 0)]
    [TestCase(DetectionFormat.Coco, 0)]
    [TestCase(DetectionFormat.Yolo, 1e-4)]
    public void WrittenAndReadAgain_IsTheSame(DetectionFormat format, double tolerance)
    {
        using var folder = new TemporaryFolder();
        Dictionary<string, AnnotatedImage> expected = Read(DetectionFormat.PascalVoc, "pascalvoc_format");
        WrittenAnnotations written = AnnotationWriter
            .Write(format, folder.Path, expected.Values, new AnnotationWriterOptions { Split = "train", CopyImages = true });
        Assert.That((written.Images, written.Objects, written.LeftOut), Is.EqualTo((Images, Boxes, 0)));
        AssertSame(ByName(AnnotationReader.Read(format, new AnnotationSource(folder.Path, "train"))), expected, tolerance);
        if (format == DetectionFormat.Yolo) return;
        int difficult = AnnotationReader.Read(format, new AnnotationSource(folder.Path, "train"))
            .Sum(image => image.Objects.Count(item => item.Difficult));
        Assert.That(difficult, Is.EqualTo(expected.Values.Sum(image => image.Objects.Count(item => item.Difficult))));
    }

    private static string Folder(string name) => Path.Combine(TestData.Folder("voc2012-100"), "annotations", name);

    private static Dictionary<string, AnnotatedImage> Read(DetectionFormat format, string folder, string? split = null)
        => ByName(AnnotationReader.Read(format,
            new AnnotationSource(Folder(folder), split, Path.Combine(TestData.Folder("voc2012-100"), "JPEGImages"))));

    private static Dictionary<string, AnnotatedImage> ByName(IEnumerable<AnnotatedImage> images)
        => images.ToDictionary(image => Path.GetFileName(image.ImagePath));

    private static void AssertSame(Dictionary<string, AnnotatedImage> actual, Dictionary<string, AnnotatedImage> expected, double tolerance)
    {
        Assert.That(actual.Keys, Is.EquivalentTo(expected.Keys));
        foreach ((string name, AnnotatedImage image) in expected)
        {
            Assert.That(actual[name].ImagePath, Does.Exist);
            if (actual[name].Size is { } size) Assert.That(size, Is.EqualTo(image.Size), name);
            AnnotatedObject[] wanted = Sorted(image), got = Sorted(actual[name]);
            Assert.That(got.Select(item => item.Label), Is.EqualTo(wanted.Select(item => item.Label)), name);
            Assert.That(got.SelectMany(Corners), Is.EqualTo(wanted.SelectMany(Corners)).Within(tolerance), name);
        }
    }

    private static AnnotatedObject[] Sorted(AnnotatedImage image)
        => [.. image.Objects.OrderBy(item => item.Label, StringComparer.Ordinal).ThenBy(item => Math.Round(item.X0))
            .ThenBy(item => Math.Round(item.Y0)).ThenBy(item => Math.Round(item.X1)).ThenBy(item => Math.Round(item.Y1))];

    private static float[] Corners(AnnotatedObject item) => [item.X0, item.Y0, item.X1, item.Y1];
}
