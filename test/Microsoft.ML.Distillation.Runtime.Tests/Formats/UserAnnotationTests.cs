using System.Text;
using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Tests.Formats;

/// <summary>Annotations as tools and people write them, from bug reports and beside them.</summary>
public class UserAnnotationTests
{
    private readonly TemporaryFolder _folder = new();

    [OneTimeTearDown]
    public void RemoveFolder() => _folder.Dispose();

    [TestCase("coco-bbox-missing")]
    [TestCase("coco-bbox-null")]
    public void Coco_SegmentationGivesItsBox(string name)
    {
        AnnotatedImage image = AnnotationReader.Read(DetectionFormat.Coco, new AnnotationSource(TestData.Case(name))).Single();
        Assert.That(image.Objects, Is.EqualTo((AnnotatedObject[])
        [
            new("square", 73, 5, 108, 40) { Area = 1225, OfOutline = true }, new("disc", 36, 71, 75, 110) { Area = 1521, OfOutline = true },
        ]));
    }

    // The mask is 6 wide and 5 high: columns 2 to 3, rows 1 to 3 of it. Its runs go down the columns.
    [TestCase("[[2,1,4,1,4,4,2,4]]")]
    [TestCase("[[2,1,4,1,4,4],[2,1,2,4,4,4]]")]
    [TestCase("[2,1,4,1,4,4,2,4]")]
    [TestCase("{\"size\":[5,6],\"counts\":[11,3,2,3,11]}")]
    [TestCase("{\"counts\":[11,3,2,3,11,0],\"size\":[5,6]}")]
    public void Coco_PolygonsAndMasks_GiveTheirBoxes(string segmentation)
        => Assert.That(Parse(segmentation).Single().Objects.Single(), Is.EqualTo(new AnnotatedObject("a", 2, 1, 4,
        4)
        { OfOutline = true }));

    [Test]
    public void Coco_CompressedMask_IsReadAsItsAuthorsWriteIt()
    {
        // Of pycocotools: mask.encode(numpy.asfortranarray(m)) of a mask of 100×120 with rows 30 to 69 and columns 25 to 99.
        long[] runs = [25 * 100 + 30, .. Enumerable.Range(0, 74).SelectMany(_ => (long[])[40, 60]), 40, 30 + 20 * 100];
        string text = Compressed(runs);
        Assert.That(MaskText.Runs(text), Is.EqualTo(runs));
        AnnotatedObject found = Parse($"{{\"size\":[100,120],\"counts\":\"{text.Replace("\\", "\\\\")}\"}}").Single().Objects.Single();
        Assert.That((found.X0, found.Y0, found.X1, found.Y1), Is.EqualTo((25f, 30f, 100f, 70f)));
    }

    [TestCase("{\"size\":[5,6],\"counts\":[11,3,2,3,12]}", "the runs of its mask")]
    [TestCase("{\"size\":[5,6],\"counts\":[11,3,2,3]}", "do not fill the image")]
    [TestCase("{\"size\":[5,6],\"counts\":[11,-3,2,3]}", "the runs of its mask")]
    [TestCase("{\"size\":[5],\"counts\":[30]}", "no height and width")]
    [TestCase("{\"size\":[5,6],\"counts\":\"\\u0001\"}", "no counts that can be read")]
    [TestCase("[[1,2,3]]", "an x without a y")]
    [TestCase("[[\"a\"]]", "no number")]
    [TestCase("\"x\"", "neither polygons nor a mask")]
    [TestCase("[]", "neither a bbox nor a segmentation")]
    [TestCase("[[]]", "neither a bbox nor a segmentation")]
    [TestCase("{\"size\":[5,6],\"counts\":[30]}", "neither a bbox nor a segmentation")]
    public void Coco_SegmentationThatGivesNone_IsSaid_WhereItIsNeeded(string segmentation, string problem)
    {
        Assert.That(() => Parse(segmentation), Throws.InstanceOf<FormatException>().With.Message.Contains(problem)
            .And.Message.Contains("annotations[0]"));
        Assert.That(Parse(segmentation + ",\"bbox\":[1,2,3,4]").Single().Objects.Single(), Is.EqualTo(new AnnotatedObject("a", 1, 2, 4,
            6)));
    }

