// mlContext.Data: makes data views of objects and objects of data views, keeps and splits them.
using System.Diagnostics.CodeAnalysis;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

public sealed class DataOperationsCatalog
{
    internal DataOperationsCatalog(LocalEnvironment env) => Environment = env;

    internal LocalEnvironment Environment { get; }

    public IDataView LoadFromEnumerable<TRow>(IEnumerable<TRow> data, SchemaDefinition schemaDefinition = null) where TRow : class
    {
        ArgumentNullException.ThrowIfNull(data);
        return new EnumerableView<TRow>(data, RowMember.Of(typeof(TRow), schemaDefinition ?? SchemaDefinition.Create(typeof(TRow), SchemaDefinition.Direction.Read)));
    }

    public IDataView LoadFromEnumerable<TRow>(IEnumerable<TRow> data, DataViewSchema schema) where TRow : class => throw new NotSupportedException();

    public IEnumerable<TRow> CreateEnumerable<TRow>(IDataView data, bool reuseRowObject, bool ignoreMissingColumns = false, SchemaDefinition schemaDefinition = null)
        where TRow : class, new()
    {
        ArgumentNullException.ThrowIfNull(data);
        RowMember[] members = RowMember.Of(typeof(TRow), schemaDefinition ?? SchemaDefinition.Create(typeof(TRow), SchemaDefinition.Direction.Write));
        (RowMember, DataViewSchema.Column Column)[] bound = RowWriting.Bind(data.Schema, members, ignoreMissingColumns);
        return Rows();

        IEnumerable<TRow> Rows()
        {
            using DataViewRowCursor cursor = data.GetRowCursor(bound.Select(pair => pair.Column));
            Action<TRow> fill = RowWriting.Filler<TRow>(cursor, bound);
            TRow row = null;
            while (cursor.MoveNext())
            {
                if (row is null || !reuseRowObject) row = new TRow();
                fill(row);
                yield return row;
            }
        }
    }

    public IDataView Cache(IDataView input, params string[] columnsToPrefetch)
    {
        ArgumentNullException.ThrowIfNull(input);
        var view = new CachedView(input);
        if (columnsToPrefetch is { Length: > 0 }) view.GetRowCursor(columnsToPrefetch.Select(name => view.Schema[name])).Dispose();
        return view;
    }

    public TrainTestData TrainTestSplit(IDataView data, double testFraction = 0.1, string samplingKeyColumnName = null, int? seed = null)
    {
        ArgumentNullException.ThrowIfNull(data);
        if (testFraction is not (> 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(testFraction), "Must be between 0 and 1 exclusive");
        int drawn = seed ?? Environment.Seed ?? Environment.Rand.Next();
        if (samplingKeyColumnName is null) return new TrainTestData(ByChance(isTest: false), ByChance(isTest: true));
        DataViewSchema.Column key = data.Schema.GetColumnOrNull(samplingKeyColumnName)
            ?? throw new ArgumentOutOfRangeException("samplingKeyColumn", $"Could not find SamplingKeyColumn column '{samplingKeyColumnName}'");
        if (key.Type is not PrimitiveDataViewType) throw new NotSupportedException($"The sampling key '{key.Name}' is a {key.Type}; only single values are supported here.");
        return new TrainTestData(ByKey(isTest: false), ByKey(isTest: true));

        // Every cursor draws the same numbers, so that the two sets never share a row.
        FilteredView ByChance(bool isTest) => new(data, [], _ =>
        {
            var random = new Random(drawn);
            return () => random.NextDouble() < testFraction == isTest;
        });

        FilteredView ByKey(bool isTest) => new(data, [key], row =>
        {
            Func<string> text = GenericCall.Of<Func<string>>(typeof(DataOperationsCatalog), nameof(TextOf), [key.Type.RawType], row, key);
            return () => Share(text(), drawn) < testFraction == isTest;
        });
    }

    private static Func<string> TextOf<T>(DataViewRow row, DataViewSchema.Column column)
    {
        ValueGetter<T> get = row.GetGetter<T>(column);
        T value = default;
        return () =>
        {
            get(ref value);
            return FormattableString.Invariant($"{value}");
        };
    }

    /// <summary>A number from 0 to 1 that a text and a seed decide (FNV-1a, then mixed so that all bits count).</summary>
    private static double Share(string text, int seed)
    {
        ulong hash = 14695981039346656037 ^ (uint)seed;
        foreach (char c in text) hash = (hash ^ c) * 1099511628211;
        hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
        return (hash >> 11) * (1.0 / (1UL << 53));
    }

    [SuppressMessage("Performance", "CA1815", Justification = "The real one has no equality of its own.")]
    public struct TrainTestData
    {
        public readonly IDataView TrainSet;
        public readonly IDataView TestSet;

        internal TrainTestData(IDataView trainSet, IDataView testSet) => (TrainSet, TestSet) = (trainSet, testSet);
    }
}
