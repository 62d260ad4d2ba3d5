using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Tests.Images;

public class ImageFilesTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void DotsInNames_AreNoExtensions()
    {
        Make("cam.png", "cam.1.png", "cam.2.JPG");
        var images = new ImageFiles(_folder.Path);
        Assert.That(Name(images.Find("cam")), Is.EqualTo("cam.png"));
        Assert.That(Name(images.Find("cam.1")), Is.EqualTo("cam.1.png"));
        Assert.That(Name(images.Find("cam.2.jpg")), Is.EqualTo("cam.2.JPG"));
        Assert.That(images.Find("cam.3"), Is.Null, "not the image of another name");
        Assert.That(images.Find("cam.3.jpg"), Is.Null);
    }

    [Test]
    public void WrongOrForeignExtension_FindsTheImageThatIsRead()
    {
        Make("a.png", "b.heic", "b.jpg", "c.heic");
        var images = new ImageFiles(_folder.Path);
        Assert.That(Name(images.Find("a.jpg")), Is.EqualTo("a.png"));
        Assert.That(Name(images.Find("a.tif")), Is.EqualTo("a.png"));
        Assert.That(Name(images.Find("b.heic")), Is.EqualTo("b.jpg"), "converted");
        Assert.That(Name(images.Find("c")), Is.EqualTo("c.heic"), "so that its kind is said");
    }

    [Test]
    public void Folder_IsListed_WithEveryKind_WithoutHiddenNames_AndWithoutWhatIsConverted()
    {
        Make("a.jpg", "b.WEBP", "c.gif", "d.heic", "e.heic", "e.jpeg", "._a.jpg", ".ipynb_checkpoints/a-checkpoint.jpg", "sub/f.png",
            "notes.txt");
        Assert.That(ImageLoader.FilesIn(_folder.Path).Select(Path.GetFileName), Is.EqualTo((string[])["a.jpg", "b.WEBP", "c.gif",
            "d.heic", "e.jpeg"]));
        Assert.That(ImageFiles.Below(_folder.Path).Select(Name),
            Is.EqualTo((string[])["a.jpg", "b.WEBP", "c.gif", "d.heic", "e.jpeg", "sub/f.png"]));
    }

    [Test]
    public void LinksInACircle_End()
    {
        Make("sub/a.jpg");
        Directory.CreateSymbolicLink(Path.Combine(_folder.Path, "sub", "back"), _folder.Path);
        Directory.CreateSymbolicLink(Path.Combine(_folder.Path, "other"), Path.Combine(_folder.Path, "sub"));
        Directory.CreateSymbolicLink(Path.Combine(_folder.Path, "self"), Path.Combine(_folder.Path, "self"));
        Assert.That(ImageFiles.Below(_folder.Path).Select(Name), Is.EqualTo((string[])["other/a.jpg", "sub/a.jpg"]));
        Assert.That(() => RealPath.Of(Path.Combine(_folder.Path, "self", "x")), Throws.InstanceOf<IOException>()
            .With.Message.Contains("circle"));
    }

    [TestCase("data/images/train/x.jpg", "images/train/x.jpg")]
    [TestCase("..\\..\\media\\upload\\4\\y.jpg", "y.jpg")]
    [TestCase("/data/upload/1/y.jpg", "y.jpg")]
    [TestCase("C:\\Users\\me\\y.jpg", "y.jpg")]
    [TestCase("https://host.example/local-files/?d=set%2Fd%20e.jpg", "d e.jpg")]
    [TestCase("https://host.example/bucket/d%20e.jpg?signature=/a/b%20c", "d e.jpg")]
    [TestCase("cam2/0001.jpg", "cam2/0001.jpg")]
    [TestCase("set/cam1/0001.jpg", "cam1/0001.jpg")]
    public void Image_IsFound_ByAsManyFoldersAsItHas(string name, string expected)
    {
        Make("images/train/x.jpg", "images/val/x.jpg", "y.jpg", "d e.jpg", "cam1/0001.jpg", "cam2/0001.jpg");
        Assert.That(Name(new ImageFinder(_folder.Path).Find(name)), Is.EqualTo(expected));
    }

    private string? Name(string? path) => path is null ? null : Path.GetRelativePath(_folder.Path, path).Replace('\\', '/');

    private void Make(params string[] names)
    {
        foreach (string name in names)
        {
            string path = Path.Combine(_folder.Path, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, "");
        }
    }
}
