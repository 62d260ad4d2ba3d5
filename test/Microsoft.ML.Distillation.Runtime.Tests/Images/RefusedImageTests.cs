using System.Buffers.Binary;
using System.Diagnostics;
using Microsoft.ML.Distillation.Images;

namespace Microsoft.ML.Distillation.Tests.Images;

/// <summary>What cannot be read is refused by what it is, before it costs anything.</summary>
public class RefusedImageTests
{
    private readonly TemporaryFolder _folder = new();

    [OneTimeTearDown]
    public void RemoveFolder() => _folder.Dispose();

    [TestCase(".png")]
    [TestCase(".jpg")]
    [TestCase(".bmp")]
    [TestCase(".gif")]
    [TestCase(".webp")]
    public void ImageThatSaysItIsHuge_IsRefused_BeforeAPixelIsAllocated(string kind)
    {
        string path = Write("huge" + kind, Huge(kind));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(() => ImageFile.Read(path), Throws.InstanceOf<UnreadableImageException>()
            .With.Message.Contains(path).And.Message.Contains("200,000,000").And.Message.Contains("MaxPixels"));
        Assert.That(() => ImageLoader.Load(path), Throws.InstanceOf<UnreadableImageException>());
        Assert.That(() => ImageLoader.Check(path), Throws.InstanceOf<UnreadableImageException>());
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1 << 20));
    }

    [Test]
    public void Limit_IsAnOption()
    {
        string path = Write("small.png", EncodedImages.Encode(DrawnImages.Noise(20, 10), ".png"));
        Assert.That(() => ImageLoader.Load(path, maxPixels: 199),
            Throws.InstanceOf<UnreadableImageException>().With.Message.Contains("20×10").And.Message.Contains("199"));
        Assert.That(() => ImageLoader.Load(path, maxPixels: 200).Dispose(), Throws.Nothing);
        Assert.That(() => ImageLoader.Load(path, maxPixels: 0), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [TestCase("x.heic", "\0\0\0\u0018ftypheic\0\0\0\0mif1", "HEIC")]
    [TestCase("x.jpg", "\0\0\0\u0018ftypmif1\0\0\0\0heic", "HEIC")]
    [TestCase("x.heif", "\0\0\0\u0014ftypmif1\0\0\0\0miaf", "HEIF")]
    [TestCase("x.avif", "\0\0\0\u001Cftypavif\0\0\0\0mif1", "AVIF")]
    [TestCase("x.heic", "\0\0\0\u001Cftypmif1\0\0\0\0mif1avif", "AVIF")]
    [TestCase("x.tif", "II*\0\u0008\0\0\0\0\0\0\0\0\0\0\0", "TIFF")]
    [TestCase("x.png", "MM\0*\0\0\0\u0008\0\0\0\0\0\0\0\0", "TIFF")]
    [TestCase("x.jxl", "\0\0\0\u000CJXL \r\n\u0087\n\0\0\0\0", "JPEG XL")]
    [TestCase("x.bin", "II*\0\u0010\0\0\0CR\u0002\0\0\0\0\0", "raw camera")]
    [TestCase("x.cr3", "\0\0\0\u0018ftypcrx \0\0\0\u0001crx isom", "raw camera")]
    [TestCase("x.NEF", "MM\0*\0\0\0\u0008\0\0\0\0\0\0\0\0", "raw camera")]
    [TestCase("x.raf", "FUJIFILMCCD-RAW 0201", "raw camera")]
    public void KindThatIsNotRead_IsNamed_WithAWayToConvert(string name, string content, string kind)
    {
        string path = Write(name, [.. content.Select(c => (byte)c), .. new byte[100]]);
        string expected = kind[0] == 'A' ? $"an {kind} image" : $"a {kind} image";
        Assert.That(() => ImageFile.Read(path),
            Throws.InstanceOf<UnreadableImageException>().With.Message.Contains(expected).And.Message.Contains("magick")
            .And.Message.Contains(path));
        Assert.That(() => ImageFile.Open(File.ReadAllBytes(path), path),
            Throws.InstanceOf<UnreadableImageException>().With.Message.Contains(expected));
    }

    [TestCase("IMG_1.jpg")]
    [TestCase("IMG_1.JPG")]
    [TestCase("IMG_1.heic")]
    public void AdviceToConvert_NeverWritesOverTheFile(string name)
    {
        string path = Write(name, [.. "\0\0\0\u0018ftypheic\0\0\0\0mif1"u8, .. new byte[100]]);
        string message = Assert.Throws<UnreadableImageException>(() => ImageFile.Read(path)).Message;
        string[] quoted = message.Split('"');
        Assert.That(quoted[1], Is.EqualTo(name));
        Assert.That(quoted[3], Is.Not.EqualTo(name).IgnoreCase.And.EndsWith(".jpg"));
    }

    [Test]
    public void LinkThatLeadsNowhere_IsSaidToBeOne()
    {
        if (OperatingSystem.IsWindows()) Assert.Ignore("Links need a right there.");
        string path = Path.Combine(_folder.Path, "link.jpg");
        File.CreateSymbolicLink(path, "nowhere.jpg");
        Assert.That(() => ImageFile.Read(path),
            Throws.InstanceOf<FileNotFoundException>().With.Message.Contains(path).And.Message.Contains("link to 'nowhere.jpg'"));
        Assert.That(ImageFile.TryRead(path).Problem, Does.Contain("link that leads nowhere"));
        File.Delete(path);
    }

    [TestCase("pipe.jpg")]
    public void Pipe_IsAnErrorAtOnce(string name)
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("On Linux alone a pipe is told from a file.");
        string path = Path.Combine(_folder.Path, name);
        using (Process process = Process.Start("mkfifo", [path])) process.WaitForExit();
        Task reading = Task.Run(() => Assert.That(
            () => ImageFile.Read(path), Throws.InstanceOf<UnreadableImageException>().With.Message.Contains("pipe")));
        Assert.That(reading.Wait(TimeSpan.FromSeconds(10)), "it waits");
        Assert.That(() => ImageFile.Read("/dev/zero"), Throws.InstanceOf<UnreadableImageException>().With.Message.Contains("device"));
    }

    private string Write(string name, byte[] content)
    {
        string path = Path.Combine(_folder.Path, name);
        File.WriteAllBytes(path, content);
        return path;
    }

    /// <summary>A small file whose header speaks of many pixels.</summary>
    private static byte[] Huge(string kind)
    {
        byte[] content = EncodedImages.Encode(DrawnImages.Noise(40, 30), kind);
        switch (kind)
        {
            case ".png":
                BinaryPrimitives.WriteInt32BigEndian(content.AsSpan(16), 65500);
                BinaryPrimitives.WriteInt32BigEndian(content.AsSpan(20), 65500);
                BinaryPrimitives.WriteUInt32BigEndian(content.AsSpan(29), EncodedImages.Crc(content.AsSpan(12, 17)));
                break;
            case ".jpg":
                int frame = content.AsSpan().IndexOf<byte>([0xFF, 0xC0]);
                BinaryPrimitives.WriteUInt16BigEndian(content.AsSpan(frame + 5), 65500);
                BinaryPrimitives.WriteUInt16BigEndian(content.AsSpan(frame + 7), 65500);
                break;
            case ".bmp":
                BinaryPrimitives.WriteInt32LittleEndian(content.AsSpan(18), 65500);
                BinaryPrimitives.WriteInt32LittleEndian(content.AsSpan(22), 65500);
                break;
            case ".gif":
                foreach (int at in (int[])[6, 8]) BinaryPrimitives.WriteUInt16LittleEndian(content.AsSpan(at), 65500);
                break;
            default:
                int key = content.AsSpan().IndexOf<byte>([0x9D, 0x01, 0x2A]);
                foreach (int at in (int[])[key + 3, key + 5]) BinaryPrimitives.WriteUInt16LittleEndian(content.AsSpan(at), 16383);
                break;
        }

        return content;
    }
}
