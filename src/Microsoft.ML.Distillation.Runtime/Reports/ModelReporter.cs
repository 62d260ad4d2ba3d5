using System.Diagnostics;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Drawing;
using Microsoft.ML.Distillation.Evaluation;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Rows;
using SkiaSharp;

namespace Microsoft.ML.Distillation.Reports;

/// <summary>Makes the report of detectors.</summary>
internal static class ModelReporter
{
    /// <summary>The report of a model, and of those that the options put beside it.</summary>
    public static ReportContent Make(ITransformer model, DetectorReportOptions options)
    {
        (string Name, DetectorRole Role, ITransformer? Model)[] entries =
        [
            ("teacher", DetectorRole.Teacher, options.Teacher), ("student alone", DetectorRole.Alone, options.Alone),
            options.Teacher is null && options.Alone is null ? ("model", DetectorRole.Model, model)
                : ("student distilled", DetectorRole.Distilled, model),
            ("student quantised", DetectorRole.Quantised, options.Quantised),
        ];
        entries = [.. entries.Where(entry => entry.Model is not null)];
        var detectors = new List<ObjectDetector>();
        try
        {
            foreach ((string name, _, ITransformer? fitted) in entries) detectors.Add(ObjectDetector.Of(FittedDetectors.In(fitted!), name));
            if (options.TestSet is null) return Of(
                [.. entries.Zip(detectors, (entry, detector) => new ReportedDetector(entry.Name, entry.Role, detector))], [], options);
            var test = MeasuredTestSet.Measure(detectors, options.TestSet, options);
            return Of([.. entries.Zip(test.Measurements, (entry, measured) => new ReportedDetector(entry.Name, entry.Role, measured))],
                test.Images, options);
        }
        finally
        {
            foreach (ObjectDetector detector in detectors) detector.Dispose();
        }
    }

    /// <summary>The report of detectors that have been measured on the options' test set.</summary>
    /// <exception cref="ArgumentException">There is no detector, or the options name others.</exception>
    public static ReportContent Make(IReadOnlyList<ReportedDetector> detectors, DetectorReportOptions options)
    {
        if (detectors.Count == 0) throw new ArgumentException("A report needs a detector.", nameof(detectors));
        if (options.Teacher is not null || options.Alone is not null || options.Quantised is not null)
            throw new ArgumentException($"The options' {nameof(options.Teacher)}, {nameof(options.Alone)} and {nameof(options.Quantised)} "
                + $"stand beside a fitted model; put the detector into the list.", nameof(options));
        return Of(detectors, options.TestSet is null ? [] : MeasuredTestSet.Measure([], options.TestSet, options).Images, options);
    }

    private static ReportContent Of(IReadOnlyList<ReportedDetector> detectors, IReadOnlyList<ReportedImage> images,
        DetectorReportOptions options)
        => new(options.Title, [.. detectors.Select(detector => detector.Model with { Seeds = detector.Seeds })])
        {
            Made = DateTimeOffset.Now,
            Images = images,
            Pictures = options.Pictures,
            Command = options.Command,
            Timings = options.Timings,
        };
}

/// <summary>Annotated images, and what was measured of detectors on them: the one way in which this library measures a detector.</summary>
/// <param name="Images">The images.</param>
/// <param name="Measurements">For each detector its figures.</param>
internal sealed record MeasuredTestSet(IReadOnlyList<ReportedImage> Images, IReadOnlyList<DetectorMeasurement> Measurements)
{
    private const int WarmUp = 3;

    /// <summary>Runs every detector on every image; an image is decoded once.</summary>
    /// <param name="columns">The names of the columns. Without images the file that <c>ImagePath</c> names is read.</param>
    /// <param name="inclusivePixels">Whether VOC's figures take a width for x1 - x0 + 1.</param>
    /// <exception cref="ArgumentException">A column is missing or of another type, or the data have no row.</exception>
    public static MeasuredTestSet Measure(
        IReadOnlyList<ObjectDetector> detectors, IDataView data, DetectorReportOptions columns, bool inclusivePixels = true,
        Action<string>? warn = null, CancellationToken cancellation = default)
    {
        string? image = data.Schema.GetColumnOrNull(columns.ImageColumnName)?.Name;
        if (image is null && data.Schema.GetColumnOrNull(nameof(DetectionRow.ImagePath)) is not { Type: TextDataViewType })
        {
            const string path = nameof(DetectionRow.ImagePath);
            throw new ArgumentException($"The test set has no column '{columns.ImageColumnName}' of images, nor '{path}' of their files.");
        }

        using var rows = new RowReader(data, new RowColumns
        {
            Image = image,
            Label = columns.LabelColumnName,
            BoundingBoxes = columns.BoundingBoxColumnName,
            Details = RowColumns.AllDetails,
        });
        var classes = new ClassIndex();
        var images = new List<ReportedImage>();
        var truths = new List<TrueBox[]>();
        var timed = detectors.Select(detector => new TimedDetector(detector)).ToArray();
        rows.AddKnownClasses(classes);
        while (rows.MoveNext())
        {
            cancellation.ThrowIfCancellationRequested();
            TrueBox[] truth = rows.ReadObjects().ToTruth(classes);
            (string file, long row) = (rows.Path, rows.Row);
            ImageSize size;
            if (timed.Length > 0 || image is not null)
            {
                RgbImage rgb = image is not null ? rows.ReadImage() : detectors[0].ReadFile(file);
                size = new ImageSize(rgb.Width, rgb.Height);
                foreach (TimedDetector detector in timed) detector.Run(rgb, cancellation);
            }
            else
            {
                size = ImageFile.SizeOf(file);
            }

            images.Add(new ReportedImage(
                file.Length > 0 ? Path.GetFileName(file) : $"image {row}", size, [.. truth.Select(box => Reported(box, classes))],
                () => File.Exists(file) ? ReportPictures.FromFile(file) : ReportPictures.FromPixels(PixelsAt(data, image!, row))));
            truths.Add(truth);
        }

        if (images.Count == 0) throw new ArgumentException("The test set has no row.");
        if (rows.TurnedImages is { } turned) warn?.Invoke(turned);
        return new MeasuredTestSet(images, [.. timed.Select(detector => detector.Measured(truths, classes.Names, inclusivePixels))]);
    }

