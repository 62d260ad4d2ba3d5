using System.Diagnostics;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Drawing;
using Microsoft.ML.Distillation.Evaluation;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Model;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Rows;
using SkiaSharp;

namespace Microsoft.ML.Distillation.Reports;

/// <summary>Makes the report of fitted models.</summary>
internal static class ModelReporter
{
    /// <summary>The report of a model, and of those that the options put beside it.</summary>
    public static ReportContent Make(ITransformer model, DetectorReportOptions options)
    {
        (string Name, ModelRole Role, ITransformer? Model)[] entries =
        [
            ("teacher", ModelRole.Teacher, options.Teacher), ("student alone", ModelRole.Alone, options.Alone),
            options.Teacher is null && options.Alone is null ? ("model", ModelRole.Model, model) : ("student distilled", ModelRole.Distilled, model),
            ("student quantised", ModelRole.Quantised, options.Quantised),
        ];
        (ReportedModel Known, OnnxModelFile File)[] models = [.. entries.Where(entry => entry.Model is not null).Select(entry =>
        {
            OnnxModelFile file = FittedDetectors.In(entry.Model!);
            return (Known(entry.Name, entry.Role, file, file.Model.CalculateSize()), file);
        })];
        ReportContent content = new(options.Title, [.. models.Select(entry => entry.Known)]) { Made = DateTimeOffset.Now, Pictures = options.Pictures };
        if (options.TestSet is null) return content;

        var test = ReportTestSet.Measure(options, [.. models.Select(entry => entry.File)]);
        return content with { Images = test.Images, Models = [.. models.Select((entry, m) => test.AddTo(entry.Known, m))] };
    }

    /// <summary>What a model's file tells of it.</summary>
    public static ReportedModel Known(string name, ModelRole role, OnnxModelFile file, long bytes) => new(name, role)
    {
        Parameters = CountParameters(file),
        Bytes = bytes,
        Training = TrainingRecord.In(file.Metadata),
    };

    /// <summary>The learnt parameters: those of the state dict, without the running statistics of batch normalisation.</summary>
    public static long CountParameters(OnnxModelFile model)
        => model.Parameters().Where(p => !IsConstant(p.Key)).Sum(p => (long)p.Value.Values.Length) + model.Integers().Sum(p => (long)p.Value.Values.Length);

    private static bool IsConstant(string name)
        => name.StartsWith("const_", StringComparison.Ordinal)
        || name.EndsWith(".running_mean", StringComparison.Ordinal)
        || name.EndsWith(".running_var", StringComparison.Ordinal)
        || DetectorGraph.IsScale(name);
}

