using System.Collections.Concurrent;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using Microsoft.ML.Transforms.Onnx;

namespace Microsoft.ML.Distillation.Tool.Models;

/// <summary>A model file, ready to look at images.</summary>
internal interface IImageDetector : IDisposable
{
    /// <summary>The classes that the model knows.</summary>
    IReadOnlyList<string> ClassNames { get; }

    /// <summary>Detects objects in image files, one after the other.</summary>
    IEnumerable<DetectedImage> Detect(IEnumerable<string> imagePaths);
}

/// <summary>Opens model files.</summary>
internal static class ImageDetector
{
    /// <summary>
    /// Opens a detector. An ML.NET model (.zip) that does more than load images and detect, as one that resizes them
    /// before, runs as the pipeline that it is; all else runs by itself.
    /// </summary>
    /// <param name="options">How it is run, and how a published detector is read.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">The file holds no detector.</exception>
    public static IImageDetector Open(string path, ObjectDetectorOptions options)
    {
        ObjectDetector detector = ObjectDetector.Load(path, options);
        if (!Path.GetExtension(path).Equals(".zip", StringComparison.OrdinalIgnoreCase)) return new FileDetector(detector);
        var context = new MLContext();
        ITransformer model = context.Model.Load(path, out _);
        if (OnlyDetects(model))
        {
            (model as IDisposable)?.Dispose();
            return new FileDetector(detector);
        }

        IReadOnlyList<string> classes = detector.ClassNames;
        detector.Dispose();
        return new PipelineDetector(context, model, classes, options.MaxPixels);
    }

    /// <summary>Whether all steps are those of which this library and its command make their pipelines.</summary>
    private static bool OnlyDetects(ITransformer model) => model switch
    {
        IEnumerable<ITransformer> chain => chain.All(OnlyDetects),
        ImageLoadingTransformer or ExpressionTransformer or OnnxTransformer or ColumnCopyingTransformer or ColumnSelectingTransformer
            => true,
        ValueMappingTransformer or ValueToKeyMappingTransformer or KeyToValueMappingTransformer => true,
        _ => model.GetType() is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(CustomMappingTransformer<,>),
    };
}

/// <summary>Runs a detector by itself.</summary>
internal sealed class FileDetector(ObjectDetector detector) : IImageDetector
{
    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames => detector.ClassNames;

    /// <inheritdoc/>
    public IEnumerable<DetectedImage> Detect(IEnumerable<string> imagePaths)
        => imagePaths.Chunk(2 * Environment.ProcessorCount).SelectMany(paths => paths.Zip(detector.Detect(paths), DetectedImage.Of));

    /// <inheritdoc/>
    public void Dispose() => detector.Dispose();
}

/// <summary>Runs an ML.NET model, the whole pipeline as it was saved.</summary>
internal sealed class PipelineDetector(MLContext context, ITransformer model, IReadOnlyList<string> classNames,
    long maxPixels) : IImageDetector
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
            underWay.Enqueue(path);
            return new AnnotatedRow { ImagePath = path };
        });
        IDataView files = context.Data.LoadFromEnumerable(rows);
        IDataView found = Transform(model, LoadUpright(files, "Image"));
        DataViewSchema.Column path = found.Schema[nameof(AnnotatedRow.ImagePath)], labels = found.Schema["PredictedLabel"],
        scores = found.Schema["Score"], boxes = found.Schema["PredictedBoundingBoxes"];
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
                foreach (string image in underWay) ImageLoader.Load(image, maxPixels).Dispose();
                throw;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => (model as IDisposable)?.Dispose();

    /// <summary>The model's steps; in the place of ML.NET's own loader, which does not turn photos, the library's.</summary>
    private IDataView Transform(ITransformer step, IDataView view)
    {
        if (step is IEnumerable<ITransformer> chain) return chain.Aggregate(view, (at, link) => Transform(link, at));
        if (step is not ImageLoadingTransformer) return step.Transform(view);
        return step.GetOutputSchema(view.Schema).Skip(view.Schema.Count).Select(made => made.Name).ToArray().Aggregate(view, LoadUpright);
    }

    private IDataView LoadUpright(IDataView view, string column)
        => context.Transforms.LoadUprightImages(column, inputColumnName: nameof(AnnotatedRow.ImagePath), maxPixels: maxPixels)
            .Fit(view).Transform(view);

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
