using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.ML.Distillation.Files;
using Microsoft.ML.Distillation.Tool.Display;
using Microsoft.ML.Distillation.Tool.Models;

namespace Microsoft.ML.Distillation.Tool.Commands;

/// <summary><c>ml-distill benchmark</c>: how long a model takes for an image, on the machine at hand.</summary>
internal sealed class BenchmarkCommand : System.CommandLine.Command
{
    private const int WarmUp = 3;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public BenchmarkCommand()
        : base("benchmark", "Measures how long a model takes for an image on this machine, from its pixels to its boxes.")
    {
        var model = new ModelOptionSet(isRequired: true);
        Option<string?> images = SharedOptions.Path("--images", "Images to show to it. [default: one of noise, 640×480]");
        Option<int?> runs = SharedOptions.Count("--runs", "How many images it is shown. [default: 50]");
        Option<int?> threads = SharedOptions.Count("--threads", "The threads that run it. [default: all cores]");
        Option<string?> json = SharedOptions.Path("--json", "Also write the figures to a file.", "FILE").AlsoCalled("--output", "-o");
        model.AddTo(Options);
        Option<bool> skip = SharedOptions.SkipInvalid("Leave out images that cannot be read, with a warning, instead of stopping.");
        foreach (Option option in (Option[])[images, runs, threads, json, skip]) Options.Add(option);
        SetAction(parsed =>
        {
            OutputCheck.File(parsed, json.Name, parsed.GetValue(json));
            string path = model.PathIn(parsed)!;
            using var detector = ObjectDetector.Load(path, model.OptionsOf(parsed) with { Threads = parsed.GetValue(threads) ?? 0 });
            IReadOnlyList<string> files = parsed.GetValue(images) is { } folder ? InputImages.Find(folder) : [];
            (TextWriter error, long maxPixels) = (parsed.InvocationConfiguration.Error, SharedOptions.MaxPixelsIn(parsed));
            TextWriter notes = SharedOptions.NotesTo(parsed, error);
            if (parsed.GetValue(skip)) files = TestImages.Readable(files, maxPixels, error, notes);
            double[] times = Times(detector, files, parsed.GetValue(runs) ?? 50, maxPixels, notes);
            double median = times[times.Length / 2], high = times[Math.Min(times.Length - 1, (int)(.95 * times.Length))];
            parsed.InvocationConfiguration.Output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{Path.GetFileName(path)}: {median:0.0} ms an image (median of {times.Length}; 95 % within {high:0.0} ms), "
                    + $"{1000 / median:0.0} images/s"));
            if (parsed.GetValue(json) is not { } file) return;
            AtomicFile.Write(file, JsonSerializer.SerializeToUtf8Bytes(new
            {
                model = Path.GetFileName(path),
                bytes = detector.Bytes,
                milliseconds = Math.Round(median, 3),
                milliseconds95 = Math.Round(high, 3),
                runs = times.Length,
                threads = parsed.GetValue(threads),
                device = Environment.MachineName,
                system = $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}, "
                    + $"{Counted.Of(Environment.ProcessorCount, "core")}",
            }, Indented));
        });
    }

    private static double[] Times(ObjectDetector detector, IReadOnlyList<string> files, int runs, long maxPixels, TextWriter notes)
    {
        const int width = 640, height = 480;
        byte[] noise = new byte[3 * width * height];
        new Random(1).NextBytes(noise);
        var times = new List<double>();
        int all = runs + WarmUp;
        foreach (int i in WorkProgress.Over(Enumerable.Range(0, all), all, "benchmark", "images", notes))
        {
            // Decoding a file is no part of the time.
            using ML.Data.MLImage? image = files.Count == 0 ? null : ImageLoader.Load(files[i % files.Count], maxPixels);
            long start = Stopwatch.GetTimestamp();
            if (image is null) detector.Detect(noise, width, height);
            else detector.Detect(image);
            if (i >= WarmUp) times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        return [.. times.Order()];
    }
}
