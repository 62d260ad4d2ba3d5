using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace Microsoft.ML.Distillation.Tests;

/// <summary>A page in headless Chromium, asked over its DevTools protocol; for pages that work longer than their loading.</summary>
internal sealed class Chromium : IDisposable
{
    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome", "chrome"];

    private readonly TemporaryFolder _profile;
    private readonly Process _process;
    private readonly ClientWebSocket _socket = new();
    private int _next;

    private Chromium(Process process, TemporaryFolder profile) => (_process, _profile) = (process, profile);

    /// <summary>The browser's program; the test is skipped where there is none.</summary>
    public static string Program()
    {
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        string? found = Names.SelectMany(name => folders.Select(folder => Path.Combine(folder, name))).FirstOrDefault(File.Exists);
        if (found is null) Assert.Ignore("There is no Chromium on this machine to look at the page with.");
        return found!;
    }

    /// <summary>Opens a page.</summary>
    public static async Task<Chromium> OpenAsync(string address, int width = 1400, int height = 900)
    {
        string program = Program();
        var profile = new TemporaryFolder();
        var start = new ProcessStartInfo(program,
        [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-port=0",
            $"--user-data-dir={profile.Path}", $"--window-size={width},{height}", "about:blank",
        ])
        {
            RedirectStandardError = true,
        };
        var browser = new Chromium(Process.Start(start)!, profile);
        _ = browser._process.StandardError.ReadToEndAsync();
        try
        {
            // The file's first line is the port.
            string port = profile.Sub("DevToolsActivePort");
            for (int i = 0; i < 600 && !(File.Exists(port) && File.ReadAllLines(port).Length > 1); i++) await Task.Delay(100);
            using var http = new HttpClient();
            string pages = await http.GetStringAsync($"http://127.0.0.1:{File.ReadAllLines(port)[0]}/json/list");
            JsonElement page = JsonElement.Parse(pages).EnumerateArray().First(one => one.GetProperty("type").GetString() == "page");
            await browser._socket.ConnectAsync(new Uri(page.GetProperty("webSocketDebuggerUrl").GetString()!), CancellationToken.None);
            await browser.SendAsync("Page.navigate", new { url = address });
            return browser;
        }
        catch
        {
            browser.Dispose();
            throw;
        }
    }

    /// <summary>The value of a script, as JSON; of a promise what it comes to.</summary>
    public async Task<JsonElement> EvaluateAsync(string script)
    {
        JsonElement answer = await SendAsync(
            "Runtime.evaluate", new { expression = script, awaitPromise = true, returnByValue = true });
        if (answer.TryGetProperty("exceptionDetails", out JsonElement problem)) Assert.Fail($"The page says: {problem}");
        return answer.GetProperty("result").TryGetProperty("value", out JsonElement value) ? value : default;
    }

    /// <summary>Waits until a script's value is true.</summary>
    public async Task UntilAsync(string script)
    {
        for (int i = 0; i < 600; i++)
        {
            if ((await EvaluateAsync(script)).ValueKind == JsonValueKind.True) return;
            await Task.Delay(100);
        }

        Assert.Fail($"The page never came to: {script}");
    }

    /// <summary>A picture of the page, as PNG.</summary>
    public async Task<byte[]> ScreenshotAsync()
        => (await SendAsync("Page.captureScreenshot", new { format = "png", captureBeyondViewport = true }))
            .GetProperty("data").GetBytesFromBase64();

    public void Dispose()
    {
        _socket.Dispose();
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
        _profile.Dispose();
    }

    private async Task<JsonElement> SendAsync(string method, object parameters)
    {
        int id = ++_next;
        byte[] message = JsonSerializer.SerializeToUtf8Bytes(new { id, method, @params = parameters });
        await _socket.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        while (true)
        {
            using var whole = new MemoryStream();
            var part = new byte[1 << 16];
            ValueWebSocketReceiveResult received;
            do
            {
                received = await _socket.ReceiveAsync(part.AsMemory(), CancellationToken.None);
                whole.Write(part, 0, received.Count);
            }
            while (!received.EndOfMessage);
            JsonElement answer = JsonElement.Parse(Encoding.UTF8.GetString(whole.GetBuffer(), 0, (int)whole.Length));
            if (!answer.TryGetProperty("id", out JsonElement of) || of.GetInt32() != id) continue;
            return answer.TryGetProperty("result", out JsonElement result) ? result
                : throw new InvalidOperationException($"{method}: {answer}");
        }
    }
}
