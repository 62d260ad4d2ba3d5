using System.Text;
using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Tests.Formats;

/// <summary>What stands in a file of each format is what is read.</summary>
public class FormatParserTests
{
    private static readonly AnnotatedObject Cat = new("cat", 1.5f, 2, 20, 10);
    private static readonly AnnotatedObject Dog = new("dog", 30, 5, 40, 25);

    [Test]
    public void Voc_ReadsFlags()
        => Assert.That(Objects(DetectionFormat.PascalVoc), Is.EqualTo(new[] { Cat with { Truncated = 1, Difficult = true }, Dog }));

    [Test]
    public void ImageNet_NamesSynsets()
        => Assert.That(Objects(DetectionFormat.ImageNet), Is.EqualTo(new[] { new AnnotatedObject("dog", 1, 2, 3, 4) }));

    [Test]
    public void Coco_TakesIdsOfAnyKind_InAnyOrder_AndImagesWithoutObjects()
    {
        List<AnnotatedImage> images = Parsing.Read(DetectionFormat.Coco, Samples.Coco);
        Assert.That(images.Select(image => image.ImagePath), Is.EqualTo(new[] { "a.jpg", "b.jpg", "cé.jpg" }));
        Assert.That(images.Select(image => image.Size), Is.EqualTo(new ImageSize?[] { new(100, 50), null, null }));
        Assert.That(images[0].Objects, Is.EqualTo(new[] { Cat with { Area = 100.5f, Occluded = 1, Truncated = 0.5f } }));
        Assert.That(images[1].Objects, Is.EqualTo(new[] { Dog with { Crowd = true } }));
        Assert.That(images[2].Objects, Is.Empty);
    }

    [Test]
    public void Coco_WithoutAnnotations_IsImagesWithoutObjects()
        => Assert.That(Parsing.Read(DetectionFormat.Coco, """{"images": [{"id": 1, "file_name": "a.jpg"}]}""").Single().Objects, Is.Empty);

    [Test]
    public void Coco_ReadsTheGoldenSet_WithItsCrowdsAndAreas()
    {
        string path = Path.Combine(TestData.Folder("coco-eval"), "instances_val2014_100.json");
        AnnotatedImage[] images = [.. CocoReader.Read(new AnnotationSource(path))];
        AnnotatedObject[] objects = [.. images.SelectMany(image => image.Objects)];
        Assert.That(images, Has.Length.EqualTo(100));
        Assert.That(objects, Has.Length.EqualTo(839));
        Assert.That(objects.Count(item => item.Crowd), Is.EqualTo(9));
        Assert.That(objects, Is.All.Matches<AnnotatedObject>(item => item.Area > 0));
    }

    [Test]
    public void Kitti_ReadsTruncationAndOcclusion_AndLeavesDontCareNoClass()
    {
        Assert.That(Objects(DetectionFormat.Kitti), Is.EqualTo(new[]
        {
            Cat with { Label = "Cat", Truncated = 0.25f, Occluded = 1 },
            Dog with { Label = "", Ignore = true },
            new AnnotatedObject("Dog", 0, 0, 7, 8) { Occluded = 3 },
        }));
    }

    [Test]
    public void Yolo_ReadsShares()
    {
        AnnotatedObject[] objects = Objects(DetectionFormat.Yolo);
        Assert.That(objects.Select(item => item.Label), Is.EqualTo(new[] { "cat", "dog" }));
        Assert.That(objects.SelectMany(item => new[] { item.X0, item.Y0, item.X1, item.Y1 }),
            Is.EqualTo(new float[] { 1.5f, 2, 20, 10, 30, 5, 40, 25 }).Within(1e-5));
    }

    [Test]
    public void OpenImages_GroupsLinesByImage_AndReadsQuotesAndDecimalCommas()
    {
        List<AnnotatedImage> images = Parsing.Read(DetectionFormat.OpenImages, Samples.OpenImages);
        Assert.That(images.Select(image => image.Objects.Count), Is.EqualTo(new[] { 2, 1 }));
        Assert.That(images[0].Objects[0], Is.EqualTo(new AnnotatedObject("Cat", 0.015f, 0.04f, 0.2f, 0.2f) { Occluded = 1 }));
        Assert.That(images[1].Objects[0],
            Is.EqualTo(new AnnotatedObject("Wild \"dog\", other", 0.3f, 0.1f, 0.4f, 0.5f) { Crowd = true, Truncated = 1 }));
    }

    [Test]
    public void TabSeparated_ReadsLabelsAndBoxes_AndImagesWithoutObjects()
    {
        List<AnnotatedImage> images = Parsing.Read(DetectionFormat.TabSeparated, Samples.TabSeparated);
        Assert.That(images.Select(image => image.ImagePath), Is.EqualTo(new[] { "a.jpg", "sub/b.jpg" }));
        Assert.That(images[0].Objects, Is.EqualTo(new[] { Cat, Dog }));
        Assert.That(images[1].Objects, Is.Empty);
    }

