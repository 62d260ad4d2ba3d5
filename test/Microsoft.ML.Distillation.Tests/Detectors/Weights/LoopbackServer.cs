using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Microsoft.ML.Distillation.Tests.Detectors.Weights;

/// <summary>A request as a test's server sees it.</summary>
/// <param name="From">The first byte of the range that is asked for; null for all.</param>
internal sealed record LoopbackRequest(string Path, long? From);

/// <summary>
/// An HTTP server on this machine whose answers a test writes byte by byte: one may break off, stall, lie about its length, or know no
/// ranges. Each connection has one request.
/// </summary>
internal sealed class LoopbackServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Func<LoopbackRequest, LoopbackAnswer, Task> _answer;

    /// <param name="answer">Answers a request; what it writes goes out at once, and the connection ends with it.</param>
    public LoopbackServer(Func<LoopbackRequest, LoopbackAnswer, Task> answer)
    {
        _answer = answer;
        _listener.Start();
        _ = Task.Run(AcceptAsync);
    }

    /// <summary>A server that has one content under every name, and knows ranges.</summary>
    public LoopbackServer(byte[] content)
        : this((request, answer) => answer.SendAsync(content, request.From))
    {
    }

    /// <summary>Its address, a folder.</summary>
    public string Address => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/files";

    /// <summary>The requests that came.</summary>
    public List<LoopbackRequest> Requests { get; } = [];

    public void Dispose()
    {
        _end.Cancel();
        _listener.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            TcpClient client;
            try
            {
                client = await _listener.AcceptTcpClientAsync(_end.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                return;
            }

            _ = Task.Run(() => ServeAsync(client));
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                NetworkStream stream = client.GetStream();
                using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
                string path = (await reader.ReadLineAsync())!.Split(' ')[1];
                long? from = null;
                while (await reader.ReadLineAsync() is { Length: > 0 } line)
                {
                    const string Range = "Range: bytes=";
                    if (line.StartsWith(Range, StringComparison.OrdinalIgnoreCase))
                        from = long.Parse(line[Range.Length..].TrimEnd('-'), CultureInfo.InvariantCulture);
                }

                var request = new LoopbackRequest(path, from);
                lock (Requests) Requests.Add(request);
                await _answer(request, new LoopbackAnswer(stream));
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
            {
                // The client has gone.
            }
        }
    }
}

/// <summary>What a test's server answers with.</summary>
internal sealed class LoopbackAnswer(Stream stream)
{
    /// <summary>Sends a status line and headers.</summary>
    public Task HeadAsync(string status, params string[] headers)
        => WriteAsync(Encoding.ASCII.GetBytes(string.Join("\r\n", [$"HTTP/1.1 {status}", "Connection: close", .. headers, "", ""])));

    /// <summary>Sends bytes.</summary>
    public async Task WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        await stream.WriteAsync(bytes);
        await stream.FlushAsync();
    }

    /// <summary>Sends a content from a byte on as servers do that know ranges, and as much of it as is wanted.</summary>
    public async Task SendAsync(byte[] content, long? from, int? atMost = null)
    {
        int start = (int)(from ?? 0);
        if (start >= content.Length)
        {
            await HeadAsync("416 Range Not Satisfiable", $"Content-Range: bytes */{content.Length}", "Content-Length: 0");
            return;
        }

        string length = $"Content-Length: {content.Length - start}";
        if (from is null) await HeadAsync("200 OK", length);
        else await HeadAsync("206 Partial Content", length, $"Content-Range: bytes {start}-{content.Length - 1}/{content.Length}");
        await WriteAsync(content.AsMemory(start, Math.Min(content.Length - start, atMost ?? int.MaxValue)));
    }
}