/// <summary>Test images, and what each of several models finds in them.</summary>
/// <param name="Images">The images.</param>
/// <param name="Found">For each model its detections in each image.</param>
/// <param name="Metrics">For each model its figures.</param>
/// <param name="Milliseconds">For each model the median time for an image, on the CPU, from its pixels to its boxes.</param>
internal sealed record ReportTestSet(
    IReadOnlyList<ReportedImage> Images, IReadOnlyList<List<IReadOnlyList<ReportedBox>>> Found, IReadOnlyList<DetectionMetrics> Metrics, IReadOnlyList<double> Milliseconds)
{
    private const int WarmUp = 3;

    /// <summary>A model with what was measured of it.</summary>
    public ReportedModel AddTo(ReportedModel model, int index) => model with { Metrics = Metrics[index], Milliseconds = Milliseconds[index], Found = Found[index] };

    /// <summary>Runs every model on every image; an image is decoded once.</summary>
    /// <exception cref="ArgumentException">A column is missing or of another type, or the data have no row.</exception>
    public static ReportTestSet Measure(DetectorReportOptions options, OnnxModelFile[] models)
    {
        IDataView data = options.TestSet!;
        DataViewSchema.Column image = data.Schema.GetColumnOrNull(options.ImageColumnName) ?? throw new ArgumentException($"The test set has no column '{options.ImageColumnName}'.");
        var truthColumns = TruthColumns.Find(data.Schema, options.LabelColumnName, options.BoundingBoxColumnName);
        DataViewSchema.Column? path = data.Schema.GetColumnOrNull(nameof(DetectionRow.ImagePath)) is { Type: TextDataViewType } text ? text : null;
        ObjectDetector[] detectors = Array.ConvertAll(models, model => ObjectDetector.Of(model, "the model"));
        var classes = new ClassIndex();
        var images = new List<ReportedImage>();
        var truths = new List<TrueBox[]>();
        List<IReadOnlyList<ReportedBox>>[] found = Array.ConvertAll(models, _ => new List<IReadOnlyList<ReportedBox>>());
        List<double>[] times = Array.ConvertAll(models, _ => new List<double>());
        try
        {
            using DataViewRowCursor cursor = data.GetRowCursor([image, .. truthColumns.All, .. path is { } column ? (DataViewSchema.Column[])[column] : []]);
            var reader = new TruthReader(cursor, truthColumns, classes);
            ValueGetter<MLImage> getImage = cursor.GetGetter<MLImage>(image);
            ValueGetter<ReadOnlyMemory<char>>? getPath = path is { } named ? cursor.GetGetter<ReadOnlyMemory<char>>(named) : null;
            MLImage pixels = null!;
            ReadOnlyMemory<char> name = default;
            while (cursor.MoveNext())
            {
                TrueBox[] truth = reader.Read(cursor.Position);
                getImage(ref pixels);
                getPath?.Invoke(ref name);
                RgbImage rgb = MLImagePixels.ToRgb(pixels);
                for (int m = 0; m < models.Length; m++) found[m].Add(Detect(detectors[m], rgb, times[m]));
                long row = cursor.Position;
                string file = name.ToString();
                images.Add(new ReportedImage(
                    file.Length > 0 ? Path.GetFileName(file) : $"image {row}", new ImageSize(rgb.Width, rgb.Height), [.. truth.Select(box => Reported(box, classes))],
                    () => File.Exists(file) ? ReportPictures.FromFile(file) : ReportPictures.FromPixels(PixelsAt(data, image, row))));
                truths.Add(truth);
            }
        }
        finally
        {
            foreach (ObjectDetector detector in detectors) detector.Dispose();
        }

        if (images.Count == 0) throw new ArgumentException("The test set has no row.");
        return new ReportTestSet(
            images, found, [.. found.Select(boxes => Measure(truths, boxes, classes))],
            [.. times.Select(list => list.Skip(list.Count > WarmUp ? WarmUp : 0).Order().ElementAt((list.Count - (list.Count > WarmUp ? WarmUp : 0)) / 2))]);
    }

    private static ReportedBox[] Detect(ObjectDetector detector, RgbImage image, List<double> times)
    {
        long start = Stopwatch.GetTimestamp();
        IReadOnlyList<Detection> found = detector.Detect(image);
        times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        return [.. found.Select(one => new ReportedBox(one.Label, one.Box.X0, one.Box.Y0, one.Box.X1, one.Box.Y1, one.Score))];
    }

    private static DetectionMetrics Measure(List<TrueBox[]> truths, List<IReadOnlyList<ReportedBox>> found, ClassIndex classes)
    {
        EvaluationImage[] images = [.. truths.Zip(found, (truth, boxes) => new EvaluationImage(
            truth, [.. boxes.Select(box => new DetectedBox(new Box(box.X0, box.Y0, box.X1, box.Y1), classes.Of(box.Label), box.Score ?? 0))]))];
        return DetectionEvaluator.Evaluate(images, classes.Names);
    }

    private static ReportedBox Reported(TrueBox box, ClassIndex classes) => new(
        box.Label == TrueBox.EveryClass ? "" : classes.Names[box.Label], (float)box.Box.X0, (float)box.Box.Y0, (float)box.Box.X1, (float)box.Box.Y1, Ignored: box.Ignored);

    /// <summary>Images are not kept while models are measured; the few that are shown are read again.</summary>
    private static RgbImage PixelsAt(IDataView data, DataViewSchema.Column image, long row)
    {
        using DataViewRowCursor cursor = data.GetRowCursor([image]);
        ValueGetter<MLImage> getImage = cursor.GetGetter<MLImage>(image);
        while (cursor.MoveNext() && cursor.Position < row)
        {
        }

        MLImage pixels = null!;
        getImage(ref pixels);
        return MLImagePixels.ToRgb(pixels);
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
        if (type is not null && new FileInfo(path).Length <= MostBytes) return new ReportThumbnail(type, File.ReadAllBytes(path));
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
