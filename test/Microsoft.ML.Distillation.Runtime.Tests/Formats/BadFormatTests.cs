using System.Diagnostics;
using System.Text;
using Microsoft.ML.Distillation.Formats;

namespace Microsoft.ML.Distillation.Tests.Formats;

/// <summary>Bad input is an error that names file and line.</summary>
public class BadFormatTests
{
    private const string KittiTail = " 1 1 1 1 1 1 1";
    private const string CsvHeader = "ImageID,LabelName,XMin,XMax,YMin,YMax\n";

    [TestCase("<annotation>\n<object><name>cat</name><bndbox><xmin>5</xmin><ymin>1</ymin><xmax>4</xmax><ymax>9</ymax></bndbox></object>"
        + "</annotation>", 2, "negative width")]
    [TestCase("<annotation>\n<size><width>-5</width></size></annotation>", 2, "not from 0 to")]
    [TestCase("<annotation><object><name>cat</name>\n<difficult>maybe</difficult><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>4</xmax>"
        + "<ymax>9</ymax></bndbox></object></annotation>", 2, "neither 0 nor 1")]
    [TestCase("<annotation>\n<object><name>cat</name><bndbox><xmin>1e39</xmin></bndbox></object></annotation>", 2,
        "'1e39', which is no number")]
    [TestCase("<annotation>\n&who;</annotation>", 2, "")]
    [TestCase("<?xml version=\"1.0\" encoding=\"nowhere\"?>\n<annotation/>", 1, "")]
    [TestCase("", 1, "xml")]
    public void Voc(string content, int line, string problem) => AssertError(DetectionFormat.PascalVoc, content, line, problem);

    [Test]
    public void ImageNet_SynsetWithoutAName()
        => AssertError(DetectionFormat.ImageNet, "<annotation>\n<object>\n<name>n00000003</name></object></annotation>", 3,
            "'n00000003' has no name in 'file'");

    [TestCase("[]", 1, "an object with images")]
    [TestCase("{\"images\": []", 1, "no well-formed json")]
    [TestCase("{\"images\": [],\n\"annotations\": [\n}", 3, "no well-formed json")]
    [TestCase("{}", 1, "no list of images")]
    [TestCase("{\"images\": {}}", 1, "images is no list")]
    [TestCase("{\"images\": [],\n\"images\": []}", 2, "two lists of images")]
    [TestCase("{\"images\": [\n3]}", 2, "images[0] is no object")]
    [TestCase("{\"images\": [\n{\"id\": 1}]}", 2, "images[0] has no file_name")]
    [TestCase("{\"images\": [{\"file_name\": \"a\"}]}", 1, "images[0] has no id")]
    [TestCase("{\"images\": [{\"id\": 1.5}]}", 1, "neither a whole number nor a text")]
    [TestCase("{\"images\": [{\"id\": 1, \"file_name\": \"a\", \"width\": -4}]}", 1, "width is no number of pixels")]
    [TestCase("{\"images\": [{\"id\": 1, \"file_name\": \"a\"},\n{\"id\": 1, \"file_name\": \"b\"}]}", 2,
        "images[1] has the id 1 of another image")]
    [TestCase("{\"images\": [{\"id\": 1, \"file_name\": \"a\"},\n{\"id\": 2, \"file_name\": \"a\"}]}", 2,
        "images[1] has the file_name 'a' of another image")]
    [TestCase("{\"categories\": [{\"id\": 1, \"name\": \"a\"},\n{\"id\": 1, \"name\": \"b\"}]}", 2,
        "categories[1] has the id 1 of another category")]
    [TestCase("{\"categories\": [{\"id\": 1, \"name\": \"\"}]}", 1, "name is no text, or empty")]
    public void Coco(string content, int line, string problem) => AssertError(DetectionFormat.Coco, content, line, problem);