    private static ReportedBox Reported(TrueBox box, ClassIndex classes) => new(
        box.Label == TrueBox.EveryClass ? "" : classes.Names[box.Label], (float)box.Box.X0, (float)box.Box.Y0, (float)box.Box.X1,
        (float)box.Box.Y1, Ignored: box.Ignored);

    /// <summary>Images are not kept while models are measured; the few that are shown are read again.</summary>
    private static RgbImage PixelsAt(IDataView data, string image, long row)
    {
        using var rows = new RowReader(data, new RowColumns { Image = image });
        while (rows.MoveNext() && rows.Row < row)
        {
        }

        return rows.ReadImage();
    }

    /// <summary>A detector with what it has found so far and how long it took.</summary>
    private sealed class TimedDetector(ObjectDetector detector)
    {
        private readonly List<IReadOnlyList<Detection>> _found = [];
        private readonly List<double> _times = [];

        public void Run(RgbImage image, CancellationToken cancellation)
        {
            long start = Stopwatch.GetTimestamp();
            _found.Add(detector.Detect(image, cancellation));
            _times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        public DetectorMeasurement Measured(List<TrueBox[]> truths, IReadOnlyList<string> names, bool inclusivePixels)
        {
            // Each detector is measured by the data's classes and its own, whatever others know beside it.
            var classes = new ClassIndex();
            var images = new List<EvaluationImage>();
            foreach ((TrueBox[] truth, IReadOnlyList<Detection> found) in truths.Zip(_found))
            {
                TrueBox[] objects = [.. truth.Select(box => box.Label == TrueBox.EveryClass ? box
                    : box with { Label = classes.Of(names[box.Label]) })];
                images.Add(new EvaluationImage(objects, [.. found.Select(one => new DetectedBox(
                    new Box(one.Box.X0, one.Box.Y0, one.Box.X1, one.Box.Y1), classes.Of(one.Label), one.Score))]));
            }

            double[] times = [.. _times.Skip(_times.Count > WarmUp ? WarmUp : 0).Order()];
            return new DetectorMeasurement(DetectionEvaluator.Evaluate(images, classes.Names, inclusivePixels), times[times.Length / 2],
                _found)
            {
                Parameters = detector.Parameters,
                Bytes = detector.Bytes,
                Training = TrainingRecord.In(detector.Metadata),
            };
        }
    }
}

/// <summary>Makes the pictures of a report, small enough that the page stays small.</summary>
internal static class ReportPictures
{
    private const int LongestSide = 640;
    private const long MostBytes = 150_000;

    /// <summary>A file as it is where it is small and any browser shows it, else scaled down.</summary>
    public static ReportThumbnail FromFile(string path)
    {
        string? type = Path.GetExtension(path).ToUpperInvariant() switch
        {
            ".JPG" or ".JPEG" => "image/jpeg",
            ".PNG" => "image/png",
            _ => null,
        };
        // Not every viewer of the report would turn a photo.
        bool isUpright = ImageFile.TryTurnOf(path) is { IsNone: true };
        if (type is not null && isUpright && new FileInfo(path).Length <= MostBytes)
            return new ReportThumbnail(type, File.ReadAllBytes(path));
        return FromPixels(ImageFile.TryRead(path) is ({ } pixels, _) ? pixels : ImageFile.Read(path));
    }

    /// <summary>An image as JPEG, scaled down where it is large.</summary>
    public static ReportThumbnail FromPixels(RgbImage image)
    {
        double scale = Math.Min(1, (double)LongestSide / Math.Max(image.Width, image.Height));
        var size = new ImageSize(Math.Max(1, (int)(scale * image.Width)), Math.Max(1, (int)(scale * image.Height)));
        return new ReportThumbnail("image/jpeg", Picture.Of(image, size).Encode(SKEncodedImageFormat.Jpeg));
    }
}
