using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Tests.Formats;

public class PascalVocReaderTests
{
    private const string OneCat = """
        <annotation>
          <filename>a.jpg</filename>
          <size><width>40</width><height>30</height><depth>3</depth></size>
          <object>
            <name> cat </name><difficult>1</difficult>
            <bndbox><xmin>1.5</xmin><ymin>2</ymin><xmax>20</xmax><ymax>1e1</ymax></bndbox>
            <part><name>head</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox></part>
          </object>
        </annotation>
        """;

    private const string NoObject = "<annotation><filename>b.png</filename></annotation>";

    private TemporaryFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void Annotation_IsRead_AsItIsWritten()
    {
        WriteDevkit();
        AnnotatedImage image = PascalVocReader.Read(_folder.Path, "train").Single();
        Assert.That(image.ImagePath, Is.EqualTo(Path.Combine(_folder.Path, "JPEGImages", "a.jpg")));
        Assert.That(image.Size, Is.EqualTo(new ImageSize(40, 30)));
        Assert.That(image.Objects, Is.EqualTo(new[] { new AnnotatedObject("cat", 1.5f, 2, 20, 10) { Difficult = true } }));
    }

    [Test]
    public void Image_WithoutObjects_IsKept()
    {
        WriteDevkit();
        AnnotatedImage image = PascalVocReader.Read(_folder.Path, "val").Single();
        Assert.That(image.Objects, Is.Empty);
        Assert.That(image.Size, Is.Null);
    }

    [Test]
    public void WithoutSplit_EveryAnnotationIsRead_InTheOrderOfNames()
    {
        WriteDevkit();
        Assert.That(Names(null), Is.EqualTo(new[] { "a.jpg", "b.png" }));
    }

    [Test]
    public void SplitList_KeepsItsOrder()
    {
        WriteDevkit();
        _folder.Write("ImageSets/Main/both.txt", "b\r\n\n a \n");
        Assert.That(Names("both"), Is.EqualTo(new[] { "b.png", "a.jpg" }));
    }

    [Test]
    public void FolderWithoutImageSets_IsRead()
    {
        WriteDevkit();
        Directory.Delete(Path.Combine(_folder.Path, "ImageSets"), recursive: true);
        Assert.That(Names(null), Is.EqualTo(new[] { "a.jpg", "b.png" }));
    }

    [Test]
    public void Images_MayLieBesideTheAnnotations_AndSplitsBeFolders()
    {
        _folder.Write("train/a.xml", OneCat);
        _folder.Write("train/a.jpg", "");
        _folder.Write("test/b.xml", NoObject);
        _folder.Write("test/b.png", "");
        Assert.That(PascalVocReader.Read(_folder.Path, "train").Single().ImagePath,
            Is.EqualTo(Path.Combine(_folder.Path, "train", "a.jpg")));
        Assert.That(Names("test"), Is.EqualTo(new[] { "b.png" }));
    }

    [TestCase("a.JPG", "a.jpg")]
    [TestCase("a.jpeg", "a.jpg")]
    [TestCase("a.PNG", "a")]
    [TestCase("a.bmp", "C:\\photos\\a.bmp")]
    [TestCase("other.jpg", "other.jpg")]
    [TestCase("a.jpg", "unknown.jpg")]
    [TestCase("a.b.png", "a.b")]
    [TestCase("a.jpg", null)]
    public void Image_IsFound_ByTheNameInTheAnnotation_OrTheAnnotationsOwn(string file, string? named)
    {
        _folder.Write("a.xml", $"<annotation>{(named is null ? "" : $"<filename>{named}</filename>")}</annotation>");
        _folder.Write(file, "");
        Assert.That(Names(null), Is.EqualTo(new[] { file }));
    }

    [Test]
    public void MissingImage_KeepsThePathThatIsExpected()
    {
        _folder.Write("Annotations/a.xml", OneCat);
        _folder.Sub("JPEGImages/x");
        Assert.That(PascalVocReader.Read(_folder.Path).Single().ImagePath, Is.EqualTo(Path.Combine(_folder.Path, "JPEGImages", "a.jpg")));
    }

