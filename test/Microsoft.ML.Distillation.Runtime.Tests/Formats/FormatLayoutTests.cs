using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Formats;

namespace Microsoft.ML.Distillation.Tests.Formats;

/// <summary>Where the files of a data set may lie.</summary>
public class FormatLayoutTests
{
    private const string CocoJson =
        """{"images":[{"id":1,"file_name":"a.png","width":10,"height":10}],"categories":[{"id":1,"name":"cat"}],"annotations":["""
        + """{"image_id":1,"category_id":1,"bbox":[1,2,3,4]}]}""";
    private const string Csv = "ImageID,LabelName,XMin,XMax,YMin,YMax\na,/m/1,0.1,0.4,0.2,0.6\n";
    private const string ImageNetXml =
        "<annotation><filename>a</filename><object><name>n00000001</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>4</xmax>"
        + "<ymax>6</ymax></bndbox></object></annotation>";
    private const string KittiText = "cat 0 0 0 1 2 4 6 0 0 0 0 0 0 0\n";
    private const string YoloText = "0 0.25 0.4 0.3 0.4\n";
    private const string Yaml = "train: images/train\nval: images/val\nnames: [cat]\n";

    private TemporaryFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [TestCase("annotations/instances_val.json", "images/val/a.png", "val")]
    [TestCase("annotations/instances_val2017.json", "val2017/a.png", "val2017")]
    [TestCase("annotations/instances_default.json", "images/default/a.png", null)]
    [TestCase("val/_annotations.coco.json", "val/a.png", "val")]
    [TestCase("val.json", "images/a.png", "val")]
    [TestCase("some.json", "a.png", null)]
    public void Coco(string file, string image, string? split) => AssertRead(DetectionFormat.Coco, file, CocoJson, image, split);

    [TestCase("label_2/a.txt", "image_2/a.png", null)]
    [TestCase("training/label_2/a.txt", "training/image_2/a.png", null)]
    [TestCase("training/label_2/a.txt", "training/image_2/a.png", "training")]
    [TestCase("a.txt", "a.png", null)]
    public void Kitti(string file, string image, string? split) => AssertRead(DetectionFormat.Kitti, file, KittiText, image, split);

    [TestCase("Annotations/DET/val/a.xml", "Data/DET/val/a.png", "val")]
    [TestCase("Annotations/DET/train/n1/a.xml", "Data/DET/train/n1/a.png", "train")]
    [TestCase("Annotations/a.xml", "JPEGImages/a.png", null)]
    public void ImageNet(string file, string image, string? split)
    {
        _folder.Write("map_det.txt", "n00000001 1 cat\n");
        AssertRead(DetectionFormat.ImageNet, file, ImageNetXml, image, split);
    }

    [TestCase("labels/val/a.txt", "images/val/a.png", "val")]
    [TestCase("labels/val/a.txt", "images/val/a.png", null)]
    [TestCase("val/labels/a.txt", "val/images/a.png", "val")]
    [TestCase("val/a.txt", "val/a.png", "val")]
    [TestCase("labels/a.txt", "images/a.png", null)]
    [TestCase("a.txt", "a.png", null)]
    public void Yolo(string file, string image, string? split)
    {
        _folder.Write("classes.txt", "cat\n");
        AssertRead(DetectionFormat.Yolo, file, YoloText, image, split);
    }

    [TestCase("train-annotations-bbox.csv", "train/a.png", "train")]
    [TestCase("oidv6-train-annotations-bbox.csv", "images/a.png", "train")]
    [TestCase("labels/detections.csv", "data/a.png", null)]
    public void OpenImages(string file, string image, string? split)
    {
        _folder.Write("class-descriptions-boxable.csv", "/m/1,cat\n");
        AssertRead(DetectionFormat.OpenImages, file, Csv, image, split);
    }

    [TestCase("train.tsv", "a.png", "train")]
    [TestCase("all.tsv", "images/a.png", null)]
    public void TabSeparated(string file, string image, string? split)
        => AssertRead(DetectionFormat.TabSeparated, file, "a.png\tcat\t1,2,4,6\n", image, split);

