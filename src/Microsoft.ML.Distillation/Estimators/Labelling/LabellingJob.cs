using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Distillation.Teachers;
using Microsoft.ML.Distillation.Teachers.Labelling;

namespace Microsoft.ML.Distillation.Estimators.Labelling;

/// <summary>
/// Labels a shard of a list of images: reads, asks the teacher and writes one image after the other, so that memory does not grow
/// with their number. Begun again after any end it goes on with the next image.
/// </summary>
/// <param name="images">The images, of all shards.</param>
/// <param name="folder">Where the shards' files are.</param>
/// <param name="header">What is done, and of which shard.</param>
internal sealed class LabellingJob(ImageList images, string folder, ShardHeader header)
{
    // Read ahead in chunks: enough for the readers to be busy, little enough for any memory.
    private const int Chunk = 64;
    private const int ReadAhead = 8;

    private static readonly TimeSpan BetweenReports = TimeSpan.FromSeconds(2);

    /// <summary>Labels the images of the shard that are not done.</summary>
    /// <param name="teacher">Opens the teacher; not called where nothing is left to do.</param>
    /// <param name="workers">The number of threads that read images.</param>
    /// <returns>The number of images of the shard.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled; what is done stays.</exception>
    public long Run(Func<ITeacher> teacher, EnsembleOptions options, int workers, Action<LabellingProgress>? report, CancellationToken cancellation)
    {
        var shard = new Shard(header.Shard, header.Shards);
        using IEnumerator<string> names = shard.Of(images.Names()).GetEnumerator();
        using ShardFile file = ShardFile.Open(folder, header, names);
        if (file.IsComplete) return file.Done;
        long total = shard.Of(images.Names()).LongCount(), earlier = file.Done;
        using ITeacher opened = teacher();
        var ensemble = new TeacherEnsemble(opened, options);
        long started = Stopwatch.GetTimestamp(), reported = started;
        while (Take(names) is { Length: > 0 } chunk)
        {
            foreach (LoadedImage image in new PrefetchQueue<LoadedImage>(chunk.Length, ReadAhead, workers, i => LoadedImage.Of(chunk[i], images.PathOf(chunk[i]))).Read(cancellation))
            {
                cancellation.ThrowIfCancellationRequested();
                file.Append(Label(image, ensemble));
                if (Stopwatch.GetElapsedTime(reported) < BetweenReports) continue;
                reported = Stopwatch.GetTimestamp();
                report?.Invoke(new LabellingProgress(file.Done, total, (file.Done - earlier) / Stopwatch.GetElapsedTime(started).TotalSeconds));
            }
        }

        file.Complete();
        report?.Invoke(new LabellingProgress(file.Done, total, (file.Done - earlier) / Stopwatch.GetElapsedTime(started).TotalSeconds));
        return file.Done;
    }

    private static string[] Take(IEnumerator<string> names)
    {
        var chunk = new List<string>(Chunk);
        while (chunk.Count < Chunk && names.MoveNext()) chunk.Add(names.Current);
        return [.. chunk];
    }

    private static ShardRecord Label(LoadedImage image, TeacherEnsemble ensemble)
    {
        if (image.Pixels is not { } pixels) return new ShardRecord { File = image.Name, Error = image.Error };
        Detections found = ensemble.Detect(pixels);
        return new ShardRecord
        {
            File = image.Name,
            Width = pixels.Width,
            Height = pixels.Height,
            Labels = found.Labels,
            Scores = found.Scores,
            Boxes = [.. found.Boxes.Select((share, i) => share * (i % 2 == 0 ? pixels.Width : pixels.Height))],
        };
    }

    /// <summary>An image, or why it could not be read: one broken file shall not end the work on a million.</summary>
    private sealed record LoadedImage(string Name, RgbImage? Pixels, string? Error) : IDisposable
    {
        public static LoadedImage Of(string name, string path)
        {
            (RgbImage? pixels, string? problem) = ImageFile.TryRead(path);
            return new LoadedImage(name, problem is null ? pixels : null, problem);
        }

        public void Dispose()
        {
        }
    }
}

/// <summary>How far labelling has come.</summary>
/// <param name="Done">The images that are done, those of earlier runs too.</param>
/// <param name="Total">The images of the shard.</param>
/// <param name="ImagesPerSecond">The speed of this run.</param>
internal sealed record LabellingProgress(long Done, long Total, double ImagesPerSecond)
{
    /// <summary>The time that the rest will take at this speed; <see langword="null"/> before anything was done.</summary>
    public TimeSpan? Left => ImagesPerSecond > 0 ? TimeSpan.FromSeconds(Math.Ceiling((Total - Done) / ImagesPerSecond)) : null;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Done}/{Total} images  {ImagesPerSecond:0.0} images/s{(Left is TimeSpan left ? $"  {left:d\\.hh\\:mm\\:ss} left" : "")}");
}
