using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.ML.Distillation.Detectors.Weights;

namespace Microsoft.ML.Distillation.Tests.Detectors.Weights;

public class WeightsCacheTests
{
    private const string Name = "resnet18-test.pth";

    private static readonly byte[] Content = RandomNumberGenerator.GetBytes(300_000);
    private static readonly byte[] Other = RandomNumberGenerator.GetBytes(300_000);

    private static readonly PublishedWeights Weights =
        new(BackboneKind.ResNet18, Name, Convert.ToHexStringLower(SHA256.HashData(Content)), Content.Length);

    private TemporaryFolder _folder = null!;

    private string Target => Path.Combine(_folder.Path, "cache", Name);

    private string Part => Target + ".part";

    [SetUp]
    public void MakeFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public void DropFolder() => _folder.Dispose();

    [Test]
    public async Task File_AppearsWhole_AndIsNotFetchedAgain()
    {
        using var server = new LoopbackServer(Content);
        var seen = new Seen();
        string path = await Cache(server).GetAsync(Weights, seen, default);
        Assert.That(path, Is.EqualTo(Target));
        Assert.That(File.ReadAllBytes(path), Is.EqualTo(Content));
        Assert.That(Directory.GetFiles(Path.GetDirectoryName(path)!), Is.EqualTo(new[] { path }), "nothing is left beside it");
        Assert.That(seen.Reports, Is.Ordered.By(nameof(DownloadProgress.Received)));
        Assert.That(seen.Reports[^1], Is.EqualTo(new DownloadProgress(Content.Length, Content.Length)));
        Assert.That(server.Requests, Is.EqualTo(new[] { new LoopbackRequest("/files/" + Name, null) }));

        Assert.That(await Cache(server).GetAsync(Weights, null, default), Is.EqualTo(path));
        Assert.That(Cache(server).Find(Weights), Is.EqualTo(path));
        Assert.That(server.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task WhatLiesAtTheFilesPlace_IsSaid_WhenItIsNotTheFile()
    {
        var cache = new WeightsCache(Path.GetDirectoryName(Target)!) { Published = [Weights], Source = "http://127.0.0.1:9/" };
        Assert.That(cache.ProblemOf(Weights), Is.Null, "nothing lies there");
        Directory.CreateDirectory(Path.GetDirectoryName(Target)!);
        File.WriteAllBytes(Target, Other);
        Assert.That(cache.ProblemOf(Weights), Does.Contain(Target).And.Contain("SHA-256"));
        Assert.That(await Failure(cache),
            Does.Contain("cannot be downloaded").And.Contain("What lies there now is damaged").And.Contain(Target));

        File.WriteAllBytes(Target, Content);
        Assert.That(cache.ProblemOf(Weights), Is.Null);
        File.Delete(Target);
        Directory.CreateDirectory(Target);
        Assert.That(cache.ProblemOf(Weights), Does.Contain("is a folder"));
        Assert.That(await Failure(cache), Does.Contain("is a folder").And.Not.Contains("Fetched otherwise"));
        Assert.That(() => cache.Find(Weights), Throws.TypeOf<InvalidDataException>().With.Message.Contains("is a folder"));
    }

    [Test]
    public async Task FileWhereTheFolderBelongs_IsNamed()
    {
        string file = _folder.Write("cache", "x");
        var cache = new WeightsCache(Path.Combine(file, "weights")) { Published = [Weights], Source = "http://127.0.0.1:9/" };
        Assert.That(await Failure(cache), Does.Contain($"'{file}' is a file, where the folder").And.Contain("ML_DISTILLATION_CACHE"));
    }

    private static async Task<string> Failure(WeightsCache cache)
    {
        try
        {
            await cache.GetAsync(Weights, null, default);
        }
        catch (IOException error)
        {
            return error.Message;
        }

        return "";
    }

    [Test]
    public async Task InterruptedDownload_IsContinued()
    {
        WritePart(Content[..100_000]);
        using var server = new LoopbackServer(Content);
        await AssertComes(server);
        Assert.That(server.Requests.Single().From, Is.EqualTo(100_000));
    }

    [Test]
    public async Task ServerWithoutRanges_SendsAllOfItAgain()
    {
        WritePart(Content[..100_000]);
        using var server = new LoopbackServer((_, answer) => answer.SendAsync(Content, null));
        await AssertComes(server);
    }

    [Test]
    public async Task ServerThatSendsAnotherPart_IsAskedAgain()
    {
        WritePart(Content[..100_000]);
        using var server = new LoopbackServer((request, answer)
            => answer.SendAsync(Content, request.From is null ? null : request.From + 1));
        await AssertComes(server);
        Assert.That(server.Requests.Select(request => request.From), Is.EqualTo(new long?[] { 100_000, null }));
    }

    [Test]
    public async Task AnswerThatBreaksOff_IsContinued()
    {
        using var server = new LoopbackServer((request, answer) => answer.SendAsync(Content, request.From, atMost: 90_000));
        await AssertComes(server);
        Assert.That(server.Requests, Has.Count.EqualTo(4), "three parts of 90,000 bytes, and the rest");
    }

    [Test]
    public async Task AnswerThatAlwaysBreaksOff_IsAnError_AndIsContinuedLater()
    {
        using (var server = new LoopbackServer((request, answer) => answer.SendAsync(Content, request.From, request.From is null ? 5 : 0)))
        {
            IOException error = (await Assert.ThrowsAsync<IOException>(() => Cache(server).GetAsync(Weights, null, default)))!;
            AssertSaysWhatToDo(error, server);
            Assert.That(server.Requests, Has.Count.EqualTo(4), "one that brought something, and three in vain");
        }

        Assert.That(File.Exists(Target), Is.False);
        using var better = new LoopbackServer(Content);
        await AssertComes(better);
        Assert.That(better.Requests.Single().From, Is.EqualTo(5));
    }

    [Test]
    public async Task ServerThatStalls_IsAskedForTheRest()
    {
        using var server = new LoopbackServer(async (request, answer) =>
        {
            await answer.SendAsync(Content, request.From, request.From is null ? 1000 : null);
            if (request.From is null) await Task.Delay(TimeSpan.FromSeconds(20));
        });
        await AssertComes(server);
        Assert.That(server.Requests.Select(request => request.From), Is.EqualTo(new long?[] { null, 1000 }));
    }

    [Test]
    public async Task SlowServer_IsWaitedFor_AsLongAsSomethingComes()
    {
        using var server = new LoopbackServer(async (_, answer) =>
        {
            await answer.HeadAsync("200 OK", $"Content-Length: {Content.Length}");
            foreach (byte[] piece in Content.Chunk(50_000))
            {
                await Task.Delay(150);
                await answer.WriteAsync(piece);
            }
        });
        await AssertComes(server);
        Assert.That(server.Requests, Has.Count.EqualTo(1), "though all of it took longer than the patience");
    }

    [Test]
    public async Task BusyServer_IsAskedAgain()
    {
        int asked = 0;
        using var server = new LoopbackServer((request, answer) => Interlocked.Increment(ref asked) <= 2
            ? answer.HeadAsync("503 Service Unavailable", "Content-Length: 0")
            : answer.SendAsync(Content, request.From));
        await AssertComes(server);
    }

    [TestCase("404 Not Found")]
    [TestCase("403 Forbidden")]
    public async Task WhatIsNotThere_IsSaidAtOnce(string status)
    {
        using var server = new LoopbackServer((_, answer) => answer.HeadAsync(status, "Content-Length: 0"));
        IOException error = (await Assert.ThrowsAsync<IOException>(() => Cache(server).GetAsync(Weights, null, default)))!;
        Assert.That(error.Message, Does.Contain(status));
        AssertSaysWhatToDo(error, server);
        Assert.That(server.Requests, Has.Count.EqualTo(1));
        Assert.That(File.Exists(Target), Is.False);
    }

    [Test]
    public async Task WithoutANetwork_TheErrorSaysWhichFileGoesWhere()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        taken.Stop();
        var cache = new WeightsCache(Path.GetDirectoryName(Target)!) { Source = $"http://127.0.0.1:{port}/models/" };
        IOException error = (await Assert.ThrowsAsync<IOException>(() => cache.GetAsync(Weights, null, default)))!;
        Assert.That(error.Message, Does.Contain($"http://127.0.0.1:{port}/models/{Name}").And.Contain($"'{Name}'").And
            .Contain($"'{Path.GetDirectoryName(Target)}'").And.Contain("cannot be reached"));
    }

    [Test]
    public async Task WrongBytes_AreAnError_AndGo()
    {
        using var server = new LoopbackServer(Other);
        Exception error = (await Assert.ThrowsAsync<InvalidDataException>(() => Cache(server).GetAsync(Weights, null, default)))!;
        Assert.That(error.Message, Does.Contain(Weights.Sha256).And.Contain(Convert.ToHexStringLower(SHA256.HashData(Other))));
        AssertSaysWhatToDo(error, server);
        Assert.That(File.Exists(Target) || File.Exists(Part), Is.False);
    }

    [Test]
    public async Task ContinuedOnForeignBytes_ItBeginsAgain()
    {
        WritePart(Other[..100_000]);
        using var server = new LoopbackServer(Content);
        await AssertComes(server);
        Assert.That(server.Requests.Select(request => request.From), Is.EqualTo(new long?[] { 100_000, null }));
    }

    [TestCase(0)]
    [TestCase(10)]
    public async Task WholePart_ThatWasNotRenamed_IsTakenOrBegunAgain(int tooMuch)
    {
        WritePart([.. Content, .. new byte[tooMuch]]);
        using var server = new LoopbackServer(Content);
        await AssertComes(server);
    }

    [TestCase("Content-Length: 9000000000")]
    [TestCase("Content-Type: text/plain")]
    public async Task MoreThanWasPublished_IsNotTaken(string header)
    {
        using var server = new LoopbackServer(async (_, answer) =>
        {
            await answer.HeadAsync("200 OK", header);
            for (int i = 0; i < 1000; i++) await answer.WriteAsync(Other);
        });
        IOException error = (await Assert.ThrowsAsync<IOException>(() => Cache(server).GetAsync(Weights, null, default)))!;
        Assert.That(error.Message, Does.Contain("were published"));
        Assert.That(File.Exists(Part) ? new FileInfo(Part).Length : 0, Is.LessThan(2_000_000));
    }

    [Test]
    public async Task Cancelled_ItKeepsWhatCame()
    {
        using var source = new CancellationTokenSource();
        using var server = new LoopbackServer(async (_, answer) =>
        {
            await answer.SendAsync(Content, null, atMost: 200_000);
            await Task.Delay(TimeSpan.FromSeconds(20));
        });
        var seen = new Seen { At = progress => { if (progress.Received >= 200_000) source.Cancel(); } };
        await Assert.ThatAsync(
            () => Cache(server, patience: 20).GetAsync(Weights, seen, source.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(File.Exists(Target), Is.False);
        Assert.That(new FileInfo(Part).Length, Is.EqualTo(200_000));
    }

    [Test]
    public async Task OfSeveralAtOnce_OneDownloads()
    {
        using var server = new LoopbackServer(async (request, answer) =>
        {
            await Task.Delay(300);
            await answer.SendAsync(Content, request.From);
        });
        // The lock is one of open files, so several caches of this process exclude each other as processes do.
        string[] paths = await Task.WhenAll(
            Enumerable.Range(0, 4).Select(_ => Task.Run(() => Cache(server).GetAsync(Weights, null, default))));
        Assert.That(paths, Is.All.EqualTo(Target));
        Assert.That(File.ReadAllBytes(Target), Is.EqualTo(Content));
        Assert.That(server.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task FilePlacedByHand_IsHeldToTheHash()
    {
        using var server = new LoopbackServer(Content);
        WeightsCache cache = Cache(server);
        Assert.That(cache.Find(Weights), Is.Null);
        Directory.CreateDirectory(cache.Folder);
        File.WriteAllBytes(Target, Content);
        Assert.That(cache.Find(Weights), Is.EqualTo(Target));
        await cache.GetAsync(Weights, null, default);
        Assert.That(server.Requests, Is.Empty);

        File.WriteAllBytes(Target, Other);
        Assert.That(() => cache.Find(Weights), Throws.TypeOf<InvalidDataException>().With.Message.Contains(Target).And.Message
            .Contains(Weights.Sha256));
        await AssertComes(server);
    }

    [TestCase("ftp://host/models")]
    [TestCase("models")]
    public void Mirror_MustBeAnAddress(string mirror)
        => Assert.That(() => new WeightsCache(_folder.Path) { Source = mirror }.AddressOf(Weights),
            Throws.InvalidOperationException.With.Message.Contains("ML_DISTILLATION_WEIGHTS_URL").And.Message.Contains(mirror));

    [TestCase("https://mirror.example/a", "https://mirror.example/a/" + Name)]
    [TestCase("https://mirror.example/a/", "https://mirror.example/a/" + Name)]
    public void Mirror_IsAFolder(string mirror, string address)
        => Assert.That(new WeightsCache(_folder.Path) { Source = mirror }.AddressOf(Weights).ToString(), Is.EqualTo(address));

    [Test]
    public void PublishedFiles_AreNamedByTheirHashes_OneForABackbone()
    {
        Assert.That(PublishedWeights.All.Select(one => one.Backbone), Is.Unique);
        foreach (PublishedWeights one in PublishedWeights.All)
        {
            string digits = Path.GetFileNameWithoutExtension(one.FileName).Split('-')[^1];
            Assert.That(one.Sha256, Has.Length.EqualTo(64).And.StartsWith(digits), one.FileName);
            Assert.That(digits, Has.Length.AnyOf(8, 10));
            Assert.That(one.Bytes, Is.GreaterThan(1_000_000));
            Assert.That(one.License, Does.Contain("BSD-3-Clause").And.Contain("ImageNet"));
            Assert.That(one.CachePath, Is.EqualTo(Path.Combine(PublishedWeights.CacheDirectory, one.FileName)));
            Assert.That(one.IsCached, Is.False);
        }

        Assert.That(PublishedWeights.Of(Backbone.ResNet18 with { Stages = 2 })!.FileName, Is.EqualTo("resnet18-f37072fd.pth"));
        Assert.That(PublishedWeights.Of(Backbone.Plain(4)), Is.Null);
    }

    private WeightsCache Cache(LoopbackServer server, double patience = 0.6) => new(Path.GetDirectoryName(Target)!)
    {
        Source = server.Address,
        Download = new WeightsDownload { Patience = TimeSpan.FromSeconds(patience), Pause = TimeSpan.FromMilliseconds(5) },
    };

    private async Task AssertComes(LoopbackServer server)
    {
        await Cache(server).GetAsync(Weights, null, default);
        Assert.That(File.ReadAllBytes(Target), Is.EqualTo(Content));
        Assert.That(File.Exists(Part), Is.False);
    }

    private void AssertSaysWhatToDo(Exception error, LoopbackServer server)
        => Assert.That(error.Message, Does.Contain($"{server.Address}/{Name}").And.Contain($"'{Name}'").And
            .Contain($"'{Path.GetDirectoryName(Target)}'").And.Contain("ML_DISTILLATION_CACHE"));

    private void WritePart(byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Part)!);
        File.WriteAllBytes(Part, content);
    }

    private sealed class Seen : IProgress<DownloadProgress>
    {
        public List<DownloadProgress> Reports { get; } = [];

        public Action<DownloadProgress> At { get; init; } = _ => { };

        public void Report(DownloadProgress value)
        {
            Reports.Add(value);
            At(value);
        }
    }
}
