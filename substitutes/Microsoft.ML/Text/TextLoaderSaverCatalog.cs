// mlContext.Data.LoadFromTextFile: reads a text file whose columns are named, or are the members of a class.
using System.Reflection;
using Microsoft.ML.Data;

namespace Microsoft.ML;

public static class TextLoaderSaverCatalog
{
    public static IDataView LoadFromTextFile(
        this DataOperationsCatalog catalog, string path, TextLoader.Column[] columns, char separatorChar = '\t', bool hasHeader = false,
        bool allowQuoting = false, bool trimWhitespace = false, bool allowSparse = false)
        => catalog.LoadFromTextFile(path, Options(columns, separatorChar, hasHeader, allowQuoting, trimWhitespace, allowSparse));

    public static IDataView LoadFromTextFile<TInput>(
        this DataOperationsCatalog catalog, string path, char separatorChar = '\t', bool hasHeader = false,
        bool allowQuoting = false, bool trimWhitespace = false, bool allowSparse = false)
        => catalog.LoadFromTextFile(path, Options(ColumnsOf(typeof(TInput)), separatorChar, hasHeader, allowQuoting, trimWhitespace, allowSparse));

    public static IDataView LoadFromTextFile(this DataOperationsCatalog catalog, string path, TextLoader.Options options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new TextView(path, options ?? new TextLoader.Options());
    }

    public static IDataView LoadFromTextFile<TInput>(this DataOperationsCatalog catalog, string path, TextLoader.Options options)
    {
        ArgumentNullException.ThrowIfNull(options);
        TextLoader.Column[] columns = ColumnsOf(typeof(TInput));
        return catalog.LoadFromTextFile(path, new TextLoader.Options
        {
            AllowQuoting = options.AllowQuoting,
            AllowSparse = options.AllowSparse,
            InputSize = options.InputSize,
            Separators = options.Separators,
            DecimalMarker = options.DecimalMarker,
            Columns = columns,
            TrimWhitespace = options.TrimWhitespace,
            HasHeader = options.HasHeader,
            HeaderFile = options.HeaderFile,
            MaxRows = options.MaxRows,
            ReadMultilines = options.ReadMultilines,
            EscapeChar = options.EscapeChar,
            MissingRealsAsNaNs = options.MissingRealsAsNaNs,
        });
    }

    private static TextLoader.Options Options(
        TextLoader.Column[] columns, char separator, bool hasHeader, bool allowQuoting, bool trimWhitespace, bool allowSparse)
        => new()
        {
            Columns = columns,
            Separators = [separator],
            HasHeader = hasHeader,
            AllowQuoting = allowQuoting,
            TrimWhitespace = trimWhitespace,
            AllowSparse = allowSparse,
        };

    private static TextLoader.Column[] ColumnsOf(Type type)
    {
        const BindingFlags Members = BindingFlags.Public | BindingFlags.Instance;
        IEnumerable<MemberInfo> members = type.GetFields(Members).Concat<MemberInfo>(type.GetProperties(Members).Where(property => property.CanWrite));
        return [.. members.Where(member => member.GetCustomAttribute<NoColumnAttribute>() is null).Select(member =>
        {
            LoadColumnAttribute attribute = member.GetCustomAttribute<LoadColumnAttribute>() ?? throw new InvalidOperationException(
                $"{(member is FieldInfo ? "Field" : "Property")} '{member.Name}' is missing the LoadColumnAttribute attribute");
            if (member.GetCustomAttribute<KeyTypeAttribute>() is not null) throw new NotSupportedException($"'{member.Name}': keys are not read from text files here.");
            DataViewType columnType = RowMember.ColumnTypeOf(member);
            DataKind kind = Enum.GetValues<DataKind>().First(k => PrimitiveTypes.Of(k) == columnType.ItemOf());
            TextLoader.Range[] source = [.. attribute.Fields.Select(field => new TextLoader.Range(field) { ForceVector = columnType is VectorDataViewType })];
            return new TextLoader.Column(member.GetCustomAttribute<ColumnNameAttribute>()?.Name ?? member.Name, kind, source);
        })];
    }
}