    [TestCase("\"image_id\": 1, \"category_id\": 1", "has neither a bbox nor a segmentation")]
    [TestCase("\"image_id\": 1, \"bbox\": [1, 1, 2, 2]", "has no category_id")]
    [TestCase("\"category_id\": 1, \"bbox\": [1, 1, 2, 2]", "has no image_id")]
    [TestCase("\"image_id\": 2, \"category_id\": 1, \"bbox\": [1, 1, 2, 2]", "belongs to the image 2, which the file does not have")]
    [TestCase("\"image_id\": 1, \"category_id\": \"x\", \"bbox\": [1, 1, 2, 2]",
        "belongs to the category 'x', which the file does not have")]
    [TestCase("\"image_id\": 1, \"category_id\": 1, \"bbox\": [1, 1, -2, 2]", "negative width")]
    [TestCase("\"image_id\": 1, \"category_id\": 1, \"bbox\": [1, 1, 2]", "has 3 numbers in its bbox")]
    [TestCase("\"image_id\": 1, \"category_id\": 1, \"bbox\": [1, 1, 2, NaN]", "no well-formed json")]
    [TestCase("\"image_id\": 1, \"category_id\": 1, \"bbox\": [1, 1, 2, 1e999]", "no list of four numbers")]
    [TestCase("\"image_id\": 1, \"category_id\": 1, \"bbox\": [1, 1, 2, 1e99]", "no finite number")]
    [TestCase("\"image_id\": 1, \"category_id\": 1, \"bbox\": [1, 1, 2, \"3\"]", "no list of four numbers")]
    [TestCase("\"image_id\": 1, \"category_id\": 1, \"bbox\": null", "has neither a bbox nor a segmentation")]
    [TestCase("\"image_id\": 1, \"category_id\": 1, \"bbox\": [1, 1, 2, 2], \"iscrowd\": 2", "iscrowd is neither 0 nor 1")]
    [TestCase("\"image_id\": 1, \"category_id\": 1, \"bbox\": [1, 1, 2, 2], \"area\": -1", "area is no number from 0")]
    [TestCase("\"image_id\": 1, \"category_id\": 1, \"bbox\": [1, 1, 2, 2], \"id\": 5},\n{\"image_id\": 1, \"category_id\": 1, \"bbox\": "
        + "[1, 1, 2, 2], \"id\": 5", "has the id 5 of another annotation")]
    public void Coco_Annotation(string members, string problem)
    {
        string content = $$"""
            {"images": [{"id": 1, "file_name": "a"}], "categories": [{"id": 1, "name": "cat"}], "annotations": [
            { {{members}} }]}
            """;
        AssertError(DetectionFormat.Coco, content, 2 + members.Count(c => c == '\n'), problem);
    }

    [TestCase("Cat 0 0 0 1 1 2 2", "15 or 16 columns are expected, not 8")]
    [TestCase("Cat 0 0 0 1 1 2 2" + KittiTail + " 1 1", "not 17")]
    [TestCase("Cat 0 0 0 1 NaN 2 2" + KittiTail, "'NaN', which is no number")]
    [TestCase("Cat 0 0 0 1 1 2 0.5" + KittiTail, "negative height")]
    [TestCase("Cat 0 4 0 1 1 2 2" + KittiTail, "column 3 (occluded)")]
    [TestCase("Cat 1.5 0 0 1 1 2 2" + KittiTail, "column 2 (truncated)")]
    public void Kitti(string line, string problem)
        => AssertError(DetectionFormat.Kitti, "Cat 0 0 0 1 1 2 2" + KittiTail + "\n\n" + line + "\n", 3, problem);

    [TestCase("0 .5 .5 .1", "a box has 5 columns (class, centre x, y, width, height), an outline 7 or more (class and the corners), not 4")]
    [TestCase("0 .5 .5 .1 .1 .9", "not 6")]
    [TestCase("2 .5 .5 .1 .1", "class 2 is not among the 2 of 'file'")]
    [TestCase("-1 .5 .5 .1 .1", "class -1 is not among")]
    [TestCase("cat .5 .5 .1 .1", "'cat' is no number of a class")]
    [TestCase("0 .5 .5 -.1 .1", "negative width")]
    [TestCase("0 .5 nan .1 .1", "'nan', which is no number")]
    public void Yolo(string line, string problem) => AssertError(DetectionFormat.Yolo, "0 .5 .5 .1 .1\n" + line, 2, problem);