    [Test]
    public void Yolo_DataYaml_NamesTheSplits_AndImagesWithoutLabelsHaveNoObjects()
    {
        _folder.Write("data.yaml", Yaml);
        WriteImage("images/train/a.png");
        WriteImage("images/train/b.png");
        WriteImage("images/val/c.png");
        _folder.Write("labels/train/a.txt", YoloText);
        _folder.Write("labels/val/c.txt", "");
        Assert.That(Counts(DetectionFormat.Yolo, "train"), Is.EqualTo(new[] { "a 1", "b 0" }));
        Assert.That(Counts(DetectionFormat.Yolo, "val"), Is.EqualTo(new[] { "c 0" }));
        Assert.That(Counts(DetectionFormat.Yolo, null), Is.EqualTo(new[] { "a 1", "b 0", "c 0" }));
        string yaml = Path.Combine(_folder.Path, "data.yaml");
        Assert.That(YoloReader.Read(new AnnotationSource(yaml, "train")).Count(), Is.EqualTo(2));
    }

    [Test]
    public void Yolo_LabelsWithoutAnImage_AreAnError()
    {
        _folder.Write("data.yaml", Yaml);
        WriteImage("images/train/a.png");
        _folder.Write("labels/train/a.txt", YoloText);
        string stray = _folder.Write("labels/train/z.txt", YoloText);
        Assert.That(() => Counts(DetectionFormat.Yolo, "train"), Throws.TypeOf<FormatException>().With.Message.StartsWith($"{stray}(1): "));
    }

    [Test]
    public void Yolo_WithoutAnyLabels_IsAnError_AndSoIsAMissingFileOfNames()
    {
        WriteImage("images/a.png");
        Assert.That(() => Counts(DetectionFormat.Yolo, null), Throws.TypeOf<FileNotFoundException>().With.Message
            .Contains("no file of class names"));
        _folder.Write("data.yaml", "names: [cat]\n");
        Assert.That(() => Counts(DetectionFormat.Yolo, null), Throws.TypeOf<FileNotFoundException>().With.Message
            .Contains("Of 1 image none has a label file"));
    }

    [Test]
    public void Lists_ChooseAndOrder()
    {
        foreach (string name in (string[])["a", "b"])
        {
            WriteImage($"training/image_2/{name}.png");
            _folder.Write($"training/label_2/{name}.txt", KittiText);
        }

        _folder.Write("ImageSets/val.txt", "b\na\n");
        Assert.That(Counts(DetectionFormat.Kitti, "val"), Is.EqualTo(new[] { "b 1", "a 1" }));
        string list = _folder.Write("ImageSets/bad.txt", "a\nb\na\n");
        Assert.That(() => Counts(DetectionFormat.Kitti, "bad"), Throws.TypeOf<FormatException>().With.Message
            .StartsWith($"{list}(3): 'a' is listed twice"));
        _folder.Write("ImageSets/bad.txt", "z\n");
        Assert.That(() => Counts(DetectionFormat.Kitti, "bad"), Throws.TypeOf<FileNotFoundException>().With.Message
            .StartsWith($"{list}(1): "));
    }

    [TestCase(DetectionFormat.Kitti, "ImageSets/val.txt")]
    [TestCase(DetectionFormat.ImageNet, "ImageSets/DET/val.txt")]
    [TestCase(DetectionFormat.Yolo, "val.txt")]
    [TestCase(DetectionFormat.PascalVoc, "ImageSets/Main/val.txt")]
    public void PartWhoseListNamesWhatIsMissing_IsThere_AndAnError(DetectionFormat format, string list)
    {
        _folder.Write("data.yaml", "names: [cat]\n");
        string path = _folder.Write(list, format == DetectionFormat.Yolo ? "images/z.png\n" : "z\n");
        _folder.Write("labels/z.txt", YoloText);
        Directory.CreateDirectory(Path.Combine(_folder.Path, "Annotations"));
        Assert.That(AnnotationSplits.Exists(format, new AnnotationSource(_folder.Path, "val")), "or convert would pass over it in silence");
        Assert.That(() => Counts(format, "val"), Throws.InstanceOf<IOException>().With.Message.Contains($"{path}(1): "));
    }

    [Test]
    public void ImageNet_ListedImageWithoutAnAnnotation_HasNoObjects()
    {
        _folder.Write("Annotations/DET/train/x/a.xml", ImageNetXml);
        WriteImage("Data/DET/train/x/a.png");
        WriteImage("Data/DET/train/extra/b.png");
        _folder.Write("ImageSets/DET/train.txt", "x/a 1\nextra/b 2\n");
        Assert.That(Counts(DetectionFormat.ImageNet, "train"), Is.EqualTo(new[] { "a 1", "b 0" }));
        string list = _folder.Write("ImageSets/DET/train.txt", "x/a 1\nextra/c 2\n");
        Assert.That(() => Counts(DetectionFormat.ImageNet, "train"),
            Throws.TypeOf<FileNotFoundException>().With.Message.StartsWith($"{list}(2): "));
    }

