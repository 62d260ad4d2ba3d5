using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Published;
using Microsoft.ML.Distillation.Teachers.Onnx;

namespace Microsoft.ML.Distillation.Tests.Teachers.Onnx;

public class AnswerCacheTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void Answers_ComeBackToTheLastBit_AlsoInAnotherProcess()
    {
        DensePredictions answer = Answer(3);
        AnswerCache cache = Open(), other = Open();
        string key = cache.KeyOf(DrawnImages.Noise(8, 6));
        Assert.That(cache.Read(key), Is.Null);
        cache.Write(key, answer);
        DensePredictions read = other.Read(key)!;
        Assert.That(read.Boxes, Is.EqualTo(answer.Boxes));
        Assert.That(read.Probabilities, Is.EqualTo(answer.Probabilities));
        Assert.That(read.Confidences, Is.EqualTo(answer.Confidences));
        Assert.That(AnswerCache.Decode(AnswerCache.Encode(Answer(0)))!.Count, Is.Zero, "an image without predictions is an answer too");
    }

    [Test]
    public void Keys_TellTeachersImagesAndSizesApart()
    {
        RgbImage image = DrawnImages.Noise(8, 6);
        string[] keys =
        [
            Open().KeyOf(image), Open("other teacher").KeyOf(image), Open().KeyOf(DrawnImages.Noise(8, 6, seed: 2)),
            Open().KeyOf(new RgbImage(6, 8, image.Pixels)),
        ];
        Assert.That(keys, Is.Unique);
        Assert.That(Open().KeyOf(DrawnImages.Noise(8, 6)), Is.EqualTo(keys[0]));
    }

    [Test]
    public void ADamagedFile_IsAMissingOne()
    {
        byte[] whole = AnswerCache.Encode(Answer(2));
        for (int length = 0; length < whole.Length; length++) Assert.That(AnswerCache.Decode(whole[..length]), Is.Null);
        for (int i = 0; i < whole.Length; i++)
        {
            byte[] changed = [.. whole];
            changed[i] ^= 1;
            Assert.That(AnswerCache.Decode(changed), Is.Null);
        }
    }

    [Test]
    public void DistributionsOfSides_AreKeptToo()
    {
        var edges = new EdgeBins(2, [.. Enumerable.Range(0, 16).Select(i => i / 16f)], [.. Enumerable.Range(0, 16).Select(i => i / 3f)]);
        DensePredictions kept = AnswerCache.Decode(AnswerCache.Encode(Answer(2) with { Edges = edges }))!;

        Assert.That(kept.Edges!.Bins, Is.EqualTo(2));
        Assert.That((kept.Edges.Probabilities, kept.Edges.Places), Is.EqualTo((edges.Probabilities, edges.Places)));
        Assert.That(AnswerCache.Decode(AnswerCache.Encode(Answer(2)))!.Edges, Is.Null);
    }

    [Test]
    public void TheFolder_StaysWithinItsBound_AndKeepsTheNewest()
    {
        int one = AnswerCache.Encode(Answer(20)).Length;
        AnswerCache cache = Open(limit: 10 * one);
        string[] keys = [.. Enumerable.Range(0, 40).Select(i => cache.KeyOf(DrawnImages.Noise(4, 4, i)))];
        for (int i = 0; i < keys.Length; i++)
        {
            cache.Write(keys[i], Answer(20));
            Touch(keys[i], i);
            Assert.That(Bytes(), Is.LessThanOrEqualTo(10 * one));
        }

        Assert.That(cache.Read(keys[39]), Is.Not.Null);
        Assert.That(cache.Read(keys[0]), Is.Null);
        Open(limit: 3 * one);
        Assert.That(Bytes(), Is.LessThanOrEqualTo(3 * one), "a smaller bound holds from the start");
    }

    [Test]
    public void ManyAtOnce_DoNotDisturbOneAnother()
    {
        AnswerCache[] caches = [.. Enumerable.Range(0, 4).Select(_ => Open(limit: 20_000))];
        string[] keys = [.. Enumerable.Range(0, 30).Select(i => caches[0].KeyOf(DrawnImages.Noise(4, 4, i)))];
        Parallel.For(0, 400, i =>
        {
            AnswerCache cache = caches[i % 4];
            string key = keys[i % keys.Length];
            if (cache.Read(key) is { } found) Assert.That(found.Count, Is.EqualTo(10 + i % keys.Length));
            else cache.Write(key, Answer(10 + i % keys.Length));
        });
        Assert.That(Directory.GetFiles(_folder.Path, "*.part", SearchOption.AllDirectories), Is.Empty);
    }

    [Test]
    public void WhatAKillLeft_IsClearedAway()
    {
        string left = Path.Combine(_folder.Path, "ab", "x.part");
        Directory.CreateDirectory(Path.GetDirectoryName(left)!);
        File.WriteAllText(left, "half");
        Open();
        Assert.That(File.Exists(left), "another process may be writing it");
        File.SetLastWriteTimeUtc(left, DateTime.UtcNow.AddDays(-1));
        Open();
        Assert.That(File.Exists(left), Is.False);
    }

    private AnswerCache Open(string teacher = "teacher", long limit = 1 << 20) => new(_folder.Path, teacher, limit);

    private long Bytes() => Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories).Sum(path => new FileInfo(path).Length);

    /// <summary>Gives a file a time of its own: the clock's steps are too coarse for a test.</summary>
    private void Touch(string key, int second)
    {
        string path = Path.Combine(_folder.Path, key[..2], key + ".answer");
        if (File.Exists(path)) File.SetLastWriteTimeUtc(path, new DateTime(2020, 1, 1, 0, 0, second, DateTimeKind.Utc));
    }

    private static DensePredictions Answer(int count) => new(
        [.. Enumerable.Range(0, 4 * count).Select(i => i / 100f)], [.. Enumerable.Range(0, 2 * count).Select(i => i / 50f)],
        [.. Enumerable.Range(0, count).Select(i => i / 7f)]);
}
