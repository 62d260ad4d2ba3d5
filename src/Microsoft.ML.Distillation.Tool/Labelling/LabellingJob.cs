using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Tool.Display;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Labelling;

/// <summary>
/// Labels a shard of a list of images: reads, asks the teacher and writes one image after the other, so that memory does not grow
/// with their number. Begun again after any end it goes on with the next image.
/// </summary>
/// <param name="images">The images, of all shards.</param>
/// <param name="folder">Where the shards' files are.</param>
/// <param name="header">What is done, and of which shard.</param>
/// <param name="maxPixels">How many pixels an image may have.</param>
internal sealed class LabellingJob(ImageList images, string folder, ShardHeader header, long maxPixels = ImageLoader.DefaultMaxPixels)
{
    // Read ahead in chunks: enough for the readers to be busy, little enough for any memory.
    private const int Chunk = 64;
    private const int ReadAhead = 8;

    // So many say how long all will take; and of a detector that is told in words, whether it finds anything.
    private const int FirstImages = 10, TellingImages = 50;

    private static readonly TimeSpan BetweenReports = TimeSpan.FromSeconds(2);

    /// <summary>Labels the images of the shard that are not done.</summary>
    /// <param name="labeller">Opens the teacher; not called where nothing is left to do.</param>
    /// <param name="workers">The number of threads that read images.</param>
    /// <param name="warn">Is told what is found out about the teacher.</param>
    /// <param name="confident">
    /// The score from which on a detection is a label, where a run that begins is to stop if there is none in the first fifty images;
    /// <see langword="null"/>: it is not.
    /// </param>
    /// <returns>The number of images of the shard.</returns>
    /// <exception cref="InvalidDataException">There is none in them.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; what is done stays.</exception>
    public long Run(Func<TeacherLabeller> labeller, int workers, Action<LabellingProgress>? report, CancellationToken cancellation,
        Action<string>? warn = null, double? confident = null)
    {
        var shard = new Shard(header.Shard, header.Shards);
        using IEnumerator<string> names = shard.Of(images.Names()).GetEnumerator();
        using ShardFile file = ShardFile.Open(folder, header, names);
        if (file.IsComplete) return file.Done;
        long total = shard.Of(images.Names()).LongCount(), earlier = file.Done;
        using TeacherLabeller teacher = labeller();
        Dictionary<string, int> labels = header.Classes.Select((name, i) => (name, i)).ToDictionary(pair => pair.name, pair => pair.i);
        int said = 0;
        bool hasAny = earlier > 0 || confident is null;
        float best = 0;
        long started = Stopwatch.GetTimestamp(), reported = started;
        while (Take(names) is { Length: > 0 } chunk)
        {
            foreach (LoadedImage image in ReadAheadOf(chunk, workers, cancellation))
            {
                cancellation.ThrowIfCancellationRequested();
                ShardRecord record;
                using (image) file.Append(record = Label(image, teacher, labels));
                best = Math.Max(best, record.Scores.DefaultIfEmpty().Max());
                hasAny |= best >= confident;
                if (!hasAny && file.Done == Math.Min(TellingImages, total)) throw Nothing(file.Done, best, confident!.Value);
                for (IReadOnlyList<string> remarks = teacher.Remarks; said < remarks.Count; said++) warn?.Invoke(remarks[said]);
                if (file.Done == total) continue;
                if (Stopwatch.GetElapsedTime(reported) < BetweenReports && file.Done - earlier != FirstImages) continue;
                reported = Stopwatch.GetTimestamp();
                report?.Invoke(new LabellingProgress(file.Done, total, (file.Done - earlier) / Stopwatch
                    .GetElapsedTime(started).TotalSeconds));
            }
        }

        file.Complete();
        report?.Invoke(new LabellingProgress(file.Done, total, (file.Done - earlier) / Stopwatch.GetElapsedTime(started).TotalSeconds));
        return file.Done;
    }