    [Test]
    public void Coco_MaskOfAnotherSizeThanItsImage_IsSaid()
    {
        var notes = new AnnotationNotes(skipsFaults: false);
        const string json = """
            {"annotations":[{"image_id":1,"category_id":1,"segmentation":{"size":[6,5],"counts":[11,3,2,3,11]}},
            {"image_id":1,"category_id":1,"segmentation":{"size":[5,6],"counts":[11,3,2,3,11]}},
            {"image_id":1,"category_id":1,"bbox":[1,1,2,2],"segmentation":{"size":[9,9],"counts":[81]}},
            {"image_id":2,"category_id":1,"segmentation":{"size":[7,7],"counts":[0,49]}}],
            "images":[{"id":1,"file_name":"a.jpg","width":6,"height":5},{"id":2,"file_name":"b.jpg"}],"categories":[{"id":1,"name":"a"}]}
            """;
        CocoParser.Parse(new MemoryStream(Encoding.UTF8.GetBytes(json)), "file", notes: notes);
        Assert.That(notes.Warnings.Single(), Does.Contain("mask").And.Contain(": 1. The first: file(1): a mask of 5×6")
            .And.Contain("6×5").And.Contain("'a.jpg'"));
    }

    [TestCase("0 50 40 20 20\n1 .5 .5 .2 .2\n0 20 20 10 10", 2)]
    [TestCase("0 .5 .5 1 1\n1 .99 .5 .2 .2\n0 1.004 .5 .1 .1", 0)]
    [TestCase("0 10 10 60 10 60 40", 1)]
    [TestCase("0 -30 .5 .1 .1", 1)]
    public void Yolo_NumbersThatAreNoShares_AreSaid(string lines, int count)
    {
        var notes = new AnnotationNotes(skipsFaults: false);
        _ = Parsing.Read(DetectionFormat.Yolo, Encoding.UTF8.GetBytes(lines), notes);
        _ = Parsing.Read(DetectionFormat.Yolo, Encoding.UTF8.GetBytes(lines), notes);
        if (count == 0) Assert.That(notes.Warnings, Is.Empty);
        else Assert.That(notes.Warnings.Single(), Does.Contain($"pixels?): {count}. The first: file(1)."));
    }

    [Test]
    public void OpenImages_NumbersThatAreNoShares_AreSaid()
    {
        var notes = new AnnotationNotes(skipsFaults: false);
        const string csv = "ImageID,LabelName,XMin,XMax,YMin,YMax\na,/m/1,.1,.2,.3,.4\na,/m/1,10,20,30,40\n";
        _ = Parsing.Read(DetectionFormat.OpenImages, Encoding.UTF8.GetBytes(csv), notes);
        Assert.That(notes.Warnings.Single(), Does.Contain("pixels?): 1. The first: file(3)."));
    }

    [TestCase("0 .5 .5 .2 .2 1.57")]
    public void Yolo_OrientedBoxWithItsAngle_IsNamedAsSuch(string line) => Assert.That(
        () => Parsing.Read(DetectionFormat.Yolo, line), Throws.InstanceOf<FormatException>()
            .With.Message.Contains("not 6").And.Message.Contains("oriented box with its angle").And.Message.Contains("score"));

    [TestCase("names: [a, b\ntrain: images\n")]
    [TestCase("names: {0: a\n")]
    [TestCase("names: \"a\n")]
    [TestCase("- [")]
    [TestCase("a: {b: [c")]
    public void Yaml_ThatIsNotClosed_IsSaidToBe(string text)
    {
        FormatException error = Assert.Throws<FormatException>(() => YamlReader.Read(Parsing.Lines(text)));
        Assert.That(error.Message, Does.StartWith("file(").And.Not.Contains("Operation").And.Not.Contains("state"));
        Assert.That(error.Message,
            Does.Contain("not closed").Or.Contain("while").Or.Contain("expected").IgnoreCase.Or.Contain("did not find"));
    }