    [TestCase("a: 1\nnames:\n  x: cat\n", 3, "'x' is no number of a class")]
    [TestCase("names:\n  0: cat\n  0: dog\n", 3, "class 0 is named twice")]
    [TestCase("names: [cat]\nkpt_shape: 17\n", 2, "'kpt_shape' is no list")]
    [TestCase("names: [cat, dog\n", 2,
        "no well-formed YAML: While parsing a flow sequence, did not find expected ',' or ']' (in what begins in line 1)")]
    [TestCase("names: ['cat]\n", 1, "no well-formed YAML")]
    [TestCase("names: [cat, '', dog]\n", 1, "the name of a class is empty")]
    [TestCase("names:\n- cat\n-\n", 3, "the name of a class is empty")]
    [TestCase("names:\n- cat\n- [dog]\n", 3, "the name of a class is a list or a map")]
    [TestCase("names:\n  [0, 1]: cat\n", 2, "the key of a member is a list or a map")]
    [TestCase("\nnames: []\n", 2, "'names' holds no class")]
    [TestCase("nc: 3\nnames: [cat]\n", 1, "'nc' is '3', but there are 1 names")]
    [TestCase("train: x\n", 1, "no 'names'")]
    [TestCase("names: [a]\nnames: [b]\n", 2, "twice")]
    [TestCase("hello\n", 1, "'key: value' are expected")]
    [TestCase("names:\n- \"\\q\"\n", 2, "unknown escape character")]
    [TestCase("names: [cat]\n---\nnames: [dog]\n", 2, "a second document begins")]
    [TestCase("a: &a {0: cat}\nnames:\n  <<: *a\n", 3, "maps are not merged ('<<')")]
    [TestCase("names: [*a]\n", 1, "the alias '*a' stands for nothing that ends before it")]
    [TestCase("names: &a [*a]\n", 1, "the alias '*a' stands for nothing that ends before it")]
    [TestCase("a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nnames: [cat]\n", 2,
        "the alias '*a' stands for a list or map inside of another")]
    [TestCase("a: &a [[x]]\nnames: *a\n", 2, "the alias '*a' stands for a list or map inside of another")]
    public void DataYaml(string content, int line, string problem)
        => AssertError(() => YoloDataFile.Read(Parsing.Lines(content)).ReadNames(), line, problem);

    [Test]
    public void DataYaml_NestedDeeperThanAnybodyWrites()
        => AssertError(() => YoloDataFile.Read(Parsing.Lines("names:\n" + new string('[', 100_000))), 2, "nested deeper than 32 levels");

    [TestCase("ImageID,LabelName\n", 1, "no column XMin")]
    [TestCase("ImageID,ImageID\n", 1, "twice")]
    [TestCase("", 1, "no header")]
    [TestCase(CsvHeader + "a,cat,0,1,0\n", 2, "6 columns are expected, as in the header, not 5")]
    [TestCase(CsvHeader + "a,cat,0,1,0,0,1\n", 2, "not 7")]
    [TestCase(CsvHeader + "a,cat,0,NaN,0,1\n", 2, "XMax holds 'NaN', which is no number")]
    [TestCase(CsvHeader + "a,cat,0.5,0.4,0,1\n", 2, "negative width")]
    [TestCase(CsvHeader + "a,/m/3,0,1,0,1\n", 2, "the class '/m/3' has no name in 'file'")]
    [TestCase(CsvHeader + "a,\"cat,0,1,0,1\n", 2, "a quote is not closed")]
    [TestCase(CsvHeader + "a,\"cat\"s,0,1,0,1\n", 2, "text follows a closing quote")]
    [TestCase(CsvHeader + ",cat,0,1,0,1\n", 2, "ImageID is empty")]
    public void OpenImages(string content, int line, string problem) => AssertError(DetectionFormat.OpenImages, content, line, problem);

    [TestCase("a.jpg\tcat", "3 columns are expected (image, labels, boxes), not 2")]
    [TestCase("a.jpg\tcat\t1,2,3", "1 labels need 4 numbers, not 3")]
    [TestCase("a.jpg\tcat\t1,2,3,x", "'x', which is no number")]
    [TestCase("a.jpg\tcat\t1,2,0,4", "negative width")]
    [TestCase("a.jpg\tcat,\t1,2,3,4,1,2,3,4", "label 2 is empty")]
    [TestCase("\tcat\t1,2,3,4", "the image has no path")]
    [TestCase("b.jpg\tcat\t1,2,3,4", "the image 'b.jpg' is named twice")]
    public void TabSeparated(string line, string problem)
        => AssertError(DetectionFormat.TabSeparated, "b.jpg\t\t\n" + line + "\n", 2, problem);

