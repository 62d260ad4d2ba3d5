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