    [Test]
    public void LineEnds_AndByteOrderMarks_OfAnySystem_AreTheSame([Values] DetectionFormat format, [Values("\n", "\r\n", "\r")] string end,
        [Values] bool mark)
    {
        List<AnnotatedImage> expected = Parsing.Read(format, Samples.Of(format));
        string text = (mark ? "\uFEFF" : "") + Samples.Of(format).ReplaceLineEndings(end);
        AssertSame(Parsing.Read(format, text), expected);
    }

    [Test]
    public void Utf16_WithAByteOrderMark_IsRead_ButForJson([Values] DetectionFormat format, [Values] bool bigEndian)
    {
        Encoding encoding = bigEndian ? Encoding.BigEndianUnicode : Encoding.Unicode;
        byte[] content = [.. encoding.GetPreamble(),
            .. encoding.GetBytes(Samples.Of(format).Replace("encoding=\"utf-8\"", "encoding=\"utf-16\"", StringComparison.Ordinal))];
        if (format != DetectionFormat.Coco) AssertSame(Parsing.Read(format, content), Parsing.Read(format, Samples.Of(format)));
        else Assert.That(() => Parsing.Read(format, content), Throws.TypeOf<FormatException>().With.Message
            .StartsWith("file(1): ").And.Message.Contains("UTF-8"));
    }

    [TestCase("names:\n  0: cat\n  1: 'the dog''s'\n", "cat|the dog's")]
    [TestCase("names: [cat, \"d, \\u00f6g\", ]  # two\n", "cat|d, ög")]
    [TestCase("train: x\nnames:\n- cat # first\n- '#2'\nnc: 2\n", "cat|#2")]
    [TestCase("names: {0: cat, 1: \"d:g\"}\ndownload: |\n  from x import y\n", "cat|d:g")]
    [TestCase("names: [cat,\n  dog\n]\n", "cat|dog")]
    [TestCase("names: &n\n  0: cell\n", "cell")]
    [TestCase("names: !!seq [!!str cell, 2]\n", "cell|2")]
    [TestCase("names: [\"caf\\xE9 \\U0001F600\"]\n", "café 😀")]
    [TestCase("names: [\"red\\tcell\"]\n", "red\tcell")]
    [TestCase("names:\n  [cat, long\n  name]\n", "cat|long name")]
    [TestCase("a: &a [cat, dog]\nb: &b cow\nnames: *a\n", "cat|dog")]
    [TestCase("b: &b cow\nnames: [cat, *b]\n", "cat|cow")]
    [TestCase("%YAML 1.1\n---\nnames:\n  0: >-\n    two\n    words\n...\n", "two words")]
    [TestCase("test: # none\nroboflow:\n  a: [{b: 1}]\nnames: {0: null}\nnc: ~\n", "null")]
    public void DataYaml_IsRead_InItsManyStyles(string yaml, string names)
        => Assert.That(YoloDataFile.Read(Parsing.Lines(yaml)).ReadNames().All.Select(pair => pair.Value), Is.EqualTo(names.Split('|')));

    [TestCase("wrap.yaml", "cell", "/home/some user/Documents/My very long folder name that goes on and on/and on and on/dataset")]
    [TestCase("anchor.yaml", "cell", null)]
    [TestCase("tag.yaml", "cell", null)]
    [TestCase("list.yaml", "cell", null)]
    [TestCase("emoji.yaml", "café 😀", null)]
    [TestCase("nl.yaml", "red\tcell", null)]
    public void DataYaml_OfUsers_IsReadAsYamlSays(string name, string classes, string? path)
    {
        using TextLines lines = TextLines.Open(TestData.Case(Path.Combine("data-yaml", name)));
        var file = YoloDataFile.Read(lines);
        Assert.That(file.ReadNames().All.Select(pair => pair.Value), Is.EqualTo(classes.Split('|')));
        Assert.That(file.Split("train").Select(part => part.Path), Is.EqualTo(new[] { "images/train" }));
        Assert.That(file.Splits.Select(split => split.Name), Is.EqualTo(new[] { "train", "val" }));
        Assert.That(file.PathText, Is.EqualTo(path));
    }

    [Test]
    public void DataYaml_Wrapped_IsOneLine()
    {
        var file = YoloDataFile.Read(Parsing
            .Lines("path: /home/some user/My very long name that goes on\n  and on\ntrain:\n  images/train\nval: [a, b]\nnames: [cell]\n"));
        Assert.That(file.PathText, Is.EqualTo("/home/some user/My very long name that goes on and on"));
        Assert.That(file.Split("train"), Is.EqualTo(new[] { ("images/train", 4) }));
        Assert.That(file.Split("val").Select(part => part.Path), Is.EqualTo(new[] { "a", "b" }));
        Assert.That(file.Split("test"), Is.Empty);
    }

    private static AnnotatedObject[] Objects(DetectionFormat format) => [.. Parsing.Read(format, Samples.Of(format)).Single().Objects];

    private static void AssertSame(List<AnnotatedImage> actual, List<AnnotatedImage> expected)
    {
        Assert.That(actual.Select(image => image.ImagePath), Is.EqualTo(expected.Select(image => image.ImagePath)));
        Assert.That(actual.SelectMany(image => image.Objects), Is.EqualTo(expected.SelectMany(image => image.Objects)));
    }
}