    [TestCase("<annotation><object>", 1, "xml")]
    [TestCase("<annotation>\n<object>\n<name>cat</name></object></annotation>", 2, "<object> has no <bndbox>")]
    [TestCase("<annotation>\n<object><bndbox/></object></annotation>", 2, "<object> has no <name>")]
    [TestCase("<annotation><object>\n<name> </name></object></annotation>", 2, "<name> is empty")]
    [TestCase("<annotation><object><name>cat</name>\n\n<bndbox><xmin>1</xmin></bndbox></object></annotation>", 3, "<bndbox> has no <ymin>")]
    [TestCase("<annotation><object><name>cat</name><bndbox>\n<xmin>left</xmin></bndbox></object></annotation>", 2,
        "'left', which is no number")]
    [TestCase("<annotation><object><name>cat</name><bndbox>\n<xmin>NaN</xmin></bndbox></object></annotation>", 2, "no number")]
    [TestCase("<html/>", 1, "an <annotation> is expected, not <html>")]
    public void Error_NamesFileAndLine(string xml, int line, string problem)
    {
        string path = _folder.Write("a.xml", xml);
        Assert.That(
            () => PascalVocReader.Read(_folder.Path).ToList(),
            Throws.TypeOf<FormatException>().With.Message.StartsWith($"{path}({line}): ").And.Message.Contains(problem));
    }

    [Test]
    public void MissingFolder_IsNamed()
    {
        string path = Path.Combine(_folder.Path, "nowhere");
        Assert.That(() => PascalVocReader.Read(path), Throws.TypeOf<DirectoryNotFoundException>().With.Message.Contains(path));
    }

    [Test]
    public void MissingSplit_ListsThoseThatExist()
    {
        WriteDevkit();
        Assert.That(
            () => PascalVocReader.Read(_folder.Path, "test"),
            Throws.TypeOf<FileNotFoundException>().With.Message.Contains("'test'").And.Message.Contains("train, val"));
    }

    [Test]
    public void FolderOfSplits_WithoutASplit_AsksForOne()
    {
        _folder.Write("train/a.xml", OneCat);
        Assert.That(() => PascalVocReader.Read(_folder.Path), Throws.TypeOf<FileNotFoundException>().With.Message
            .EndsWith("Name a split: train."));
    }

    [Test]
    public void SplitWithAMissingAnnotation_NamesTheListAndItsLine()
    {
        WriteDevkit();
        string list = _folder.Write("ImageSets/Main/bad.txt", "a\nz\n");
        Assert.That(
            () => PascalVocReader.Read(_folder.Path, "bad"),
            Throws.TypeOf<FileNotFoundException>().With.Message.StartsWith($"{list}(2): ").And.Message.Contains("z.xml"));
    }

    [TestCase("train", 205)]
    [TestCase("val", 87)]
    [TestCase("test", 72)]
    [TestCase(null, 364)]
    public void BloodCells_AreComplete(string? split, int count)
    {
        AnnotatedImage[] images = [.. PascalVocReader.Read(TestData.Folder("bccd"), split)];
        Assert.That(images, Has.Length.EqualTo(count));
        Assert.That(images, Is.All.Matches<AnnotatedImage>(image => File.Exists(image!.ImagePath)));
        Assert.That(images.SelectMany(image => image.Objects).Select(item => item.Label).Distinct(),
            Is.EquivalentTo(new[] { "RBC", "WBC", "Platelets" }));
        if (split is null) Assert.That(images.Sum(image => image.Objects.Count), Is.EqualTo(4888));
    }

    [TestCase("train", 296, 527)]
    [TestCase("test", 67, 143)]
    public void Cards_AreComplete(string split, int count, int objects)
    {
        AnnotatedImage[] images = [.. PascalVocReader.Read(TestData.Folder("cards"), split)];
        Assert.That(images, Has.Length.EqualTo(count));
        Assert.That(images.Sum(image => image.Objects.Count), Is.EqualTo(objects));
        Assert.That(images, Is.All.Matches<AnnotatedImage>(image => File.Exists(image!.ImagePath)));
        Assert.That(images.Select(image => image.ImagePath), Is.Unique);
    }

    private void WriteDevkit()
    {
        _folder.Write("Annotations/a.xml", OneCat);
        _folder.Write("Annotations/b.xml", NoObject);
        _folder.Write("JPEGImages/a.jpg", "");
        _folder.Write("JPEGImages/b.png", "");
        _folder.Write("ImageSets/Main/train.txt", "a\n");
        _folder.Write("ImageSets/Main/val.txt", "b\n");
    }

    private string[] Names(string? split)
        => [.. PascalVocReader.Read(_folder.Path, split).Select(image => Path.GetFileName(image.ImagePath))];
}
