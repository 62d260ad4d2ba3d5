using System.Diagnostics;
using System.Text;
using Microsoft.ML.Distillation.Formats;

namespace Microsoft.ML.Distillation.Tests.Formats;

public class CocoStreamingTests
{
    [Test]
    public void LargeFile_IsRead_WithoutHoldingItsText()
    {
        const int Annotations = 20_000;
        using var stream = new MemoryStream();
        WriteFile(stream, Annotations);
        stream.Position = 0;
        long before = GC.GetAllocatedBytesForCurrentThread();
        CocoFile file = CocoParser.Parse(stream, "file");
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.That(file.Objects, Has.Count.EqualTo(Annotations));
        Assert.That(file.Objects[^1].Line, Is.EqualTo(Annotations + 1));
        // A list that doubles allocates about three times what it holds.
        Assert.That(allocated, Is.LessThan(400 * Annotations).And.LessThan(stream.Length / 3));
    }

    [Test, Explicit("Writes a file of 500 MB, and prints time and memory.")]
    public void HalfAGigabyte_IsRead_InLittleMemory()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Sub("instances.json");
        using (FileStream written = File.Create(path)) WriteFile(written, 310_000);
        GC.Collect();
        var time = Stopwatch.StartNew();
        CocoFile file;
        using (FileStream stream = File.OpenRead(path)) file = CocoParser.Parse(stream, path);
        time.Stop();
        GC.Collect();
        TestContext.Out.WriteLine(
            $"{new FileInfo(path).Length / 1e6:0} MB with {file.Objects.Count} objects in {time.Elapsed.TotalSeconds:0.0} s; "
            + $"heap {GC.GetTotalMemory(false) / 1e6:0} MB, peak of the process {Process.GetCurrentProcess().PeakWorkingSet64 / 1e6:0} MB");
        Assert.That(GC.GetTotalMemory(true), Is.LessThan(150e6));
        GC.KeepAlive(file);
    }

    [Test]
    public void Result_DoesNotDependOnHowTheStreamIsCut()
    {
        byte[] content = Encoding.UTF8.GetBytes(Samples.Coco);
        CocoFile whole = CocoParser.Parse(new MemoryStream(content), "file");
        CocoFile cut = CocoParser.Parse(new OneByOne(content), "file");
        Assert.That(cut.Objects, Is.EqualTo(whole.Objects));
        Assert.That(cut.Images, Is.EqualTo(whole.Images));
    }

    [Test]
    public void ValueLongerThanTheWindow_IsRead()
    {
        string name = new('a', 300_000);
        CocoFile file = CocoParser.Parse(
            new MemoryStream(Encoding.UTF8.GetBytes($$"""{"images": [{"id": 1, "file_name": "{{name}}"}]}""")), "file");
        Assert.That(file.Images.Single().FileName, Is.EqualTo(name));
    }

    /// <summary>A COCO file. As in COCO itself, most of it is masks.</summary>
    private static void WriteFile(Stream stream, int annotations)
    {
        stream.Write(Encoding.UTF8.GetBytes(
            """{"categories": [{"id": 1, "name": "cat"}], "images": [{"id": 1, "file_name": "a"}], "annotations": [""" + "\n"));
        byte[] element = Encoding.UTF8
            .GetBytes("""{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "segmentation": [["""
                + string.Join(", ", Enumerable.Repeat("123.25", 200)) + "]]},\n");
        for (int i = 1; i < annotations; i++) stream.Write(element);
        stream.Write(element.AsSpan(0, element.Length - 2));
        stream.Write("]}"u8);
    }

    /// <summary>A stream that gives a byte at a time.</summary>
    private sealed class OneByOne(byte[] content) : MemoryStream(content)
    {
        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, 1));

        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, 1)]);
    }
}