    [Test]
    public void ImageThatLiesBelow_IsToldApart_FromOneThatIsNowhere()
    {
        const string json = """{"images":[{"id":1,"file_name":"0001.jpg"}],"annotations":[],"categories":[]}""";
        string images = Path.GetDirectoryName(_folder.Sub("below/images/x"))!;
        AnnotationSource source = new(_folder.Write("below/set.json", json), ImageFolder: images);
        FileNotFoundException Missing() => Assert.Throws<FileNotFoundException>(
            () => AnnotationReader.Read(DetectionFormat.Coco, source).ToArray());
        Assert.That(Missing().Message, Does.Contain("does not exist").And.Not.Contains("There is").And.Not.Contains("there are"));
        _folder.Write("below/images/cam1/0001.jpg", "");
        Assert.That(Missing().Message, Does.Contain(Path.Combine("cam1", "0001.jpg")).And.Contain("imageFolder"));
        _folder.Write("below/images/cam2/0001.jpg", "");
        Assert.That(Missing().Message, Does.Contain("2 images of that name").And.Contain(Path.Combine("cam2", "0001.jpg")));
        if (OperatingSystem.IsWindows()) return;
        File.CreateSymbolicLink(Path.Combine(_folder.Path, "below", "images", "0001.jpg"), "gone.jpg");
        Assert.That(Missing().Message, Does.Contain("link to 'gone.jpg'"));
    }

    [Test]
    public void ImageNet_InAFolderOfVoc_IsSaid()
    {
        const string xml = "<annotation><filename>a.jpg</filename><object><name>{0}</name><bndbox><xmin>1</xmin><ymin>1</ymin>"
            + "<xmax>2</xmax><ymax>2</ymax></bndbox></object></annotation>";
        foreach ((string root, string image, string label, int warnings) in ((string, string, string, int)[])
            [("voc", "JPEGImages", "cat", 1), ("own", "Data", "cat", 0), ("synsets", "JPEGImages", "n01440764", 0)])
        {
            _folder.Write($"{root}/Annotations/a.xml", string.Format(null, xml, label));
            File.WriteAllBytes(_folder.Sub($"{root}/{image}/a.jpg"), EncodedImages.Encode(DrawnImages.Noise(8, 8), ".jpg"));
            var notes = new AnnotationNotes(skipsFaults: false);
            AnnotationSource source = new(Path.Combine(_folder.Path, root)) { Notes = notes };
            Assert.That(AnnotationReader.Read(DetectionFormat.ImageNet, source).Count(), Is.EqualTo(1));
            Assert.That(notes.Warnings, Has.Count.EqualTo(warnings), root);
            if (warnings > 0) Assert.That(notes.Warnings[0], Does.Contain("give the format DetectionFormat.PascalVoc"));
        }
    }