    [TestCase(DetectionFormat.PascalVoc, "Annotations/a.xml", "<annotation>\n<filename>a.png</filename></annotation>", 2)]
    [TestCase(DetectionFormat.PascalVoc, "Annotations/a.xml", "<annotation/>", 1)]
    [TestCase(DetectionFormat.ImageNet, "Annotations/a.xml", "<annotation>\n\n<filename>a</filename></annotation>", 3)]
    [TestCase(DetectionFormat.Coco, "a.json",
        "{\"categories\": [],\n\"annotations\": [], \"images\": [\n{\"id\": 1, \"file_name\": \"a.png\"}]}", 3)]
    [TestCase(DetectionFormat.Kitti, "label_2/a.txt", "Car 0 0 0 1 2 4 6 1 1 1 1 1 1 1\n", 1)]
    [TestCase(DetectionFormat.Yolo, "train.txt", "\nimages/a.png\n", 2)]
    [TestCase(DetectionFormat.OpenImages, "train.csv", Csv, 2)]
    [TestCase(DetectionFormat.TabSeparated, "train.tsv", "ImagePath\tLabels\tBoxes\na.png\tcat\t1,2,4,6\n", 2)]
    public void MissingImage_NamesFileAndLine_WhateverTheFormat(DetectionFormat format, string name, string content, int line)
    {
        string file = _folder.Write(name, content);
        string? split = null;
        if (format == DetectionFormat.Yolo)
        {
            // YOLO's reader takes the images that there are, but for those of a list.
            split = "train";
            _folder.Write("data.yaml", "names: [cat]\n");
            _folder.Write("images/a.txt", "0 .5 .5 .2 .2\n");
        }

        Assert.That(() => Counts(format, split), Throws.TypeOf<FileNotFoundException>().With.Message
            .StartsWith($"{file}({line}): the image '").And.Message.Contains("' does not exist."));

        IDataView allowed = new MLContext().Data.LoadDetections(_folder.Path, format, split, allowMissingImages: true);
        Assert.That(allowed.GetColumn<string>("ImagePath").Select(Path.GetFileNameWithoutExtension), Is.EqualTo(new[] { "a" }));
    }

    [Test]
    public void TwoAnnotationsOfOneImage_AreAnError()
    {
        WriteImage("a.png");
        _folder.Write("a.xml", "<annotation><filename>a.png</filename></annotation>");
        string second = _folder.Write("b.xml", "<annotation>\n<filename>a.png</filename></annotation>");
        Assert.That(() => Counts(DetectionFormat.PascalVoc, null), Throws.TypeOf<FormatException>().With.Message
            .StartsWith($"{second}(2): ").And.Message.Contains("already annotated by"));
    }

    [Test]
    public void SeveralFiles_AskForASplit()
    {
        _folder.Write("a.tsv", "");
        _folder.Write("b.tsv", "");
        Assert.That(() => Counts(DetectionFormat.TabSeparated, null),
            Throws.TypeOf<FormatException>().With.Message
                .Contains("2 files of annotations: a.tsv, b.tsv. Name one of them in the place of the folder, or a split"));
        Assert.That(() => Counts(DetectionFormat.TabSeparated, "c"),
            Throws.TypeOf<FileNotFoundException>().With.Message.Contains("split 'c'"));
    }

    [Test]
    public void SeveralCocoFiles_AreNamed_AndOneBesideOtherJsons_IsTaken()
    {
        WriteImage("a.png");
        _folder.Write("annotations/instances_a.json", CocoJson);
        _folder.Write("annotations/results.json", "[]");
        Assert.That(Counts(DetectionFormat.Coco, null), Has.Length.EqualTo(1));
        _folder.Write("annotations/instances_b.json", CocoJson);
        Assert.That(() => Counts(DetectionFormat.Coco, null), Throws.TypeOf<FormatException>().With.Message
            .Contains("instances_a.json, instances_b.json. Name one of them")
            .And.Message.EndsWith("a split that has one of its own, as 'a'."));
        Assert.That(Counts(DetectionFormat.Coco, "a"), Has.Length.EqualTo(1));
    }

