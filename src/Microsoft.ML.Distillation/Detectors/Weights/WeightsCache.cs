using System.Security.Cryptography;
using Microsoft.ML.Distillation.Files;

namespace Microsoft.ML.Distillation.Detectors.Weights;

/// <summary>The folder of published files: finds them, holds them to their hashes, and downloads them.</summary>
internal sealed class WeightsCache(string folder)
{
    /// <summary>The variable that names the folder for all that is cached.</summary>
    public const string FolderVariable = "ML_DISTILLATION_CACHE";

    /// <summary>The variable that names a mirror.</summary>
    public const string MirrorVariable = "ML_DISTILLATION_WEIGHTS_URL";

    private const string Application = "ml-distillation";
    private static readonly TimeSpan TurnPause = TimeSpan.FromMilliseconds(200);

    /// <summary>The cache of this user on this machine.</summary>
    public static WeightsCache Default => new(Path.Combine(Root(), "weights"));

    /// <summary>The folder; it need not exist.</summary>
    public string Folder { get; } = Path.GetFullPath(folder);

    /// <summary>The files that are known.</summary>
    public IReadOnlyList<PublishedWeights> Published { get; init; } = PublishedWeights.All;

    /// <summary>The folder on the network in which the files are.</summary>
    public string Source { get; init; } =
        Environment.GetEnvironmentVariable(MirrorVariable) is { Length: > 0 } mirror ? mirror : PublishedWeights.Origin;

    /// <summary>How files are downloaded.</summary>
    public WeightsDownload Download { get; init; } = new();

    /// <summary>The file of a backbone's parameters; null where none is published.</summary>
    public PublishedWeights? Of(Backbone backbone) => Published.FirstOrDefault(one => one.Backbone == backbone.Kind);