    private static InvalidDataException Nothing(long images, float best, double confident)
        => new(string.Create(CultureInfo.InvariantCulture,
        $"the detector finds nothing in the first {images} images: the best score is {best:0.000}, and {confident:0.###} are needed for a "
        + $"label. Look at ten images first: 'ml-distill inspect-teacher' with the same prompts and --images, and --draw for a sheet of "
        + $"what it sees, says for each phrase how near it comes. Other words help most ('kick scooter' finds what 'electric scooter' "
        + $"misses), then several phrases a class, then --teacher-score; what such models have never seen they do not find. "
        + $"(The same command again goes on all the same.)"));

    private static string[] Take(IEnumerator<string> names)
    {
        var chunk = new List<string>(Chunk);
        while (chunk.Count < Chunk && names.MoveNext()) chunk.Add(names.Current);
        return [.. chunk];
    }

    /// <summary>The images of a chunk in order, a few of them read ahead on other threads.</summary>
    private IEnumerable<LoadedImage> ReadAheadOf(string[] chunk, int workers, CancellationToken cancellation)
    {
        using var gate = new SemaphoreSlim(workers);
        var underWay = new Queue<Task<LoadedImage>>();
        int next = 0;
        try
        {
            while (next < chunk.Length || underWay.Count > 0)
            {
                while (next < chunk.Length && underWay.Count < ReadAhead) underWay.Enqueue(Read(chunk[next++]));
                yield return underWay.Dequeue().WaitAsync(cancellation).GetAwaiter().GetResult();
            }
        }
        finally
        {
            foreach (Task<LoadedImage> left in underWay) left.GetAwaiter().GetResult().Dispose();
        }

        Task<LoadedImage> Read(string name) => Task.Run(() =>
        {
            gate.Wait(CancellationToken.None);
            try
            {
                return LoadedImage.Of(name, images.PathOf(name), maxPixels);
            }
            finally
            {
                gate.Release();
            }
        });
    }

    private static ShardRecord Label(LoadedImage image, TeacherLabeller teacher, Dictionary<string, int> labels)
    {
        if (image.Pixels is not { } pixels) return new ShardRecord { File = image.Name, Error = image.Error };
        IReadOnlyList<Detection> found = teacher.Detect(pixels);
        return new ShardRecord
        {
            File = image.Name,
            Width = pixels.Width,
            Height = pixels.Height,
            Labels = [.. found.Select(one => labels[one.Label])],
            Scores = [.. found.Select(one => one.Score)],
            Boxes = [.. found.SelectMany(one => (float[])[one.Box.X0, one.Box.Y0, one.Box.X1, one.Box.Y1])],
        };
    }

    /// <summary>An image, or why it could not be read: one broken file shall not end the work on a million.</summary>
    private sealed record LoadedImage(string Name, MLImage? Pixels, string? Error) : IDisposable
    {
        public static LoadedImage Of(string name, string path, long maxPixels)
        {
            try
            {
                return new LoadedImage(name, ImageLoader.Load(path, maxPixels), null);
            }
            catch (UnreadableImageException error)
            {
                return new LoadedImage(name, null, error.Problem);
            }
            catch (FileNotFoundException)
            {
                return new LoadedImage(name, null, RealPath.IsDeadLink(path) ? "the file is a link that leads nowhere"
                    : "the file does not exist");
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                return new LoadedImage(name, null, $"the image cannot be read: {error.Message}");
            }
        }

        public void Dispose() => Pixels?.Dispose();
    }
}

/// <summary>How far labelling has come.</summary>
/// <param name="Done">The images that are done, those of earlier runs too.</param>
/// <param name="Total">The images of the shard.</param>
/// <param name="ImagesPerSecond">The speed of this run.</param>
internal sealed record LabellingProgress(long Done, long Total, double ImagesPerSecond)
{
    /// <summary>The time that the rest will take at this speed; <see langword="null"/> before anything was done.</summary>
    public TimeSpan? Left => ImagesPerSecond > 0 ? TimeSpan.FromSeconds((Total - Done) / ImagesPerSecond) : null;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Done} of {Total} images  {ImagesPerSecond:0.0} images/s  {TimeLeft.Text(Left, Done >= Total)}").TrimEnd();
}