    [Test]
    public void DataSetsDeepInAFolder_AreNamed_AndThatTheirImagesLieElsewhere()
    {
        WriteImage("images/a.png");
        _folder.Write("annotations/first/instances.json", """{"images":[]}""");
        _folder.Write("annotations/second/a.xml", "<annotation/>");
        Assert.That(() => new MLContext().Data.RecognizeDetectionFormat(_folder.Path), Throws.TypeOf<FormatException>().With.Message
            .EndsWith("holds 2: name 'annotations/first' (COCO) or 'annotations/second' (Pascal VOC). Where the images are elsewhere, name "
                + "their folder: give the option imageFolder."));
    }

    private const string Cvat =
        "<?xml version=\"1.0\"?>\n<annotations>\n<version>1.1</version><image id=\"0\" name=\"a.png\"/></annotations>";

    [TestCase("annotations.xml", Cvat, "CVAT's own format")]
    [TestCase("a.json", """{"version":"5.0","shapes":[],"imagePath":"a.png","imageData":null}""", "Labelme's format")]
    [TestCase("a.json", """{"info":{},"categories":{"label":{}},"items":[{"id":"a","annotations":[]}]}""", "Datumaro's format")]
    [TestCase("a.json", """[{"image":"a.png","annotations":[{"label":"x","coordinates":{"x":1}}]}]""", "CreateML's format")]
    public void AnnotationsInAToolsOwnFormat_AreRefusedByName(string name, string text, string format)
    {
        WriteImage("a.png");
        string file = _folder.Write(name, text);
        foreach (string path in (string[])[file, _folder.Path])
            Assert.That(() => new MLContext().Data.RecognizeDetectionFormat(path), Throws.TypeOf<FormatException>().With.Message
                .StartsWith($"'{file}' is in {format}").And.Message.Contains("which is not read: "));
    }

    [Test]
    public void CvatsXml_IsNoPascalVoc_ThoughItIsCalledSo()
    {
        string file = _folder.Write("annotations.xml", Cvat);
        Assert.That(() => Counts(DetectionFormat.PascalVoc, null), Throws.TypeOf<FormatException>().With.Message
            .StartsWith($"{file}(2): this is CVAT's own format").And.Message.Contains("'PASCAL VOC 1.1'"));
        Assert.That(() => AnnotationReader.Read(DetectionFormat.PascalVoc, new AnnotationSource(file)),
            Throws.TypeOf<DirectoryNotFoundException>().With.Message.Contains("in CVAT's own format"));
        WriteImage("a.png");
        _folder.Write("a.xml", "<annotation><filename>a.png</filename></annotation>");
        Assert.That(new MLContext().Data.RecognizeDetectionFormat(_folder.Path), Is.EqualTo(DetectionFormat.PascalVoc));
    }

    [Test]
    public void MissingFolder_IsNamed_WhateverTheFormat([Values] DetectionFormat format)
        => Assert.That(() => AnnotationReader.Read(format, new AnnotationSource("no-such-folder")),
            Throws.TypeOf<DirectoryNotFoundException>().With.Message.Contains("no-such-folder"));

    [Test]
    public void MissingSplit_IsNamed_WhateverTheFormat([Values] DetectionFormat format)
    {
        _folder.Write("data.yaml", "names: [cat]\n");
        Assert.That(() => AnnotationReader.Read(format, new AnnotationSource(_folder.Path, "nowhere")),
            Throws.TypeOf<FileNotFoundException>().With.Message.Contains("'nowhere'"));
    }

    private void AssertRead(DetectionFormat format, string file, string content, string image, string? split)
    {
        _folder.Write(file, content);
        WriteImage(image);
        AnnotatedImage read = AnnotationReader.Read(format, new AnnotationSource(_folder.Path, split)).Single();
        Assert.That(read.ImagePath, Is.EqualTo(Path.Combine(_folder.Path, image)));
        AnnotatedObject item = read.Objects.Single();
        Assert.That(item.Label, Is.EqualTo("cat"));
        Assert.That(new[] { item.X0, item.Y0, item.X1, item.Y1 }, Is.EqualTo(new float[] { 1, 2, 4, 6 }).Within(1e-5));
    }

    private void WriteImage(string name) => DrawnImages.Save(DrawnImages.Noise(10, 10), _folder.Sub(name));

    private string[] Counts(DetectionFormat format, string? split)
        => [.. AnnotationReader.Read(format, new AnnotationSource(_folder.Path, split))
            .Select(image => $"{Path.GetFileNameWithoutExtension(image.ImagePath)} {image.Objects.Count}")];
}