    /// <summary>Where a file is downloaded from.</summary>
    /// <exception cref="InvalidOperationException">The variable of the mirror holds no address.</exception>
    public Uri AddressOf(PublishedWeights weights)
    {
        if (!Uri.TryCreate(Source.TrimEnd('/') + '/', UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https"))
        {
            throw new InvalidOperationException(
                $"The environment variable {MirrorVariable} is '{Source}', which is no address under http or https.");
        }

        return new Uri(uri, weights.FileName);
    }

    /// <summary>Where a file is or is to be put.</summary>
    public string PathOf(PublishedWeights weights) => Path.Combine(Folder, weights.FileName);

    /// <summary>The path of a file that is in the cache; null where it is not.</summary>
    /// <exception cref="InvalidDataException">There is one, which is not what was published.</exception>
    public string? Find(PublishedWeights weights)
    {
        if (ProblemOf(weights) is { } problem)
            throw new InvalidDataException($"{problem}. Delete it, and get the file again from {AddressOf(weights)}.");
        return File.Exists(PathOf(weights)) ? PathOf(weights) : null;
    }

    /// <summary>What is wrong with what lies at a file's place; null where it is the file, or nothing lies there.</summary>
    public string? ProblemOf(PublishedWeights weights)
    {
        string path = PathOf(weights);
        if (Directory.Exists(path)) return $"'{path}' is a folder, where a file of weights belongs";
        if (!File.Exists(path)) return null;
        try
        {
            string found = HashOf(path);
            return found == weights.Sha256 ? null
                : $"'{path}' is not what was published under that name: its SHA-256 is {found}, not {weights.Sha256}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"'{path}' cannot be read: {e.Message.TrimEnd('.')}";
        }
    }

    /// <summary>The path of a file that is in the cache, or now is.</summary>
    /// <inheritdoc cref="PublishedWeights.DownloadAsync"/>
    public async Task<string> GetAsync(
        PublishedWeights weights, IProgress<DownloadProgress>? progress, CancellationToken cancellationToken)
    {
        string path = PathOf(weights);
        if (IsRight(path, weights)) return path;
        Uri address = AddressOf(weights);
        string? damaged = ProblemOf(weights);
        if (Directory.Exists(path)) throw new IOException($"{damaged}. Delete it or give it another name.");
        if (FileOnTheWay() is { } file) throw new IOException(
            $"'{file}' is a file, where the folder '{Folder}' of the cache belongs. Delete it or give it another name; the environment "
            + $"variable {FolderVariable} names another folder.");
        try
        {
            Directory.CreateDirectory(Folder);
            using (await TurnAsync(path + ".lock", cancellationToken).ConfigureAwait(false))
            {
                // Another process may have been faster.
                if (!IsRight(path, weights)) await FetchAsync(address, path, weights, progress, cancellationToken).ConfigureAwait(false);
            }

            DropLock(path + ".lock");
            return path;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            string message = $"The weights cannot be downloaded from {address}: {e.Message.TrimEnd('.')}. Fetched otherwise, "
                + $"'{weights.FileName}' belongs into the folder '{Folder}'; the environment variable {FolderVariable} names another, and "
                + $"{MirrorVariable} a mirror.{(damaged is null ? "" : $" What lies there now is damaged: {damaged}.")}";
            throw e is InvalidDataException ? new InvalidDataException(message, e) : new IOException(message, e);
        }
    }

    /// <summary>The SHA-256 of a file, in small hexadecimal digits.</summary>
    /// <exception cref="IOException">It is a device or a pipe.</exception>
    public static string HashOf(string path)
    {
        if (FileKind.IsSpecial(path)) throw new IOException($"'{path}' is a device or a pipe, not a file of weights.");
        using FileStream file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    private static bool IsRight(string path, PublishedWeights weights) => File.Exists(path) && HashOf(path) == weights.Sha256;

    private async Task FetchAsync(
        Uri address, string path, PublishedWeights weights, IProgress<DownloadProgress>? progress, CancellationToken cancellationToken)
    {
        string part = path + ".part";
        bool continued = File.Exists(part) && new FileInfo(part).Length > 0;
        string found = await HashAfterAsync().ConfigureAwait(false);
        // What an earlier process left may be of another file, or damaged: once more from the beginning.
        if (found != weights.Sha256 && continued) found = await HashAfterAsync().ConfigureAwait(false);
        if (found != weights.Sha256)
        {
            throw new InvalidDataException($"what comes is not what was published: its SHA-256 is {found}, not {weights.Sha256}");
        }

        File.Move(part, path, overwrite: true);

        async Task<string> HashAfterAsync()
        {
            try
            {
                await Download.RunAsync(address, part, weights.Bytes, progress, cancellationToken).ConfigureAwait(false);
            }
            catch when (new FileInfo(part) is { Exists: true, Length: 0 })
            {
                File.Delete(part);
                throw;
            }

            string hash = HashOf(part);
            if (hash != weights.Sha256) File.Delete(part);
            return hash;
        }
    }

    /// <summary>A file that lies where the folder or one above it is to be; null where there is none.</summary>
    private string? FileOnTheWay()
    {
        for (string? at = Folder; at is not null; at = Path.GetDirectoryName(at))
        {
            if (File.Exists(at)) return at;
        }

        return null;
    }

    /// <summary>Waits until no other process has the file open, and opens it.</summary>
    private static async Task<FileStream> TurnAsync(string path, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
            }
            catch (IOException e) when (FileLock.IsTaken(e))
            {
                await Task.Delay(TurnPause, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Once the file is there, whoever still waits for the lock finds it; one that cannot be deleted does no harm.</summary>
    private static void DropLock(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // On Windows: another process has it open.
        }
    }

    private static string Root()
    {
        if (Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } named) return named;
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        string? system = OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
            : OperatingSystem.IsMacOS() ? Below(home, "Library", "Caches")
            // Relative paths there are to be ignored, says its specification.
            : Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { } cache && Path.IsPathRooted(cache) ? cache
            : Below(home, ".cache");
        // Services may have no home.
        return Path.Combine(system is { Length: > 0 } ? system : Path.GetTempPath(), Application);
    }

    private static string? Below(string home, params string[] folders)
        => home.Length == 0 ? null : Path.Combine([home, .. folders]);
}
