using System.Diagnostics;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Data;
using Microsoft.ML.Distillation.Detectors;
using Microsoft.ML.Distillation.Evaluation;
using Microsoft.ML.Distillation.Onnx;
using Microsoft.ML.Distillation.Reports;

namespace Microsoft.ML.Distillation.Estimators;

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
        var sessions = Array.ConvertAll(models, model => new OnnxSession(model.ToBytes()));
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
                for (int m = 0; m < models.Length; m++) found[m].Add(Detect(sessions[m], DetectorGraph.ClassNames(models[m]), rgb, times[m]));
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
            foreach (OnnxSession session in sessions) session.Dispose();
        }

        if (images.Count == 0) throw new ArgumentException("The test set has no row.");
        return new ReportTestSet(
            images, found, [.. found.Select(boxes => Measure(truths, boxes, classes))],
            [.. times.Select(list => list.Skip(list.Count > WarmUp ? WarmUp : 0).Order().ElementAt((list.Count - (list.Count > WarmUp ? WarmUp : 0)) / 2))]);
    }

    private static ReportedBox[] Detect(OnnxSession session, IReadOnlyList<string> names, RgbImage image, List<double> times)
    {
        long start = Stopwatch.GetTimestamp();
        Dictionary<string, Array> found = session.Run(
            OnnxSession.Input(DetectorGraph.Pixels, image.Pixels, 1, image.Pixels.Length),
            OnnxSession.Input(DetectorGraph.Size, new long[] { image.Height, image.Width }, 1, 2));
        times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        float[] boxes = (float[])found[DetectorGraph.Boxes], scores = (float[])found[DetectorGraph.Scores];
        long[] labels = (long[])found[DetectorGraph.Classes];
        return [.. labels.Select((label, i) => new ReportedBox(names[(int)label], boxes[4 * i], boxes[4 * i + 1], boxes[4 * i + 2], boxes[4 * i + 3], scores[i]))];
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
