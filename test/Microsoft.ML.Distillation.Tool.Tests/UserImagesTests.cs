using System.Diagnostics;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Formats;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Tests.Tool;

/// <summary>Image files as users have them, through the command.</summary>
public class UserImagesTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void MakeModel()
    {
        _folder = new TemporaryFolder();
        File.WriteAllBytes(_folder.Sub("toy.onnx"), ToyDetector.Model().ToBytes());
        Directory.CreateDirectory(_folder.Sub("images"));
    }

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void Predict_AnswersForTheUprightPicture_AndDrawsOnIt([Range(1, 8)] int orientation)
    {
        Photo("images/photo.jpg", orientation);
        ToolRun.Succeeding("predict", "--model", _folder.Sub("toy.onnx"), "--images", _folder.Sub("images"), "--output",
            _folder.Sub("dt.json"),
            "--draw", _folder.Sub("drawn"));
        CocoDetection found = CocoResults.Read(_folder.Sub("dt.json")).Single(one => one.Score > .9);
        // Stored, it is the quarter of the first row and last column.
        (double x, double y) = orientation switch
        {
            1 or 7 => (1d, 0d),
            2 or 8 => (0d, 0d),
            3 or 5 => (0d, 1d),
            _ => (1d, 1d),
        };
        (double width, double height) = orientation >= 5 ? (64d, 128d) : (128d, 64d);
        double[] expected = [x * width * 3 / 4, y * height * 3 / 4, width / 4, height / 4];
        Assert.That((double[])[found.Box.X, found.Box.Y, found.Box.Width, found.Box.Height], Is.EqualTo(expected).Within(1e-3));
        using MLImage drawn = MLImage.CreateFromFile(_folder.Sub("drawn/photo.jpg"));
        Assert.That((drawn.Width, drawn.Height), Is.EqualTo(((int)width, (int)height)));
    }

    [TestCase("voc")]
    [TestCase("coco")]
    [TestCase("yolo")]
    public void Convert_CopiesUprightPixels_WithoutTheTag(string to)
    {
        ToolRun.Succeeding("convert", "--data", TestData.Case("exif-orientation/voc"), "--to", to, "--output", _folder.Sub("out"),
            "--copy-images");
        AnnotatedImage[] copied = [.. AnnotationReader.Read(
            to switch { "voc" => DetectionFormat.PascalVoc, "coco" => DetectionFormat.Coco, _ => DetectionFormat.Yolo },
            new AnnotationSource(_folder.Sub("out")))];
        AnnotatedImage[] original = [.. AnnotationReader.Read(DetectionFormat.PascalVoc,
            new AnnotationSource(TestData.Case("exif-orientation/voc")))];
        Assert.That(copied, Has.Length.EqualTo(original.Length));
        foreach ((AnnotatedImage copy, AnnotatedImage image) in copied.Zip(original))
        {
            using (var file = ImageFile.Open(copy.ImagePath)) Assert.That((file.Turn.IsNone, file.Size),
                Is.EqualTo((true, ImageFile.SizeOf(image.ImagePath))));
            RgbImage one = ImageFile.Read(copy.ImagePath), other = ImageFile.Read(image.ImagePath);
            Assert.That(one.Pixels.Zip(other.Pixels, (a, b) => Math.Abs(a - b)).Average(), Is.LessThan(3), copy.ImagePath);
            Assert.That(copy.Objects.Select(item => item.X0), Is.EqualTo(image.Objects.Select(item => item.X0)).Within(.01));
        }
    }

    [Test]
    public void EqualNamesInFolders_AreToldApart_ByPredict_ItsIdsAndItsPictures()
    {
        string data = TestData.Case("coco-same-name-in-folders"), ids = Path.Combine(data, "annotations", "instances_train.json");
        string[] command = ["predict", "--model", _folder.Sub("toy.onnx"), "--output", _folder.Sub("dt.json"), "--draw",
            _folder.Sub("drawn")];
        ToolRun.Succeeding([.. command, "--images", data, "--format", "coco"]);
        Assert.That(Directory.GetFiles(_folder.Sub("drawn"), "*", SearchOption.AllDirectories).Select(path
            => Path.GetRelativePath(_folder.Sub("drawn"), path)),
            Is.EquivalentTo((string[])["cam1/0001.jpg", "cam2/0001.jpg"]));
        ToolRun.Succeeding([.. command, "--images", Path.Combine(data, "images"), "--ids", Ids(ids)]);
        Assert.That(Names().Except([(1L, "cam1/0001.jpg"), (2L, "cam2/0001.jpg")]), Is.Empty);

        // The toy knows other classes than the data.
        string Ids(string path)
        {
            string text = File.ReadAllText(path).Replace("square", "red").Replace("disc", "green");
            return _folder.Write("ids.json", text);
        }

        IEnumerable<(long, string?)> Names() => CocoResults.Read(_folder.Sub("dt.json")).Select(one => (one.Image.Number, one.FileName));
    }

    [Test]
    public void EqualNamesInFolders_GetTheirFoldersInFront_WhereTheyAreCopiedIntoOne([Values("voc", "coco", "yolo")] string to)
    {
        string data = TestData.Case("coco-same-name-in-folders");
        string[] command = ["convert", "--data", data, "--from", "coco", "--to", to, "--output", _folder.Sub("out")];
        ToolRun.Succeeding([.. command, "--copy-images"]);
        Assert.That(Directory.GetFiles(_folder.Sub("out"), "*.jpg", SearchOption.AllDirectories).Select(Path.GetFileName),
            Is.EquivalentTo((string[])["0001.jpg", "cam2_0001.jpg"]));
        ToolRun refused = ToolRun.Of(command);
        Assert.That((refused.ExitCode, refused.Error), Is.EqualTo((1, refused.Error)));
        Assert.That(refused.Error, Does.Contain("0001").And.Contain("--copy-images"));
    }

    [Test]
    public void LargeImage_IsRefused_UnlessTheLimitIsRaised()
    {
        Photo("images/photo.jpg", 1);
        string[] command = ["predict", "--model", _folder.Sub("toy.onnx"), "--images", _folder.Sub("images"), "--output",
            _folder.Sub("dt.json")];
        ToolRun refused = ToolRun.Of([.. command, "--max-pixels", "8191"]);
        Assert.That(refused.ExitCode, Is.EqualTo(1));
        Assert.That(refused.Error, Does.Contain("photo.jpg").And.Contain("128×64").And.Contain("--max-pixels"));
        ToolRun.Succeeding([.. command, "--max-pixels", "8192"]);
        Assert.That(ToolRun.Of([.. command, "--max-pixels", "0"]).ExitCode, Is.EqualTo(2));
    }

    [Test]
    public void ImageOfAnotherKind_IsNamed_UntilItIsConvertedBeside()
    {
        _folder.Write("images/IMG_1.HEIC", "\0\0\0\u0018ftypheic\0\0\0\0mif1heic");
        string[] command = ["predict", "--model", _folder.Sub("toy.onnx"), "--images", _folder.Sub("images"), "--output",
            _folder.Sub("dt.json")];
        ToolRun refused = ToolRun.Of(command);
        Assert.That(refused.ExitCode, Is.EqualTo(1));
        Assert.That(refused.Error, Does.Contain("IMG_1.HEIC").And.Contain("a HEIC image").And.Contain("magick"));
        ToolRun none = ToolRun.Of([.. command, "--skip-invalid"]);
        Assert.That((none.ExitCode, none.Error.Contains("Of 1 image none can be read")), Is.EqualTo((1, true)), none.Error);
        Photo("images/IMG_2.jpg", 1);
        Assert.That(ToolRun.Succeeding([.. command, "--skip-invalid"]).Error, Does.Contain("1 of 2 images").And.Contain("a HEIC image"));
        Photo("images/IMG_1.jpg", 6);
        Assert.That(ToolRun.Succeeding(command).Error, Is.Empty);
    }

    [TestCase("A=1")]
    [TestCase("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1")]
    [TestCase("LANG=de_DE.UTF-8")]
    public void NamesMeet_HoweverTheirAccentsAreEncoded_WithAndWithoutIcu(string variable)
    {
        foreach (string format in (string[])["voc", "yolo"])
        {
            string data = TestData.Case($"unicode-nfd-images/{format}");
            using var process = new Process
            {
                StartInfo = new ProcessStartInfo("dotnet", [ProgramRun.Find("Microsoft.ML.Distillation.Tool", name: "ml-distill"),
                    "inspect", "--data", data,
                    "--format", format, "--split", "all"])
                { RedirectStandardOutput = true },
            };
            process.StartInfo.Environment[variable.Split('=')[0]] = variable.Split('=')[1];
            process.Start();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.That(output, Does.Contain("all: 1 image, 2 objects").And.Contain("no defects found"), format);
        }
    }

    /// <summary>A photo with a red quarter at the end of its first stored row, in 128×64 stored pixels.</summary>
    private void Photo(string name, int orientation)
    {
        using MLImage image = ToyDetector.Image(128, 64, (3, 0, "red"));
        byte[] jpeg = EncodedImages.Encode(MLImagePixels.ToRgb(image), ".jpg");
        File.WriteAllBytes(_folder.Sub(name), EncodedImages.WithExif(jpeg, (byte)orientation, jpeg));
    }
}