    [Test]
    public void Coco_EveryFault_IsNoted_AndTheRestIsRead()
    {
        const string json = """
            {"images":[{"id":1,"file_name":"a.jpg"},{"id":2},{"id":3,"file_name":"c.jpg"},7,{"id":4,"file_name":"d.jpg"}],
            "categories":[{"id":1,"name":"a"},{"id":2,"name":[{"x":1}]}],
            "annotations":[{"id":1,"image_id":1,"category_id":1,"bbox":[1,1,2,2]},
            {"id":2,"bbox":[1,1,-2,2,[3]],"category_id":1,"image_id":1},
            {"id":3,"image_id":1,"category_id":2,"bbox":[1,1,2,2]},
            {"id":4,"image_id":2,"category_id":1,"bbox":[1,1,2,2]},
            {"id":5,"image_id":4,"category_id":1,"area":{"x":[1]},"bbox":[1,1,2,2]},
            {"id":6,"image_id":1,"category_id":1},
            {"id":7,"image_id":3,"category_id":1,"bbox":[5,5,1,1]}]}
            """;
        var notes = new AnnotationNotes(skipsFaults: true);
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(json));
        AnnotatedImage[] images = [.. CocoParser.Parse(stream, "file", notes: notes).Annotated("file", name => name, notes)];
        Assert.That(images.Select(image => (image.ImagePath, image.Objects.Count, image.Faults.Count, image.LostItsObjects)),
            Is.EqualTo(((string, int, int, bool)[])[("a.jpg", 1, 3, false), ("c.jpg", 1, 0, false), ("d.jpg", 0, 1, true)]));
        Assert.That(notes.Faults, Has.Count.EqualTo(8));
        Assert.That(() => CocoParser.Parse(new MemoryStream(Encoding.UTF8.GetBytes(json)), "file"), Throws.InstanceOf<FormatException>());
    }

    [Test]
    public void Coco_ClassesOfOneName_AreOne_WithAWarning_AndGroupsAreNone()
    {
        AnnotationSource source = new(TestData.Case("coco-duplicate-category-names")) { Notes = new AnnotationNotes(skipsFaults: false) };
        Assert.That(AnnotationReader.Read(DetectionFormat.Coco, source).Single().Objects.Select(item => item.Label),
            Is.All.EqualTo("square"));
        Assert.That(source.Notes.Warnings.Single(), Does.Contain("'square'").And.Contain("instances.json"));
        const string roboflow = """
            {"images":[{"id":1,"file_name":"a.jpg"}],"annotations":[],"categories":[{"id":0,"name":"cells","supercategory":"none"},
            {"id":2,"name":"b","supercategory":"cells"},{"id":1,"name":"a","supercategory":"cells"},{"id":3,"name":"a"}]}
            """;
        Assert.That(CocoParser.Parse(new MemoryStream(Encoding.UTF8.GetBytes(roboflow)), "file").ClassNames, Is.EqualTo((string[])["a",
            "b"]));
    }

    [Test]
    public void Coco_NamesInFolders_AreToldApart_AndAreNeverOneImage()
    {
        AnnotatedImage[] images = [.. AnnotationReader.Read(DetectionFormat.Coco,
            new AnnotationSource(TestData.Case("coco-same-name-in-folders")))];
        Assert.That(images.Select(image => Path.GetFileName(Path.GetDirectoryName(image.ImagePath))), Is.EqualTo((string[])["cam1",
            "cam2"]));
        string folder = Path.GetDirectoryName(_folder.Write("flat/0001.jpg", ""))!;
        string json = _folder.Write("flat/set.json",
            """{"images":[{"id":1,"file_name":"cam1/0001.jpg"},{"id":2,"file_name":"cam2/0001.jpg"}]}""");
        Assert.That(() => AnnotationReader.Read(DetectionFormat.Coco, new AnnotationSource(json)).ToArray(),
            Throws.InstanceOf<FormatException>().With.Message.Contains("'cam1/0001.jpg' and 'cam2/0001.jpg' are both found at")
                .And.Message.Contains(folder));
    }

    [TestCase("labelstudio-coco-names")]
    public void Coco_NamesFromOtherMachines_AreFound(string name)
    {
        AnnotatedImage[] images = [.. AnnotationReader.Read(DetectionFormat.Coco, new AnnotationSource(TestData.Case(name)))];
        Assert.That(images.Select(image => Path.GetFileName(image.ImagePath)),
            Is.EqualTo((string[])["90fb-a.jpg", "cb06-b.jpg", "77aa-c.jpg", "d e.jpg", "f.jpg"]));
    }

    [TestCase("1 .1 .2 .5 .2 .3 .6", 10f, 10f, 50f, 30f, TestName = "a triangle")]
    [TestCase("1 .1 .2 .5 .2 .5 .6 .1 .6", 10f, 10f, 50f, 30f, TestName = "an oriented box")]
    [TestCase("1 .3 .4 .4 .4", 10f, 10f, 50f, 30f, TestName = "a box")]
    public void Yolo_LinesOfEveryKind_GiveBoxes(string line, float x0, float y0, float x1, float y1)
    {
        AnnotatedObject found = ReadYolo(line).Single();
        Assert.That((float[])[found.X0, found.Y0, found.X1, found.Y1], Is.EqualTo((float[])[x0, y0, x1, y1]).Within(1e-4));
        Assert.That(found.OfOutline, Is.EqualTo(line.Length > 15));
    }

    [TestCase("1 .3 .4 .4 .4 .9", "a prediction with its score")]
    [TestCase("1 .3 .4 .4 .4 .1 .1 2 .2 .2 2", "0", TestName = "eleven are an outline")]
    [TestCase("1 .3 .4 .4 .4 .1 .1 2", "'kpt_shape'")]
    [TestCase("10 20 30 20 30 40 10 40 plane 0", "DOTA")]
    public void Yolo_LinesOfOtherTasks_AreNamed(string line, string problem)
    {
        if (problem == "0") Assert.That(ReadYolo(line).Single().OfOutline);
        else Assert.That(() => ReadYolo(line), Throws.InstanceOf<FormatException>().With.Message.Contains(problem));
    }

    [TestCase("[2, 3]", "1 .3 .4 .4 .4 .1 .1 2 .2 .2 2")]
    [TestCase("[2, 2]", "1 .3 .4 .4 .4 .1 .1 .2 .2")]
    public void Yolo_KeyPoints_ArePassedOver_WhereTheDataFileNamesThem(string shape, string line)
    {
        var data = YoloDataFile.Read(Parsing.Lines($"names: [a, b]\nkpt_shape: {shape}\n"));
        AnnotatedObject found = YoloLabels.Read(new MemoryStream(Encoding.UTF8.GetBytes(line)), "file", data.ReadNames(),
            new ImageSize(100, 50)).Single();
        Assert.That((float[])[found.X0, found.Y0, found.X1, found.Y1], Is.EqualTo((float[])[10, 10, 50, 30]).Within(1e-4));
    }

    [TestCase("yolo-polygons-mixed", 4, 2)]
    [TestCase("yolo-polygons-only", 2, 2)]
    public void Yolo_UsersOutlines_GiveTheirBoxes(string name, int objects, int outlines)
    {
        AnnotatedObject[] all = [.. AnnotationReader.Read(DetectionFormat.Yolo, new AnnotationSource(TestData.Case(name), "train"))
            .SelectMany(image => image.Objects)];
        Assert.That((all.Length, all.Count(item => item.OfOutline)), Is.EqualTo((objects, outlines)));
        if (name == "yolo-polygons-only")
            Assert.That((float[])[all[0].X0, all[0].Y0, all[0].X1, all[0].Y1], Is.EqualTo((float[])[59, 35, 88, 64]).Within(.01));
    }

    [Test]
    public void Yolo_PartThatIsNamedAndAbsent_IsSaid_WithThePath()
    {
        string data = TestData.Case("roboflow-yolo");
        var notes = new AnnotationNotes(skipsFaults: false);
        Assert.That(AnnotationReader.Read(DetectionFormat.Yolo, new AnnotationSource(data) { Notes = notes }).Count(), Is.EqualTo(4));
        Assert.That(notes.Warnings.Single(), Does.Contain("data.yaml(3)").And.Contain("'test'").And.Contain(Path.Combine(data, "test",
            "images")));
        Assert.That(AnnotationSplits.Exists(DetectionFormat.Yolo, new AnnotationSource(data, "test")), Is.False);
        Assert.That(() => AnnotationReader.Read(DetectionFormat.Yolo, new AnnotationSource(data, "test")),
            Throws.InstanceOf<FileNotFoundException>().With.Message.Contains(Path.Combine(data, "test", "images")));
    }

    [TestCase("cvat-ultralytics-data", 2)]
    [TestCase("yaml-backslashes", 1)]
    [TestCase("notebook-checkpoints", 1)]
    [TestCase("mac-resource-forks/yolo", 2)]
    [TestCase("webp-images/yolo", 2)]
    [TestCase("webp-images/named-jpg", 2)]
    [TestCase("unicode-nfd-images/yolo", 1)]
    public void Yolo_UsersFolders_AreRead(string name, int images)
    {
        AnnotatedImage[] read = [.. AnnotationReader.Read(DetectionFormat.Yolo, new AnnotationSource(TestData.Case(name), "train"))];
        Assert.That(read.Select(image => image.Objects.Count), Is.EqualTo(Enumerable.Repeat(2, images)));
    }

    [TestCase("mac-resource-forks/voc", 2)]
    [TestCase("webp-images/voc", 2)]
    [TestCase("unicode-nfd-images/voc", 1)]
    [TestCase("dots-in-names/voc", 3)]
    public void Voc_UsersFolders_AreRead(string name, int images)
    {
        AnnotatedImage[] read = [.. AnnotationReader.Read(DetectionFormat.PascalVoc, new AnnotationSource(TestData.Case(name)))];
        Assert.That(read.Select(image => Path.GetFileNameWithoutExtension(image.ImagePath)),
            Is.EqualTo(read.Select(image => Path.GetFileNameWithoutExtension(image.NamedIn))).Using<string>((a, b)
                => a.Normalize() == b.Normalize()));
        Assert.That(read.Select(image => image.Objects.Count), Is.EqualTo(Enumerable.Repeat(2, images)));
    }

    [Test]
    public void Kitti_DotsInNames_AreEachItsOwnImage()
        => Assert.That(AnnotationReader.Read(DetectionFormat.Kitti, new AnnotationSource(TestData.Case("dots-in-names/kitti")))
            .Select(image => Path.GetFileName(image.ImagePath)), Is.EqualTo((string[])["cam.1.png", "cam.2.png", "cam.png"]));

    [TestCase("anchor", "cell")]
    [TestCase("emoji", "café \U0001F600")]
    [TestCase("list", "cell")]
    [TestCase("nl", "red\tcell")]
    [TestCase("tag", "cell")]
    [TestCase("wrap", "cell")]
    public void DataYaml_IsReadAsYamlSays(string name, string expected)
    {
        using TextLines lines = TextLines.Open(TestData.Case($"data-yaml/{name}.yaml"));
        YoloDataFile data = YoloDataFile.Read(lines);
        Assert.That(data.ReadNames().All.Select(pair => pair.Value), Is.EqualTo((string[])[expected]));
        Assert.That(data.Split("train").Select(part => part.Path), Is.EqualTo((string[])["images/train"]));
        if (name == "wrap") Assert.That(data.PathText, Does.EndWith("goes on and on/and on and on/dataset"));
    }

    [Test]
    public void DataYaml_ClassesOfOneName_AreOne_WithAWarning()
    {
        YoloNames names = YoloDataFile.Read(Parsing.Lines("names: [cat, dog, cat]\n")).ReadNames();
        Assert.That((names[0], names[2], names.IndexOf("cat")), Is.EqualTo(("cat", "cat", 0)));
        Assert.That(names.Repeated, Does.Contain("'cat'"));
    }

    [TestCase("<polygon><x1>10</x1><y1>10</y1><x2>50</x2><y2>10</y2><x3>30</x3><y3>40</y3></polygon>")]
    [TestCase("<polygon><pt><x>10</x><y>40</y></pt><pt><x>50</x><y>10</y></pt><username>me</username></polygon>")]
    [TestCase("<polygon><point><x>10</x><y>40</y></point><point><x>50</x><y>10</y></point></polygon>")]
    [TestCase("<robndbox><cx>30</cx><cy>25</cy><w>30</w><h>40</h><angle>1.5707964</angle></robndbox>")]
    public void Voc_OutlineGivesItsBox(string outline)
    {
        AnnotatedObject found = ReadVoc($"<object><name>a</name>{outline}</object>").Objects.Single();
        Assert.That((float[])[found.X0, found.Y0, found.X1, found.Y1], Is.EqualTo((float[])[10, 10, 50, 40]).Within(1e-3));
        Assert.That((found.Label, found.OfOutline), Is.EqualTo(("a", true)));
    }

    [Test]
    public void Voc_UsersPolygon_GivesItsBox_BesideOthers()
    {
        var source = new AnnotationSource(TestData.Case("voc-polygon-without-bndbox"));
        AnnotatedImage image = AnnotationReader.Read(DetectionFormat.PascalVoc, source).Single();
        Assert.That(image.Objects.Select(item => (item.X0, item.Y0, item.X1, item.Y1, item.OfOutline)),
            Is.EqualTo(((float, float, float, float, bool)[])[(74, 55, 112, 93, false), (10, 10, 50, 40, true)]));
    }

    [TestCase("<object><name>a</name></object>", "has no <bndbox>, nor a <polygon>")]
    [TestCase("<object><name>a</name><polygon/></object>", "no point")]
    [TestCase("<object><name>a</name><polygon><x1>1</x1></polygon></object>", "has no <y1>")]
    public void Voc_ObjectWithoutAPlace_IsAnError(string item, string problem)
        => Assert.That(() => ReadVoc(item), Throws.InstanceOf<FormatException>().With.Message.Contains(problem));

    [Test]
    public void EveryFormat_NotesWhatIsWrong_AndReadsTheRest()
    {
        const string kitti = "car 0 0 0 1 1 9 9 0 0 0 0 0 0 0\ncar 0 0 0 9 9 1 1 0 0 0 0 0 0 0\nx\n";
        const string voc = "<annotation><object><name>a</name></object><object><name>a</name>"
            + "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></object></annotation>";
        const string yolo = "0 .5 .5 .1 .1\n9 .5 .5 .1 .1\n0 x\n0 .5 .5 -.1 .1\n";
        const string open = "ImageID,LabelName,XMin,YMin,XMax,YMax\na,b,0,0,1,1\na,b,1,0,0,1\nc,b,2\nd,b,1,1,0,0\n";
        const string tsv = "a.jpg\tx,y\t0,0,9,9,9,9,0,0\nb.jpg\tx\t1,2\nc.jpg\t\t\n";
        Assert.Multiple(() =>
        {
            Check(notes => KittiLabels.Read(Stream(kitti), "file", notes).Count, read: 1, faults: 2);
            Check(notes => YoloLabels.Read(Stream(yolo), "file", Names(), new(9, 9), notes).Count, read: 1, faults: 3);
            Check(notes => VocXml.Read(Stream(voc), "file", null, notes).Objects.Length, read: 1, faults: 1);
            Check(notes => OpenImagesCsv.Read(Parsing.Lines(open), null, notes).Count(entry
                => entry.Objects.Count > 0 || entry.Faults.Count > 0), read: 2, faults: 3);
            Check(notes => TabSeparatedReader.Read(Parsing.Lines(tsv), name => name, notes).Sum(image => image.Objects.Count), read: 1,
                faults: 2);
        });

        static void Check(Func<AnnotationNotes, int> parse, int read, int faults)
        {
            var notes = new AnnotationNotes(skipsFaults: true);
            Assert.That((parse(notes), notes.Faults.Count), Is.EqualTo((read, faults)), string.Join('\n', notes.Faults));
            Assert.That(() => parse(new AnnotationNotes(skipsFaults: false)), Throws.InstanceOf<FormatException>());
        }
    }

    private static List<AnnotatedObject> ReadYolo(string line)
        => YoloLabels.Read(Stream(line), "file", Names(), new ImageSize(100, 50));

    private static YoloNames Names() => YoloDataFile.Read(Parsing.Lines("names: [a, b]\n")).ReadNames();

    private static VocXml ReadVoc(string item) => VocXml.Read(Stream($"<annotation>{item}</annotation>"), "file");

    private static MemoryStream Stream(string text) => new(Encoding.UTF8.GetBytes(text));

    private static AnnotatedImage[] Parse(string segmentation)
    {
        string json = $$"""
            {"images":[{"id":1,"file_name":"a.jpg"}],"categories":[{"id":1,"name":"a"}],
            "annotations":[{"image_id":1,"category_id":1,"segmentation":{{segmentation}}}]}
            """;
        return [.. CocoParser.Parse(Stream(json), "file").Annotated("file", name => name)];
    }

    /// <summary>COCO's compression, as maskApi.c has it.</summary>
    private static string Compressed(long[] runs)
    {
        var text = new StringBuilder();
        for (int i = 0; i < runs.Length; i++)
        {
            long x = i > 2 ? runs[i] - runs[i - 2] : runs[i];
            bool more = true;
            while (more)
            {
                int c = (int)(x & 0x1F);
                x >>= 5;
                more = (c & 0x10) != 0 ? x != -1 : x != 0;
                if (more) c |= 0x20;
                text.Append((char)(c + 48));
            }
        }

        return text.ToString();
    }
}
