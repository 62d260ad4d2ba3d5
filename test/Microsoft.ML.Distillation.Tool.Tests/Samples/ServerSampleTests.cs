using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Microsoft.ML.Distillation.Tests.Samples;

/// <summary>The server sample: what it answers, to whom it says no, and its page in a browser.</summary>
public class ServerSampleTests
{
    private TemporaryFolder _folder = null!;
    private Process _server = null!;
    private HttpClient _http = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _folder = new TemporaryFolder();
        TrainedDetector.FromModel(TrainedModels.OneStage).SaveOnnx(_folder.Sub("student.onnx"));
        List<string> args = ["--student", _folder.Sub("student.onnx"), "--teacher", TrainedModels.TwoStage, "--max-megabytes", "1",
            "--urls", "http://127.0.0.1:0"];
        if (Web() is { } web) args.AddRange(["--web", web]);
        _server = Process.Start(new ProcessStartInfo("dotnet", [ProgramRun.Find("Samples/Server"), .. args])
        {
            RedirectStandardOutput = true,
        })!;
        string? line;
        do line = await _server.StandardOutput.ReadLineAsync();
        while (line is not null && !line.Contains("Now listening on: ", StringComparison.Ordinal));
        Assert.That(line, Is.Not.Null, "the server did not start");
        _ = _server.StandardOutput.ReadToEndAsync();
        _http = new HttpClient { BaseAddress = new Uri(line![(line.IndexOf("on: ", StringComparison.Ordinal) + 4)..].Trim()) };
    }

    [OneTimeTearDown]
    public void Stop()
    {
        _http?.Dispose();
        _server?.Kill();
        _server?.WaitForExit();
        _server?.Dispose();
        _folder?.Dispose();
    }

    [Test]
    public async Task APicture_IsAnsweredWithWhatTheModelFinds()
    {
        string picture = TrainedModels.Images.Image(0);
        JsonElement answer = await PostAsync("student", File.ReadAllBytes(picture));
        using var detector = ObjectDetector.Load(_folder.Sub("student.onnx"), new ObjectDetectorOptions { ScoreThreshold = .3 });
        IReadOnlyList<Detection> expected = detector.Detect(picture);
        Assert.That(expected, Is.Not.Empty);
        Assert.That(Labels(answer), Is.EqualTo(expected.Select(one => one.Label)));
        Assert.That(Boxes(answer), Is.EqualTo(expected.SelectMany(one => new[] { one.Box.X0, one.Box.Y0, one.Box.X1, one.Box.Y1 }))
            .Within(.01));
        Assert.That(answer.GetProperty("milliseconds").GetDouble(), Is.Positive);
    }

    [Test]
    public async Task ManyAtOnce_GetTheSameAnswers()
    {
        byte[][] pictures = [.. Enumerable.Range(0, 4).Select(i => File.ReadAllBytes(TrainedModels.Images.Image(i)))];
        JsonElement[] one = [.. pictures.Select(picture => PostAsync("student", picture).Result)];
        JsonElement[] many = await Task.WhenAll(Enumerable.Range(0, 24).Select(i => PostAsync("student", pictures[i % 4])));
        for (int i = 0; i < many.Length; i++) Assert.That(Boxes(many[i]), Is.EqualTo(Boxes(one[i % 4])).Within(.01));
    }

    [Test]
    public async Task WhatIsNoPicture_OrTooLarge_OrForNoModel_IsRefused()
    {
        Assert.That(await StatusAsync("student", "no picture"u8.ToArray()), Is.EqualTo(HttpStatusCode.UnsupportedMediaType));
        Assert.That(await StatusAsync("student", new byte[(1 << 20) + 1]), Is.EqualTo(HttpStatusCode.RequestEntityTooLarge));
        Assert.That(await StatusAsync("nobody", File.ReadAllBytes(TrainedModels.Images.Image(0))), Is.EqualTo(HttpStatusCode.NotFound));
    }

    [Test]
    public async Task ThePage_ShowsAllModels_AndTheStudentInItIsTheServers()
    {
        if (Web() is null) Assert.Ignore("onnxruntime-web is not here: set ONNXRUNTIME_WEB to the dist folder of the npm package.");
        using Chromium page = await Chromium.OpenAsync(_http.BaseAddress!.ToString());
        await page.UntilAsync("window.showPicture !== undefined");
        for (int i = 0; i < 3; i++)
        {
            string picture = Convert.ToBase64String(File.ReadAllBytes(TrainedModels.Images.Image(i)));
            JsonElement answers = await page.EvaluateAsync(
                $"fetch('data:image/png;base64,{picture}').then(r => r.blob()).then(showPicture)");
            Assert.That(answers.EnumerateObject().Select(one => one.Name), Is.EqualTo(new[] { "teacher", "student", "browser" }));
            JsonElement there = answers.GetProperty("student"), here = answers.GetProperty("browser");
            string[] sure = [.. Labels(there, .2f)];
            Assert.That(sure, Is.Not.Empty);
            Assert.That(Labels(here).Take(sure.Length), Is.EqualTo(sure));
            Assert.That(Boxes(here).Take(4 * sure.Length), Is.EqualTo(Boxes(there).Take(4 * sure.Length)).Within(1), "within a pixel");
        }

        Assert.That((await page.EvaluateAsync("document.getElementById('problem').textContent")).GetString(), Is.Empty);
        string[] times = [.. (await page.EvaluateAsync("[...document.querySelectorAll('.time')].map(t => t.textContent)"))
            .EnumerateArray().Select(time => time.GetString()!)];
        Assert.That(times, Has.Length.EqualTo(3).And.All.Match(@"^\d+\.\d ms, \d+ found$"));
        if (Environment.GetEnvironmentVariable("SERVER_SCREENSHOT") is { } file) File.WriteAllBytes(file, await page.ScreenshotAsync());
    }

    /// <summary>The files of onnxruntime-web, where someone has installed them.</summary>
    private static string? Web()
    {
        string?[] places = [Environment.GetEnvironmentVariable("ONNXRUNTIME_WEB"),
            Path.Combine(TestData.Repository(), "artifacts", "web", "node_modules", "onnxruntime-web", "dist")];
        return places.FirstOrDefault(place => place is not null && File.Exists(Path.Combine(place, "ort.wasm.min.mjs")));
    }

    private async Task<JsonElement> PostAsync(string model, byte[] picture)
    {
        using HttpResponseMessage response = await _http.PostAsync($"/detect/{model}", new ByteArrayContent(picture));
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }

    private async Task<HttpStatusCode> StatusAsync(string model, byte[] content)
    {
        using HttpResponseMessage response = await _http.PostAsync($"/detect/{model}", new ByteArrayContent(content));
        return response.StatusCode;
    }

    private static IEnumerable<string> Labels(JsonElement answer, float least = 0) => answer.GetProperty("detections").EnumerateArray()
        .Where(one => one.GetProperty("score").GetSingle() >= least).Select(one => one.GetProperty("label").GetString()!);

    private static float[] Boxes(JsonElement answer) => [.. answer.GetProperty("detections").EnumerateArray()
        .SelectMany(one => one.GetProperty("box").EnumerateArray()).Select(side => side.GetSingle())];
}
