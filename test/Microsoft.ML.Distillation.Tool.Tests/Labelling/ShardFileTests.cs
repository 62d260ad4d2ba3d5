using Microsoft.ML.Distillation.Tool.Labelling;

namespace Microsoft.ML.Distillation.Tests.Tool.Labelling;

public class ShardFileTests
{
    private static readonly string[] Names = ["a.png", "b.png", "c.png"];

    private TemporaryFolder _folder = null!;

    private string Path => ShardFile.PathOf(_folder.Path, 1, 1);

    [SetUp]
    public void MakeFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void Work_GoesOn_WhereverItsFileWasCutOff()
    {
        Do(2);
        byte[] whole = File.ReadAllBytes(Path);
        int header = Array.IndexOf(whole, (byte)'\n') + 1, first = Array.IndexOf(whole, (byte)'\n', header) + 1;
        for (int length = 0; length <= whole.Length; length++)
        {
            File.WriteAllBytes(Path, whole[..length]);
            long done = Do(3);
            Assert.That(done, Is.EqualTo(length >= whole.Length ? 2 : length >= first ? 1 : 0), $"cut off at {length}");
            Assert.That(ShardFile.Records(Path).Select(record => record.File), Is.EqualTo(Names), $"cut off at {length}");
        }
    }

    [Test]
    public void OtherSettings_OtherImages_AndASecondProcess_AreRefused()
    {
        Do(2);
        using IEnumerator<string> names = Names.AsEnumerable().GetEnumerator();
        Assert.That(() => ShardFile.Open(_folder.Path, Header("other"), names),
            Throws.InvalidOperationException.With.Message.Contains("another teacher"));
        using IEnumerator<string> changed = ((string[])["a.png", "x.png"]).AsEnumerable().GetEnumerator();
        Assert.That(() => ShardFile.Open(_folder.Path, Header(), changed),
            Throws.InvalidOperationException.With.Message.Contains("'b.png'").And.Message.Contains("'x.png'"));
        using IEnumerator<string> one = Names.AsEnumerable().GetEnumerator(), other = Names.AsEnumerable().GetEnumerator();
        using ShardFile open = ShardFile.Open(_folder.Path, Header(), one);
        Assert.That(() => ShardFile.Open(_folder.Path, Header(), other),
            Throws.InvalidOperationException.With.Message.Contains("Another process"));
    }

    [Test]
    public void ImagesAddedToACompleteShard_AreRefused()
    {
        Do(3);
        byte[] complete = File.ReadAllBytes(Path);
        using IEnumerator<string> more = Names.Append("d.png").GetEnumerator();
        Assert.That(() => ShardFile.Open(_folder.Path, Header(), more),
            Throws.InvalidOperationException.With.Message.Contains("it has 3").And.Message.Contains("'d.png'").And.Message
                .Contains("another output folder"));
        Assert.That(File.ReadAllBytes(Path), Is.EqualTo(complete));
        Assert.That(Do(3), Is.EqualTo(3), "the same images are none that were added");
    }

    [Test]
    public void AnIncompleteShard_IsNotMerged()
    {
        Do(2);
        Assert.That(() => ShardFile.Records(Path).ToArray(), Throws.InvalidOperationException.With.Message.Contains("not complete"));
        File.WriteAllText(Path, "{}\nnonsense\n");
        Assert.That(() => ShardFile.Records(Path).ToArray(), Throws.TypeOf<FormatException>().With.Message.Contains("(2)"));
    }

    /// <summary>Labels up to a number of images; gives how many were done before.</summary>
    private long Do(int images)
    {
        using IEnumerator<string> names = Names.AsEnumerable().GetEnumerator();
        using ShardFile file = ShardFile.Open(_folder.Path, Header(), names);
        long before = file.Done;
        while (file.Done < images && names.MoveNext())
            file.Append(new ShardRecord
            {
                File = names.Current,
                Width = 4,
                Height = 3,
                Labels = [0],
                Scores = [0.1f],
                Boxes = [0, 1, 2, 3]
            });
        if (file.Done == Names.Length && !file.IsComplete) file.Complete();
        return before;
    }

    private static ShardHeader Header(string teacher = "t")
        => new(1, 1, new Dictionary<string, string> { ["teacher"] = teacher }, ["cat"], [1.5]);
}