    [TestCase("n01 cat", "a synset and a name")]
    [TestCase("n00000001", "a synset and a name")]
    [TestCase("n00000002 3 cat", "named twice")]
    public void SynsetNames(string line, string problem)
        => AssertError(() => ClassCodes.ReadSynsets(Parsing.Lines("n00000002 dog\n" + line)), 2, problem);

    [TestCase("/m/1", "an id and a name")]
    [TestCase("/m/2,cat", "named twice")]
    [TestCase("/m/1,", "has no name")]
    public void MachineIdNames(string line, string problem)
        => AssertError(() => ClassCodes.ReadMachineIds(Parsing.Lines("/m/2,dog\n" + line)), 2, problem);

    [Test]
    public void TextInAnotherEncoding([Values] DetectionFormat format)
    {
        // The name in Latin-1; UTF-16 without a mark.
        string sample = Samples.Of(format).Replace("cat", "chaté", StringComparison.Ordinal)
            .Replace("dog", "chatté", StringComparison.Ordinal).Replace("Cat", "Chaté", StringComparison.Ordinal)
            + (format == DetectionFormat.Yolo ? "é" : "");
        sample = format == DetectionFormat.ImageNet ? sample.Replace("n00000002", "é", StringComparison.Ordinal) : sample;
        foreach (byte[] content in (byte[][])[Encoding.Latin1.GetBytes(sample), Encoding.Unicode.GetBytes(sample)])
        {
            // Xml in UTF-16 that does not claim to be in UTF-8 is read, as xml's rules say.
            if (format == DetectionFormat.ImageNet && content[1] == 0) Assert
                .That(Parsing.Read(format, content).Single().Objects.Single().Label, Is.EqualTo("é"));
            else Assert.That(() => Parsing.Read(format, content), Throws.TypeOf<FormatException>().With.Message.Match(@"^file\(\d+\): "));
        }
    }

    [Test]
    public void AVeryLongLine_IsAnError_WithoutHoldingIt([Values] DetectionFormat format, [Values('7', ' ', '<', '"', '\t')] char filler)
    {
        const int Length = 100_000_000;
        var time = Stopwatch.StartNew();
        long before = GC.GetAllocatedBytesForCurrentThread();
        using Stream stream = new LongLine(Encoding.UTF8.GetBytes(Samples.Of(format)), (byte)filler, Length);
        try
        {
            _ = format switch
            {
                DetectionFormat.PascalVoc or DetectionFormat.ImageNet => VocXml.Read(stream, Parsing.File).Objects.Length,
                DetectionFormat.Coco => CocoParser.Parse(stream, Parsing.File).Images.Count,
                DetectionFormat.Kitti => KittiLabels.Read(stream, Parsing.File).Count,
                DetectionFormat.Yolo => YoloLabels.Read(stream, Parsing.File, Parsing.Names, Parsing.Size).Count,
                DetectionFormat.OpenImages => OpenImagesCsv.Read(new TextLines(stream, Parsing.File), null).Count,
                _ => TabSeparatedReader.Read(new TextLines(stream, Parsing.File), name => name).Count(),
            };
            // White space after json is json.
            Assert.That((format, filler), Is.EqualTo((DetectionFormat.Coco, ' ')).Or.EqualTo((DetectionFormat.Coco, '\t')));
        }
        catch (FormatException exception)
        {
            Assert.That(exception.Message, Does.Match(@"^file\(\d+\): "));
        }

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(Length));
        Assert.That(time.Elapsed, Is.LessThan(TimeSpan.FromSeconds(20)));
    }

    private static void AssertError(DetectionFormat format, string content, int line, string problem)
        => AssertError(() => Parsing.Read(format, content), line, problem);

    private static void AssertError<T>(Func<T> read, int line, string problem)
        => Assert.That(() => read(), Throws.TypeOf<FormatException>().With.Message.StartsWith($"file({line}): ").And.Message
            .Contains(problem));
}
