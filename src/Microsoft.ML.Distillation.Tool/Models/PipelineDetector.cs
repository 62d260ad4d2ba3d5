using System.Collections.Concurrent;
using Microsoft.ML.Data;

namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>Runs an ML.NET model, the whole pipeline as it was saved.</summary>
internal sealed class PipelineDetector(MLContext context, ITransformer model, IReadOnlyList<string> classNames) : IImageDetector
{
    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames => classNames;

    /// <inheritdoc/>
    public IEnumerable<DetectedImage> Detect(IEnumerable<string> imagePaths)
    {
        var underWay = new ConcurrentQueue<string>();
        // Whether the pipeline begins with a path or an image, and whether it still looks for labels: it finds what it needs.
        IEnumerable<AnnotatedRow> rows = imagePaths.Select(path =>
        {
            ImageLoader.Check(path);
            underWay.Enqueue(path);
            return new AnnotatedRow { ImagePath = path };
        });
        IDataView files = context.Data.LoadFromEnumerable(rows);
        IDataView images = context.Transforms.LoadImages("Image", imageFolder: null, inputColumnName: nameof(AnnotatedRow.ImagePath)).Fit(files).Transform(files);
        IDataView found = model.Transform(images);
        DataViewSchema.Column path = found.Schema[nameof(AnnotatedRow.ImagePath)], labels = found.Schema["PredictedLabel"], scores = found.Schema["Score"], boxes = found.Schema["PredictedBoundingBoxes"];
        using DataViewRowCursor cursor = found.GetRowCursor([path, labels, scores, boxes]);
        ValueGetter<ReadOnlyMemory<char>> getPath = cursor.GetGetter<ReadOnlyMemory<char>>(path);
        Func<string[]> readLabels = LabelsOf(cursor, labels);
        Func<float[]> readScores = FloatsOf(cursor, scores), readBoxes = FloatsOf(cursor, boxes);
        ReadOnlyMemory<char> imagePath = default;
        while (Naming(cursor.MoveNext)) yield return Naming(Read);

        DetectedImage Read()
        {
            getPath(ref imagePath);
            var image = new DetectedImage(imagePath.ToString(), readLabels(), readScores(), readBoxes());
            underWay.TryDequeue(out _);
            return image;
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
                foreach (string image in underWay) ImageLoader.Load(image).Dispose();
                throw;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => (model as IDisposable)?.Dispose();

    /// <summary>Reads class names, whether the pipeline ends in keys or in text.</summary>
    private static Func<string[]> LabelsOf(DataViewRowCursor cursor, DataViewSchema.Column column)
    {
        VBuffer<ReadOnlyMemory<char>> text = default;
        if (column.Type is not VectorDataViewType { ItemType: KeyDataViewType })
        {
            ValueGetter<VBuffer<ReadOnlyMemory<char>>> getText = cursor.GetGetter<VBuffer<ReadOnlyMemory<char>>>(column);
            return () =>
            {
                getText(ref text);
                return [.. text.DenseValues().Select(name => name.ToString())];
            };
        }

        column.GetKeyValues(ref text);
        string[] names = [.. text.DenseValues().Select(name => name.ToString())];
        ValueGetter<VBuffer<uint>> getKeys = cursor.GetGetter<VBuffer<uint>>(column);
        VBuffer<uint> keys = default;
        return () =>
        {
            getKeys(ref keys);
            return [.. keys.DenseValues().Select(key => names[(int)key - 1])];
        };
    }

    private static Func<float[]> FloatsOf(DataViewRowCursor cursor, DataViewSchema.Column column)
    {
        ValueGetter<VBuffer<float>> get = cursor.GetGetter<VBuffer<float>>(column);
        VBuffer<float> buffer = default;
        return () =>
        {
            get(ref buffer);
            return [.. buffer.DenseValues()];
        };
    }
}
