// Reads the image that a path names, when it is asked for.
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace Microsoft.ML
{
    public static class ImageEstimatorsCatalog
    {
        public static ImageLoadingEstimator LoadImages(this TransformsCatalog catalog, string outputColumnName, string imageFolder, string inputColumnName = null)
        {
            ArgumentNullException.ThrowIfNull(catalog);
            return new ImageLoadingEstimator(imageFolder, ColumnPair.Of(outputColumnName, inputColumnName));
        }
    }
}

namespace Microsoft.ML.Data
{
    public sealed class ImageLoadingEstimator : TrivialEstimator<ImageLoadingTransformer>
    {
        private readonly ColumnPair _pair;

        internal ImageLoadingEstimator(string imageFolder, ColumnPair pair) : base(new ImageLoadingTransformer(imageFolder, pair)) => _pair = pair;

        public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
        {
            ArgumentNullException.ThrowIfNull(inputSchema);
            SchemaShape.Column column = inputSchema.Input(_pair.Input);
            if (column.Kind != SchemaShape.Column.VectorKind.Scalar || column.ItemType is not TextDataViewType)
                throw SchemaErrors.Mismatch(_pair.Input, $"{TextDataViewType.Instance}", column.TypeText());
            return inputSchema.With(SchemaShape.Column.Of(_pair.Output, new ImageDataViewType()));
        }
    }

    public sealed class ImageLoadingTransformer : OneToOneTransformerBase
    {
        public readonly string ImageFolder;

        internal ImageLoadingTransformer(string imageFolder, ColumnPair pair) : base(pair) => ImageFolder = imageFolder;

        internal static ImageLoadingTransformer Load(ModelReader reader)
            => new(reader.Get<string>("folder") is { Length: > 0 } folder ? folder : null, reader.Get<ColumnPair>("column"));

        private protected override MappedColumn MapColumn(DataViewSchema.Column input, int index)
        {
            if (input.Type is not TextDataViewType) throw SchemaErrors.Mismatch(input.Name, $"{TextDataViewType.Instance}", $"{input.Type}");
            return new MappedColumn(new ImageDataViewType(), DataViewSchema.Annotations.Empty, CreateGetter);
        }

        private protected override void SaveModel(ModelWriter writer)
        {
            writer.SetKind(ModelKinds.ImageLoading);
            writer.Set("folder", ImageFolder ?? "");
            writer.Set("column", Columns[0]);
        }

        private ValueGetter<MLImage> CreateGetter(DataViewRow row, DataViewSchema.Column column, ICollection<IDisposable> owned)
        {
            ValueGetter<ReadOnlyMemory<char>> getPath = row.GetGetter<ReadOnlyMemory<char>>(column);
            ReadOnlyMemory<char> path = default;
            var last = new LastImage();
            owned.Add(last);
            return (ref MLImage value) =>
            {
                value?.Dispose();
                value = null;
                getPath(ref path);
                if (path.IsEmpty) return;
                string file = string.IsNullOrWhiteSpace(ImageFolder) ? path.ToString() : Path.Combine(ImageFolder, path.ToString());
                using (FileStream stream = File.OpenRead(file)) value = MLImage.CreateFromStream(stream);
                value.Tag = file;
                last.Image = value;
            };
        }

        /// <summary>The image that was loaded last; goes with its cursor.</summary>
        private sealed class LastImage : IDisposable
        {
            public MLImage Image { get; set; }

            public void Dispose() => Image?.Dispose();
        }
    }
}
