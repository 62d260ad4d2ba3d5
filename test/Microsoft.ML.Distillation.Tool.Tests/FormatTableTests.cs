namespace Microsoft.ML.Distillation.Tests.Tool;

/// <summary>What the command says of every folder of users' data without being told the format.</summary>
public class FormatTableTests
{
    [TestCase("data/bccd", "voc")]
    [TestCase("data/cards", "voc")]
    [TestCase("data/neu_det", "voc")]
    [TestCase("cases/coco-bbox-missing", "coco")]
    [TestCase("cases/coco-bbox-null", "coco")]
    [TestCase("cases/coco-duplicate-category-names", "coco")]
    [TestCase("cases/coco-same-name-in-folders", "coco")]
    [TestCase("cases/cvat-ultralytics-data", "yolo")]
    [TestCase("cases/cvat-ultralytics-data/data.yaml", "yolo")]
    [TestCase("cases/dots-in-names/kitti", "kitti")]
    [TestCase("cases/dots-in-names/voc", "voc")]
    [TestCase("cases/exif-orientation/coco", "coco")]
    [TestCase("cases/exif-orientation/voc", "voc")]
    [TestCase("cases/exif-orientation/yolo", "yolo")]
    [TestCase("cases/labelstudio-coco-names", "coco")]
    [TestCase("cases/labelstudio-coco-names/result.json", "coco")]
    [TestCase("cases/mac-resource-forks/coco", "coco")]
    [TestCase("cases/mac-resource-forks/voc", "voc")]
    [TestCase("cases/mac-resource-forks/yolo", "yolo")]
    [TestCase("cases/notebook-checkpoints", "yolo")]
    [TestCase("cases/roboflow-yolo", "yolo")]
    [TestCase("cases/truncated-with-exif-thumbnail", "voc")]
    [TestCase("cases/unicode-nfd-images/voc", "voc")]
    [TestCase("cases/unicode-nfd-images/yolo", "yolo")]
    [TestCase("data/coco-eval", "coco")]
    [TestCase("cases/voc-polygon-without-bndbox", "voc")]
    [TestCase("cases/voc-swapped-corners", "voc")]
    [TestCase("cases/webp-images/coco", "coco")]
    [TestCase("cases/webp-images/named-jpg", "yolo")]
    [TestCase("cases/webp-images/voc", "voc")]
    [TestCase("cases/webp-images/yolo", "yolo")]
    [TestCase("cases/yaml-backslashes", "yolo")]
    [TestCase("cases/yolo-polygons-mixed", "yolo")]
    [TestCase("cases/yolo-polygons-only", "yolo")]
    public void ADataSet_IsRecognised_AndItsFormatSaid(string folder, string format)
    {
        string path = PathOf(folder);
        // neu_det has more images than a test wants to look through.
        string[] part = folder == "data/neu_det" ? ["--split", "test"] : [];
        ToolRun run = ToolRun.Succeeding(["inspect", "--data", path, .. part]);
        Assert.That(run.Output, Does.Contain($"format: {format} ({path})"));
    }

    [TestCase("cases/data-yaml", "holds no image")]
    [TestCase("cases/dots-in-names", "name 'kitti' (KITTI) or 'voc' (Pascal VOC)")]
    [TestCase("cases/exif-orientation", "name 'coco' (COCO) or 'voc' (Pascal VOC) or 'yolo' (YOLO)")]
    [TestCase("cases/mac-resource-forks", "name 'coco' (COCO) or 'voc' (Pascal VOC) or 'yolo' (YOLO)")]
    [TestCase("cases/unicode-nfd-images", "name 'voc' (Pascal VOC) or 'yolo' (YOLO)")]
    [TestCase("cases/webp-images", "holds 4")]
    [TestCase("cases/image-kinds", "no annotations: 'ml-distill label'")]
    [TestCase("cases/onnx-teachers", "no annotations: 'ml-distill label'")]
    [TestCase("data/voc2012-100", "name 'annotations/coco_format_v1' (COCO) or ")]
    [TestCase("data/voc2012-100/annotations/cvat_format", "is in CVAT's own format")]
    [TestCase("data/voc2012-100/annotations/labelme_format", "is in Labelme's format")]
    [TestCase("data/voc-eval", "neither annotations nor images")]
    public void WhatIsNoDataSet_IsRefused_WithWhatToDo(string folder, string said)
    {
        ToolRun run = ToolRun.Of("inspect", "--data", PathOf(folder));
        Assert.That(run.ExitCode, Is.EqualTo(1), run.Error);
        Assert.That(run.Error, Does.Contain(said));
    }

    [Test]
    public void EveryFolder_IsInTheTable()
    {
        string[] known = [.. typeof(FormatTableTests).GetMethods().SelectMany(method => method.GetCustomAttributes(false))
            .OfType<TestCaseAttribute>().Select(test => (string)test.Arguments[0]!)];
        IEnumerable<string> there = ((string[])["data", "cases"]).SelectMany(kind => Directory.GetDirectories(PathOf($"{kind}/"))
            .Select(folder => $"{kind}/{Path.GetFileName(folder)}"));
        Assert.That(there.Where(folder => !known
            .Any(one => one == folder || one.StartsWith($"{folder}/", StringComparison.Ordinal))), Is.Empty);
    }

    [Test]
    public void WhereTwoFormatsFit_TheErrorSaysWhich()
    {
        using var folder = new TemporaryFolder();
        folder.Write("Annotations/a.xml", "<annotation/>");
        folder.Write("data.yaml", "names: [a]");
        ToolRun run = ToolRun.Of("inspect", "--data", folder.Path);
        Assert.That(run.ExitCode, Is.EqualTo(1));
        Assert.That(run.Error, Does.Contain("YOLO (data.yaml) and Pascal VOC (Annotations/a.xml)")
            .And.Contain("give --format yolo or give --format voc"));
    }

    [TestCase("a.csv", "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax\n", "OpenImages")]
    [TestCase("a.tsv", "a.png\tx\t0,0,1,1\n", "TabSeparated")]
    [TestCase("Annotations/DET/a.xml", "<annotation/>", "ImageNet")]
    public void OtherFormats_AreRecognisedByTheirFiles(string file, string text, string format)
    {
        using var folder = new TemporaryFolder();
        folder.Write(file, text);
        folder.Write("settings.yaml", "epochs: 3");
        Assert.That(new MLContext().Data.RecognizeDetectionFormat(folder.Path).ToString(), Is.EqualTo(format));
    }

    private static string PathOf(string folder)
    {
        string[] parts = folder.Split('/', 2);
        return parts[0] == "data" ? TestData.Folder(parts[1]) : TestData.Case(parts[1]);
    }
}
