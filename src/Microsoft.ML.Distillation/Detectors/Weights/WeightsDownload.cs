using System.Net;
using System.Net.Http.Headers;

namespace Microsoft.ML.Distillation.Detectors.Weights;

/// <summary>
/// Downloads a file beside its place, from where an earlier attempt broke off. A connection that breaks, a server that stops sending and
/// one that is busy are tried again; that there is no network or no such file is said at once.
/// </summary>
internal sealed record WeightsDownload
{
    private const int BufferBytes = 1 << 16;

    /// <summary>What a file may be longer than is known of it.</summary>
    private const long Slack = 1 << 20;

    /// <summary>The longest wait for a connection.</summary>
    public TimeSpan ConnectPatience { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The longest wait for an answer, and for more of it.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The wait before another attempt; it doubles as long as nothing comes.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The attempts one after the other that bring it no further.</summary>
    public int Attempts { get; init; } = 4;

    /// <summary>Downloads.</summary>
    /// <param name="part">The file to write or to continue.</param>
    /// <param name="bytes">About how many bytes there are to be.</param>
    /// <exception cref="IOException">It is not to be had, or broke off too often.</exception>
    public async Task RunAsync(
        Uri address, string part, long bytes, IProgress<DownloadProgress>? progress, CancellationToken cancellationToken)
    {
        using var handler = new SocketsHttpHandler { ConnectTimeout = ConnectPatience };
        using var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        using var file = new FileStream(part, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        if (file.Length > bytes + Slack) file.SetLength(0);
        long most = file.Length;
        (int failures, TimeSpan pause) = (0, Pause);
        while (await AttemptAsync(client, address, file, bytes, progress, cancellationToken).ConfigureAwait(false) is { } broken)
        {
            if (file.Length > most) (most, failures, pause) = (file.Length, 0, Pause);
            if (++failures >= Attempts) throw new IOException(broken.Reason, broken.Cause);
            await Task.Delay(pause, cancellationToken).ConfigureAwait(false);
            pause *= 2;
        }

        file.Flush(flushToDisk: true);
    }

    /// <returns>Why it broke off, where another attempt may go better; null where all is there.</returns>
    private async Task<BrokenOff?> AttemptAsync(
        HttpClient client, Uri address, FileStream file, long bytes, IProgress<DownloadProgress>? progress,
        CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (file.Length > 0) request.Headers.Range = new RangeHeaderValue(file.Length, null);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            using HttpResponseMessage answer = await client
                .SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token).ConfigureAwait(false);
            if (answer.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
            {
                // All is there already, or what is there is of something else: its hash will tell.
                if (answer.Content.Headers.ContentRange?.Length == file.Length) return null;
                file.SetLength(0);
                return new BrokenOff("the server does not have the rest of what is there");
            }

            if (IsBusy(answer.StatusCode)) return new BrokenOff($"the server answers {Text(answer)}");
            if (!answer.IsSuccessStatusCode) throw new IOException($"the server answers {Text(answer)}");
            if (answer.StatusCode != HttpStatusCode.PartialContent || answer.Content.Headers.ContentRange?.From != file.Length)
            {
                // The server sends all of it, or another part than was asked for.
                file.SetLength(0);
                if (answer.StatusCode == HttpStatusCode.PartialContent) return new BrokenOff("the server sends another part");
            }

            long total = file.Length + (answer.Content.Headers.ContentLength ?? Math.Max(0, bytes - file.Length));
            if (total > bytes + Slack)
                throw new IOException($"the server has {total} bytes, and {bytes} were published");
            using Stream body = await answer.Content.ReadAsStreamAsync(patience.Token).ConfigureAwait(false);
            return await CopyAsync(body, file, bytes, total, progress, patience).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            // The handler tells of a connection that does not come about by this exception inside.
            if (e.InnerException is TimeoutException) throw new IOException("the server cannot be reached", e);
            return new BrokenOff(FormattableString.Invariant($"nothing came for {Patience.TotalSeconds} seconds"), e);
        }
        catch (HttpRequestException e) when (e.HttpRequestError is HttpRequestError.ResponseEnded or HttpRequestError.InvalidResponse)
        {
            return new BrokenOff(e.Message, e);
        }
        catch (HttpRequestException e)
        {
            throw new IOException($"the server cannot be reached: {e.GetBaseException().Message}", e);
        }
    }

    private async Task<BrokenOff?> CopyAsync(
        Stream body, FileStream file, long bytes, long total, IProgress<DownloadProgress>? progress, CancellationTokenSource patience)
    {
        var buffer = new byte[BufferBytes];
        file.Position = file.Length;
        progress?.Report(new DownloadProgress(file.Length, total));
        while (true)
        {
            patience.CancelAfter(Patience);
            int read;
            try
            {
                read = await body.ReadAsync(buffer, patience.Token).ConfigureAwait(false);
            }
            catch (IOException e)
            {
                return new BrokenOff(e.Message, e);
            }

            if (read == 0) return null;
            if (file.Length + read > bytes + Slack)
                throw new IOException($"more comes than the {bytes} bytes that were published");
            await file.WriteAsync(buffer.AsMemory(0, read), patience.Token).ConfigureAwait(false);
            progress?.Report(new DownloadProgress(file.Length, total));
        }
    }

    private static bool IsBusy(HttpStatusCode status) => status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests
        || (int)status >= 500;

    private static string Text(HttpResponseMessage answer) => $"{(int)answer.StatusCode} {answer.ReasonPhrase}";

    private sealed record BrokenOff(string Reason, Exception? Cause = null);
}
