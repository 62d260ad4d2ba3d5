using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Images;
using Microsoft.ML.Distillation.Rows;
using Microsoft.ML.Transforms.Image;

namespace Microsoft.ML.Distillation.Data;

/// <summary>
/// Reads annotated images from a data view, once: every row is checked and every image decoded before training starts.
/// </summary>
internal sealed class DataViewIngest(DataViewIngestOptions options)
{
    /// <summary>Reads all rows.</summary>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type; the message names it and what is wanted.</exception>
    /// <exception cref="InvalidDataException">
    /// A row cannot be used (the message names row, column and, where it is known, image), or none is left.
    /// </exception>
    public SampleStore Read(IDataView view, CancellationToken cancellation = default)
    {
        IngestColumns columns = IngestColumns.Find(view.Schema, options);
        IReadOnlyList<string> keyNames = columns.ReadClassNames();
        IReadOnlyList<string> classNames = options.ClassNames ?? keyNames;
        var invalid = new InvalidSamples(options.OnInvalidSample);
        using var builder = new SampleStoreBuilder(classNames, options.CacheBytes, options.TemporaryFolder);
        using (DataViewRowCursor cursor = view.GetRowCursor(columns.All))
        using (var rows = new IngestRowReader(cursor, columns, keyNames, classNames, invalid))
        {
            for (long row = 0; cursor.MoveNext(); row++)
            {
                cancellation.ThrowIfCancellationRequested();
                if (rows.Read(row) is (RgbImage image, Annotation annotation)) builder.Add(image, annotation);
            }
        }

        string? summary = invalid.Summary();
        if (builder.Count == 0)
            throw new InvalidDataException(summary is null ? "The data set is empty: it has no rows." : $"The data set has no image that can be used. {summary}");
        if (summary is not null) options.Warn?.Invoke(summary);
        return builder.Build();
    }
}

/// <summary>Reads the images of a data view and nothing else; columns with labels, should there be any, are not looked at.</summary>
internal sealed class UnlabelledIngest(DataViewIngestOptions options)
{
    /// <summary>Reads all rows; every image has no objects.</summary>
    /// <param name="option">The option that named the view, for messages.</param>
    /// <exception cref="ArgumentException">The column of images is missing or of a wrong type.</exception>
    /// <exception cref="InvalidDataException">An image cannot be used, or none is left.</exception>
    public SampleStore Read(IDataView view, string option, CancellationToken cancellation = default)
    {
        DataViewSchema.Column image = view.Schema.GetColumnOrNull(options.ImageColumnName) is { Type: ImageDataViewType } found
            ? found
            : throw new ArgumentException(
                $"The data of {option} must have a column '{options.ImageColumnName}' of images (load them with mlContext.Transforms.LoadImages); "
                + $"they have: {string.Join(", ", view.Schema.Select(column => $"'{column.Name}', {column.Type}"))}.");
        DataViewSchema.Column? path = view.Schema.GetColumnOrNull(options.ImagePathColumnName) is { Type: TextDataViewType } text ? text : null;
        var invalid = new InvalidSamples(options.OnInvalidSample);
        using var builder = new SampleStoreBuilder(options.ClassNames ?? [], options.CacheBytes, options.TemporaryFolder);
        using (DataViewRowCursor cursor = view.GetRowCursor(path is { } column ? [image, column] : [image]))
        using (var reader = new ImageReader(cursor, image, invalid))
        {
            ValueGetter<ReadOnlyMemory<char>>? getPath = path is { } named ? cursor.GetGetter<ReadOnlyMemory<char>>(named) : null;
            ReadOnlyMemory<char> file = default;
            for (long row = 0; cursor.MoveNext(); row++)
            {
                cancellation.ThrowIfCancellationRequested();
                getPath?.Invoke(ref file);
                string where = file.IsEmpty ? $"{option}, row {row}" : $"{option}, row {row} ('{file}')";
                if (reader.Read(where, file) is { } pixels) builder.Add(pixels, Annotation.Empty);
            }
        }

        string? summary = invalid.Summary();
        if (builder.Count == 0) throw new InvalidDataException($"{option} has no image that can be used. {summary}".TrimEnd());
        if (summary is not null) options.Warn?.Invoke(summary);
        return builder.Build();
    }
}
