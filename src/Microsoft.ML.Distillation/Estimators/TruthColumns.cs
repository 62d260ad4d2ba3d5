using Microsoft.ML.Data;
using Microsoft.ML.Distillation.Data;

namespace Microsoft.ML.Distillation.Estimators;

/// <summary>
/// The columns that annotated objects are read from. Those beside label and boxes are what <c>LoadDetections</c> gives; each is
/// read where the data have it as a vector of its type, and a column of that name with another type is somebody else's.
/// </summary>
internal sealed record TruthColumns(DataViewSchema.Column Label, DataViewSchema.Column Boxes)
{
    /// <summary>VOC's difficult objects: Boolean.</summary>
    public DataViewSchema.Column? Difficult { get; init; }

    /// <summary>Groups of objects: Boolean.</summary>
    public DataViewSchema.Column? Crowd { get; init; }

    /// <summary>Regions in which nothing is right or wrong: Boolean.</summary>
    public DataViewSchema.Column? Ignore { get; init; }

    /// <summary>The share beyond the image's edge: Single.</summary>
    public DataViewSchema.Column? Truncated { get; init; }

    /// <summary>KITTI's occlusion: Int32.</summary>
    public DataViewSchema.Column? Occluded { get; init; }

    /// <summary>The objects' own areas in square pixels: Single.</summary>
    public DataViewSchema.Column? Area { get; init; }

    /// <summary>All columns to be read.</summary>
    public IEnumerable<DataViewSchema.Column> All
        => [Label, Boxes, .. new[] { Difficult, Crowd, Ignore, Truncated, Occluded, Area }.OfType<DataViewSchema.Column>()];

    /// <summary>Finds the columns.</summary>
    /// <exception cref="ArgumentException">The labels or the boxes are missing or of another type.</exception>
    public static TruthColumns Find(DataViewSchema schema, string label, string boxes)
        => new(LabelReader.Column(schema, label), FloatColumn(schema, boxes))
        {
            Difficult = VectorOf<bool>(schema, nameof(DetectionRow.Difficult)),
            Crowd = VectorOf<bool>(schema, nameof(DetectionRow.Crowd)),
            Ignore = VectorOf<bool>(schema, nameof(DetectionRow.Ignore)),
            Truncated = VectorOf<float>(schema, nameof(DetectionRow.Truncated)),
            Occluded = VectorOf<int>(schema, nameof(DetectionRow.Occluded)),
            Area = VectorOf<float>(schema, nameof(DetectionRow.Area)),
        };

    /// <summary>A column of vectors of Single.</summary>
    /// <exception cref="ArgumentException">It is missing or of another type.</exception>
    public static DataViewSchema.Column FloatColumn(DataViewSchema schema, string name)
        => schema.GetColumnOrNull(name) is not { } column
            ? throw new ArgumentException($"The data have no column '{name}'.")
            : VectorOf<float>(schema, name) ?? throw new ArgumentException($"The column '{name}' is a {column.Type}; a vector of Single is wanted.");

    private static DataViewSchema.Column? VectorOf<T>(DataViewSchema schema, string name)
        => schema.GetColumnOrNull(name) is { Type: VectorDataViewType { ItemType: not KeyDataViewType and { RawType: var raw } } } column && raw == typeof(T)
            ? column
            : null;
}
