using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation.Tests.Files;

/// <summary>Locks, temporary files and what killed processes leave of either.</summary>
public class FileTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void ALock_IsHadByOne_AndLeavesNothing()
    {
        string path = Path.Combine(_folder.Path, "new", "folder", "student.zip");
        using (FileLock? first = FileLock.TryTake(path))
        {
            Assert.That(first, Is.Not.Null);
            Assert.That(FileLock.TryTake(path), Is.Null);
        }

        Assert.That(Directory.GetFileSystemEntries(_folder.Path), Is.Empty, "folders that were made for the lock alone go with it");
        using FileLock? again = FileLock.TryTake(path);
        Assert.That(again, Is.Not.Null);
    }

    [Test]
    public void ALocksFile_ThatAKilledProcessLeft_IsNoLock()
    {
        _folder.Write(".student.zip.lock", "");
        using FileLock? taken = FileLock.TryTake(_folder.Sub("student.zip"));
        Assert.That(taken, Is.Not.Null);
    }

    [Test]
    public void Locks_AreOfTheFile_NotOfItsName()
    {
        if (OperatingSystem.IsWindows()) Assert.Ignore("Links need a right on Windows.");
        _folder.Write("real.zip", "");
        File.CreateSymbolicLink(_folder.Sub("link.zip"), _folder.Sub("real.zip"));
        using FileLock? taken = FileLock.TryTake(_folder.Sub("link.zip"));
        Assert.That(FileLock.TryTake(_folder.Sub("real.zip")), Is.Null);
    }

    [Test]
    public void ManyThreads_HaveALockOneAfterTheOther()
    {
        string path = _folder.Sub("contested");
        int inside = 0, most = 0, had = 0;
        Parallel.For(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ =>
        {
            using FileLock? taken = FileLock.TryTake(path);
            if (taken is null) return;
            most = Math.Max(most, Interlocked.Increment(ref inside));
            Interlocked.Increment(ref had);
            Thread.Yield();
            Interlocked.Decrement(ref inside);
        });
        Assert.That((most, had > 0), Is.EqualTo((1, true)));
    }

    [Test]
    public void ATemporaryFile_IsPrivate_AndGoesWithItsFolder()
    {
        string path;
        using (var file = new TemporaryFile("abc"u8, ".onnx", _folder.Path))
        {
            path = file.Path;
            Assert.That(File.ReadAllText(path), Is.EqualTo("abc"));
            if (!OperatingSystem.IsWindows())
            {
                const UnixFileMode read = UnixFileMode.UserRead | UnixFileMode.UserWrite;
                Assert.That(File.GetUnixFileMode(path), Is.EqualTo(read));
                Assert.That(File.GetUnixFileMode(Path.GetDirectoryName(path)!), Is.EqualTo(read | UnixFileMode.UserExecute));
            }
        }

        Assert.That(Directory.GetFileSystemEntries(_folder.Path), Is.Empty);
    }

    [Test]
    public void WhatAKilledProcessLeft_IsRemovedByTheNext_AndWhatIsInUseStays()
    {
        string left = _folder.Sub($"{TemporaryFile.FolderStart}left/content.onnx");
        string others = _folder.Sub("ml-distillation-test/content.onnx");
        foreach (string path in (string[])[left, Path.Combine(Path.GetDirectoryName(left)!, "in-use"), others]) File.WriteAllText(path, "");
        using var first = new TemporaryFile("1"u8, ".onnx", _folder.Path);
        using var second = new TemporaryFile("2"u8, ".onnx", _folder.Path);
        Assert.That(Directory.Exists(Path.GetDirectoryName(left)), Is.False);
        Assert.That((File.Exists(first.Path), File.Exists(second.Path), File.Exists(others)), Is.EqualTo((true, true, true)));
    }

    [Test]
    public void HalfWrittenFiles_AreRemovedBesideTheirOwn_AndNoOthers()
    {
        string id = Guid.NewGuid().ToString("N");
        string[] left = [_folder.Write($".{id}.student.zip", ""), _folder.Write($".{id}.student.zip.part", "")];
        string[] kept = [_folder.Write("student.zip", ""), _folder.Write($".{id}.other.zip", ""), _folder.Write(".notes.student.zip", "")];
        AtomicFile.RemoveLeft(_folder.Sub("student.zip"));
        Assert.That(left.Where(File.Exists), Is.Empty);
        Assert.That(kept.Where(File.Exists), Is.EqualTo(kept));
    }
}
