// The lines of a text file as rows. Blank lines are none; what a line lacks is empty.
using System.Text;
using Microsoft.ML.Transforms;

namespace Microsoft.ML.Data;

internal sealed class TextView : SourceView
{
    private readonly string _path;
    private readonly TextLoader.Options _options;
    private readonly int[][] _fields;

    public TextView(string path, TextLoader.Options options) : base(SchemaOf(options))
    {
        if (!File.Exists(path)) throw new ArgumentOutOfRangeException(nameof(path), $"File or directory does not exist at path: {path}");
        (_path, _options) = (path, options);
        _fields = [.. options.Columns.Select(FieldsOf)];
    }

    public override long? GetRowCount() => null;

    protected override SourceCursor CreateCursor(bool[] active) => new Cursor(this, active);

    private static DataViewSchema SchemaOf(TextLoader.Options options)
    {
        if (options.AllowSparse || options.ReadMultilines || options.MissingRealsAsNaNs || options.InputSize is not null || options.HeaderFile is not null
            || options.DecimalMarker != '.' || options.EscapeChar != '"')
        {
            throw new NotSupportedException("Of the text loader's options, AllowSparse, ReadMultilines, MissingRealsAsNaNs, InputSize, HeaderFile, DecimalMarker and EscapeChar are not supported here.");
        }

        return new DataViewSchema([.. (options.Columns ?? throw new NotSupportedException("Columns must be given.")).Select(column =>
        {
            PrimitiveDataViewType item = PrimitiveTypes.Of(column.DataKind);
            if (column.KeyCount is not null || item is not (TextDataViewType or NumberDataViewType))
                throw new NotSupportedException($"Column '{column.Name}': of text files, only text and numbers are read here.");
            int[] fields = FieldsOf(column);
            bool isVector = fields.Length != 1 || column.Source.Any(range => range.ForceVector);
            return new DataViewSchema.DetachedColumn(column.Name, isVector ? new VectorDataViewType(item, fields.Length) : item);
        })]);
    }

    private static int[] FieldsOf(TextLoader.Column column) => [.. column.Source.SelectMany(range => range.Max is { } max && !range.VariableEnd && !range.AllOther
        ? Enumerable.Range(range.Min, max - range.Min + 1)
        : throw new NotSupportedException($"Column '{column.Name}': ranges without an end are not supported here."))];

    /// <summary>The fields of a line.</summary>
    private List<string> Split(string line)
    {
        var fields = new List<string>();
        var field = new StringBuilder();
        bool quoted = false, wasQuoted = false;
        for (int i = 0; i <= line.Length; i++)
        {
            if (i == line.Length || (!quoted && _options.Separators.Contains(line[i])))
            {
                fields.Add(_options.TrimWhitespace && !wasQuoted ? field.ToString().Trim() : field.ToString());
                field.Clear();
                wasQuoted = false;
            }
            else if (_options.AllowQuoting && line[i] == '"' && (quoted || field.Length == 0))
            {
                // Two quotes within quotes are one.
                if (quoted && i + 1 < line.Length && line[i + 1] == '"') field.Append(line[++i]);
                else (quoted, wasQuoted) = (!quoted, true);
            }
            else
            {
                field.Append(line[i]);
            }
        }

        return fields;
    }

    private sealed class Cursor(TextView view, bool[] active) : SourceCursor(view.Schema, active)
    {
        private readonly StreamReader _reader = Open(view);
        private List<string> _line = [];

        protected override bool Advance()
        {
            if (Position + 1 >= view._options.MaxRows) return false;
            while (_reader.ReadLine() is { } line)
            {
                if (line.Length == 0) continue;
                _line = view.Split(line);
                return true;
            }

            return false;
        }

        protected override Delegate CreateGetter(int column)
            => GenericCall.Of<Delegate>(typeof(Cursor), nameof(Getter), [Schema[column].Type.ItemOf().RawType], this, column);

        protected override void Dispose(bool disposing) => _reader.Dispose();

        private static StreamReader Open(TextView view)
        {
            var reader = new StreamReader(view._path);
            if (view._options.HasHeader) reader.ReadLine();
            return reader;
        }

        private static Delegate Getter<T>(Cursor cursor, int index)
        {
            DataViewSchema.Column column = cursor.Schema[index];
            int[] fields = cursor.View._fields[index];
            var parse = (Func<ReadOnlyMemory<char>, T>)Conversions.Find(column, typeof(ReadOnlyMemory<char>), (PrimitiveDataViewType)column.Type.ItemOf());
            if (column.Type is not VectorDataViewType) return (ValueGetter<T>)((ref T value) => value = parse(cursor.Field(fields[0])));
            return (ValueGetter<VBuffer<T>>)((ref VBuffer<T> value) =>
            {
                var editor = VBufferEditor.Create(ref value, fields.Length);
                for (int i = 0; i < fields.Length; i++) editor.Values[i] = parse(cursor.Field(fields[i]));
                value = editor.Commit();
            });
        }

        private TextView View => view;

        private ReadOnlyMemory<char> Field(int index) => index < _line.Count ? _line[index].AsMemory() : default;
    }
}
