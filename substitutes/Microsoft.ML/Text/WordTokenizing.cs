// Text split into words at separators; spaces around a word are not part of it, and nothing is no word.
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Text;

namespace Microsoft.ML
{
    public static class TextCatalog
    {
        public static WordTokenizingEstimator TokenizeIntoWords(
            this TransformsCatalog.TextTransforms catalog, string outputColumnName, string inputColumnName = null, char[] separators = null)
        {
            ArgumentNullException.ThrowIfNull(catalog);
            return new WordTokenizingEstimator(ColumnPair.Of(outputColumnName, inputColumnName), separators ?? [' ']);
        }
    }
}

namespace Microsoft.ML.Transforms.Text
{
    public sealed class WordTokenizingEstimator : TrivialEstimator<WordTokenizingTransformer>
    {
        private readonly ColumnPair _pair;

        internal WordTokenizingEstimator(ColumnPair pair, char[] separators) : base(new WordTokenizingTransformer(pair, separators)) => _pair = pair;

        public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
        {
            ArgumentNullException.ThrowIfNull(inputSchema);
            SchemaShape.Column column = inputSchema.Input(_pair.Input);
            if (column.ItemType is not TextDataViewType) throw WordTokenizingTransformer.WrongType(_pair.Input, column.TypeText());
            return inputSchema.With(new SchemaShape.Column(_pair.Output, SchemaShape.Column.VectorKind.VariableVector, column.ItemType, isKey: false));
        }
    }

    public sealed class WordTokenizingTransformer : OneToOneTransformerBase
    {
        private readonly char[] _separators;

        internal WordTokenizingTransformer(ColumnPair pair, char[] separators) : base(pair) => _separators = separators;

        internal static WordTokenizingTransformer Load(ModelReader reader)
            => new(reader.Get<ColumnPair>("column"), reader.Get<string>("separators").ToCharArray());

        internal static ArgumentOutOfRangeException WrongType(string column, string type) => SchemaErrors.Mismatch(column, "String or Vector of String", type);

        private protected override MappedColumn MapColumn(DataViewSchema.Column input, int index)
        {
            if (input.Type.ItemOf() is not TextDataViewType) throw WrongType(input.Name, $"{input.Type}");
            return new MappedColumn(new VectorDataViewType(TextDataViewType.Instance), DataViewSchema.Annotations.Empty, CreateGetter);
        }

        private protected override void SaveModel(ModelWriter writer)
        {
            writer.SetKind(ModelKinds.WordTokenizing);
            writer.Set("column", Columns[0]);
            writer.Set("separators", new string(_separators));
        }

        private Delegate CreateGetter(DataViewRow row, DataViewSchema.Column column, ICollection<IDisposable> owned)
        {
            var words = new List<ReadOnlyMemory<char>>();
            if (column.Type is VectorDataViewType)
            {
                ValueGetter<VBuffer<ReadOnlyMemory<char>>> getAll = row.GetGetter<VBuffer<ReadOnlyMemory<char>>>(column);
                VBuffer<ReadOnlyMemory<char>> texts = default;
                return Getter(() =>
                {
                    getAll(ref texts);
                    foreach (ReadOnlyMemory<char> item in texts.DenseValues()) Split(item, words);
                });
            }

            ValueGetter<ReadOnlyMemory<char>> get = row.GetGetter<ReadOnlyMemory<char>>(column);
            ReadOnlyMemory<char> text = default;
            return Getter(() =>
            {
                get(ref text);
                Split(text, words);
            });

            ValueGetter<VBuffer<ReadOnlyMemory<char>>> Getter(Action fill) => (ref VBuffer<ReadOnlyMemory<char>> value) =>
            {
                words.Clear();
                fill();
                var editor = VBufferEditor.Create(ref value, words.Count);
                words.CopyTo(editor.Values);
                value = editor.Commit();
            };
        }

        private void Split(ReadOnlyMemory<char> text, List<ReadOnlyMemory<char>> words)
        {
            foreach (Range range in text.Span.SplitAny(_separators))
            {
                ReadOnlyMemory<char> word = text[range].Trim(' ');
                if (!word.IsEmpty) words.Add(word);
            }
        }
    }
}
