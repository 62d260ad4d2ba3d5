using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.ML.Distillation;

// CameraWorker --model student.onnx --folder FOLDER [--score 0.4]: a service that looks at each picture that a camera drops into a folder,
// in the order of their coming, and writes what it finds beside it (picture.jpg.json). After a restart it goes on with the pictures that
// have no such file yet. For a Windows service or systemd add UseWindowsService() or UseSystemd() and their packages.
HostApplicationBuilder builder = Host.CreateApplicationBuilder(args);
if (builder.Configuration["model"] is null || builder.Configuration["folder"] is null)
{
    Console.Error.WriteLine("usage: CameraWorker --model FILE --folder FOLDER [--score 0.4]");
    return 2;
}

builder.Services.AddSingleton(services => ObjectDetector.Load(
    builder.Configuration["model"]!, new ObjectDetectorOptions { ScoreThreshold = builder.Configuration.GetValue("score", 0.4) }));
builder.Services.AddHostedService<Camera>();
await builder.Build().RunAsync();
return 0;

/// <summary>Looks at the pictures of a folder, and at those that come.</summary>
internal sealed partial class Camera(ObjectDetector detector, IConfiguration configuration, ILogger<Camera> log) : BackgroundService
{
    // A camera may still be writing: a picture that cannot be read yet is tried again.
    private const int Tries = 5;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        string folder = configuration["folder"]!;
        using var signal = new SemaphoreSlim(0);
        using var watcher = new FileSystemWatcher(folder);
        watcher.Created += (_, _) => signal.Release();
        watcher.Renamed += (_, _) => signal.Release();
        watcher.EnableRaisingEvents = true;
        var given = new HashSet<string>();
        while (!stoppingToken.IsCancellationRequested)
        {
            foreach (string path in Directory.EnumerateFiles(folder).Where(ImageLoader.IsImage)
                .Where(path => !given.Contains(path) && !File.Exists(path + ".json")).OrderBy(File.GetLastWriteTimeUtc))
            {
                if (!await LookAsync(path, stoppingToken)) given.Add(path);
            }

            // Watchers miss events on network drives and when many come at once: look anyway, now and then.
            await signal.WaitAsync(TimeSpan.FromSeconds(2), stoppingToken);
        }
    }

    private async Task<bool> LookAsync(string path, CancellationToken cancellation)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                IReadOnlyList<Detection> found = await detector.DetectAsync(path, cancellation);

                // Whole or not at all, for whoever reads it.
                await File.WriteAllTextAsync(path + ".part", JsonSerializer.Serialize(found), cancellation);
                File.Move(path + ".part", path + ".json", overwrite: true);
                LogFound(path, found.Count);
                return true;
            }
            catch (Exception e) when (e is UnreadableImageException or IOException && attempt < Tries)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100 << attempt), cancellation);
            }
            catch (Exception e) when (e is UnreadableImageException or IOException)
            {
                LogUnreadable(e.Message);
                return false;
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Picture}: {Count} found")]
    private partial void LogFound(string picture, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Left out: {Problem}")]
    private partial void LogUnreadable(string problem);
}
