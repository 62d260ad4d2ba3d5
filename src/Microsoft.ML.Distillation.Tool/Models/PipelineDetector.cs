using System.Collections.Concurrent;
using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Rows;

namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>Runs an ML.NET model, the whole pipeline as it was saved.</summary>
internal sealed class PipelineDetector : IImageDetector
{
    private readonly MLContext _context = new();
    private readonly ITransformer _model;

    public PipelineDetector(string path, IReadOnlyList<string> classNames)
    {
        ClassNames = classNames;
        _model = _context.Model.Load(path, out _);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames { get; }

    /// <inheritdoc/>
    public IEnumerable<DetectedImage> Detect(IEnumerable<string> imagePaths)
    {
        var underWay = new ConcurrentQueue<string>();
        // Whether the pipeline begins with a path or an image, and whether it still looks for labels: it finds what it needs.
        IEnumerable<AnnotatedRow> rows = imagePaths.Select(path =>
        {
            InputImages.Check(path);
            underWay.Enqueue(path);
            return new AnnotatedRow { ImagePath = path };
        });
        IDataView files = _context.Data.LoadFromEnumerable(rows);
        IDataView images = _context.Transforms.LoadImages("Image", imageFolder: null, inputColumnName: nameof(AnnotatedRow.ImagePath)).Fit(files).Transform(files);
        IDataView found = _model.Transform(images);

        DataViewSchema.Column labels = LabelReader.Column(found.Schema, "PredictedLabel");
        DataViewSchema.Column scores = found.Schema["Score"], boxes = found.Schema["PredictedBoundingBoxes"], path = found.Schema[nameof(AnnotatedRow.ImagePath)];
        var classes = new ClassIndex();
        using DataViewRowCursor cursor = found.GetRowCursor([path, labels, scores, boxes]);
        var labelReader = new LabelReader(cursor, labels, classes);
        ValueGetter<ReadOnlyMemory<char>> getPath = cursor.GetGetter<ReadOnlyMemory<char>>(path);
        ValueGetter<VBuffer<float>> getScores = cursor.GetGetter<VBuffer<float>>(scores), getBoxes = cursor.GetGetter<VBuffer<float>>(boxes);
        ReadOnlyMemory<char> imagePath = default;
        VBuffer<float> buffer = default;
        while (Naming(cursor.MoveNext)) yield return Naming(Read);

        DetectedImage Read()
        {
            getPath(ref imagePath);
            string[] names = [.. labelReader.Read().Select(label => classes.Names[label])];
            getScores(ref buffer);
            float[] foundScores = [.. buffer.DenseValues()];
            getBoxes(ref buffer);
            underWay.TryDequeue(out _);
            return new DetectedImage(imagePath.ToString(), names, foundScores, [.. buffer.DenseValues()]);
        }

        // ML.NET reads ahead and does not say which image it could not read: opening those under way again does.
        T Naming<T>(Func<T> step)
        {
            try
            {
                return step();
            }
            catch (Exception)
            {
                foreach (string image in underWay) InputImages.Load(image).Dispose();
                throw;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => (_model as IDisposable)?.Dispose();
}
